package scrape

import (
	"fmt"
	"regexp"
	"strings"
)

// workspaceARNPattern matches the ARN of a workspace of Amazon Managed Service for Prometheus (Service
// Authorization Reference, "Amazon Managed Service for Prometheus").
var workspaceARNPattern = regexp.MustCompile(`^arn:aws[a-z-]*:aps:([a-z0-9-]+):([0-9]{12}):workspace/(ws-[0-9a-f-]{36})$`)

// Workspace is a workspace of Amazon Managed Service for Prometheus.
type Workspace struct{ ARN, Region, Account, ID string }

// ParseWorkspace parses the ARN of a workspace.
func ParseWorkspace(arn string) (Workspace, error) {
	parts := workspaceARNPattern.FindStringSubmatch(arn)
	if parts == nil {
		return Workspace{}, fmt.Errorf("%q must be the ARN of a workspace, such as arn:aws:aps:REGION:ACCOUNT:workspace/ws-ID", arn)
	}
	return Workspace{ARN: arn, Region: parts[1], Account: parts[2], ID: parts[3]}, nil
}

// writeURL returns the URL to which series are written (Amazon Managed Service for Prometheus User
// Guide, "Prometheus-compatible APIs", RemoteWrite).
func (w Workspace) writeURL() string {
	return fmt.Sprintf("https://aps-workspaces.%s.amazonaws.com/workspaces/%s/api/v1/remote_write", w.Region, w.ID)
}

// PodVariable is the environment variable with the name of the pod.
const PodVariable = "POD_NAME"

// The workspace keeps the samples of only one pod of each cluster. If that pod sends no samples,
// the workspace keeps the samples of another pod. The workspace identifies the cluster and the pod
// by these labels (Amazon Managed Service for Prometheus User Guide, "Deduplicating high
// availability metrics").
const (
	clusterLabel = "cluster"
	replicaLabel = "__replica__"
)

// remoteWrite is an entry of remote_write in the configuration file.
type remoteWrite struct {
	URL         string        `json:"url"`
	SigV4       sigV4         `json:"sigv4"`
	SeriesRules []relabel     `json:"write_relabel_configs"`
	Metadata    metadata      `json:"metadata_config"`
	Queue       queueSettings `json:"queue_config"`
}

type sigV4 struct {
	Region string `json:"region"`
}

type metadata struct {
	Send bool `json:"send"`
}

// queueSettings limit the memory for samples that are not sent yet.
type queueSettings struct {
	MaxShards int `json:"max_shards"`
	Capacity  int `json:"capacity"`
}

// WithRemoteWrite returns the configuration that also writes the series with these names to a
// workspace, and no other series. cluster is the name of the cluster. Several clusters can write
// to the same workspace.
func (c Config) WithRemoteWrite(workspace Workspace, cluster string, series []string) Config {
	c.Global.Labels = map[string]string{clusterLabel: cluster, replicaLabel: "${" + PodVariable + "}"}
	c.RemoteWrites = []remoteWrite{{
		URL: workspace.writeURL(), SigV4: sigV4{workspace.Region},
		SeriesRules: []relabel{{Source: []string{"__name__"}, Regex: strings.Join(series, "|"), Action: "keep"}},
		Metadata:    metadata{Send: false}, // the metadata would also have the names of other series
		// There are several hundred recorded series every 15 s. With the defaults, Prometheus
		// could keep 50 shards of 10,000 samples in memory while the workspace does not respond.
		Queue: queueSettings{MaxShards: 2, Capacity: 5000},
	}}
	// Both pods send the same alert. Without the label of the pod, the Alertmanager
	// treats both as one alert.
	withoutReplica := alerting{}
	if c.Alerting != nil {
		withoutReplica = *c.Alerting
	}
	withoutReplica.Relabel = []relabel{{Regex: replicaLabel, Action: "labeldrop"}}
	c.Alerting = &withoutReplica
	return c
}
