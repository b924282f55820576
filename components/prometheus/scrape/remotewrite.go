package scrape

import (
	"fmt"
	"regexp"
	"strings"
)

// workspace is the ARN of a workspace of Amazon Managed Service for Prometheus (Service
// Authorization Reference, "Amazon Managed Service for Prometheus").
var workspace = regexp.MustCompile(`^arn:aws[a-z-]*:aps:([a-z0-9-]+):([0-9]{12}):workspace/(ws-[0-9a-f-]{36})$`)

// Workspace is a workspace of Amazon Managed Service for Prometheus.
type Workspace struct{ ARN, Region, Account, ID string }

// ParseWorkspace reads the ARN of a workspace.
func ParseWorkspace(arn string) (Workspace, error) {
	parts := workspace.FindStringSubmatch(arn)
	if parts == nil {
		return Workspace{}, fmt.Errorf("%q must be the ARN of a workspace, as arn:aws:aps:REGION:ACCOUNT:workspace/ws-ID", arn)
	}
	return Workspace{ARN: arn, Region: parts[1], Account: parts[2], ID: parts[3]}, nil
}

// writeURL is where the workspace gets series (Amazon Managed Service for Prometheus User
// Guide, "Prometheus-compatible APIs", RemoteWrite).
func (w Workspace) writeURL() string {
	return fmt.Sprintf("https://aps-workspaces.%s.amazonaws.com/workspaces/%s/api/v1/remote_write", w.Region, w.ID)
}

// PodVariable is the environment variable with the name of the pod.
const PodVariable = "POD_NAME"

// The workspace takes the samples of one pod of each cluster, and those of another one while
// that pod is away. It knows them by these labels (User Guide, "Deduplicating high
// availability metrics").
const (
	clusterLabel = "cluster"
	replicaLabel = "__replica__"
)

type remoteWrite struct {
	URL      string        `json:"url"`
	SigV4    sigV4         `json:"sigv4"`
	Series   []relabel     `json:"write_relabel_configs"`
	Metadata metadata      `json:"metadata_config"`
	Queue    queueSettings `json:"queue_config"`
}

type sigV4 struct {
	Region string `json:"region"`
}

type metadata struct {
	Send bool `json:"send"`
}

type queueSettings struct {
	MaxShards int `json:"max_shards"`
	Capacity  int `json:"capacity"`
}

// WithRemoteWrite returns the configuration that also writes series of these names, and no
// others, to a workspace. cluster is the cluster's name, by which the workspace tells its
// series from those of others.
func (c Config) WithRemoteWrite(to Workspace, cluster string, series []string) Config {
	c.Global.Labels = map[string]string{clusterLabel: cluster, replicaLabel: "${" + PodVariable + "}"}
	c.RemoteWrites = []remoteWrite{{
		URL: to.writeURL(), SigV4: sigV4{to.Region},
		Series:   []relabel{{Source: []string{"__name__"}, Regex: strings.Join(series, "|"), Action: "keep"}},
		Metadata: metadata{Send: false}, // it has the names of all series
		// The recorded series are some hundreds every 15 s. The defaults are for 50 shards of
		// 10,000 samples, in memory while the workspace does not answer.
		Queue: queueSettings{MaxShards: 2, Capacity: 5000},
	}}
	// An alert of two pods is one alert.
	relabeled := alerting{}
	if c.Alerting != nil {
		relabeled = *c.Alerting
	}
	relabeled.Relabel = []relabel{{Regex: replicaLabel, Action: "labeldrop"}}
	c.Alerting = &relabeled
	return c
}
