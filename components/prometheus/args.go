package prometheus

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/dashboards"
	"github.com/progressive-framework/platform/components/size"
)

const (
	// Version is Prometheus' release.
	Version = "v3.16.0"
	// Repository is the repository of its image below a mirror.
	Repository = "prometheus"
	// Image is upstream's image. No public source of its digest was found, so it has
	// an exact version only.
	Image = "quay.io/prometheus/prometheus:" + Version

	// Port is the port of its API.
	Port = 9090

	// MaxReplicas is the largest number of pods. Each has all series, so that more
	// than two only cost more.
	MaxReplicas = 2
	// DefaultStorageGiB holds 15 days of 100 pods: 300 series a pod, every 5 s, in 2
	// bytes a sample (prometheus/prometheus, docs/storage.md, "Operational aspects").
	DefaultStorageGiB = 50
)

// Args configure a Prometheus.
type Args struct {
	// Namespace is where it runs: one of its own, because the platform's admits only
	// pods without a token of the API server, and only images by digest.
	Namespace controller.Namespace
	// Platform is the namespace of the services.
	Platform controller.Namespace
	// Controllers are further namespaces with pods that it scrapes.
	Controllers []controller.Namespace
	// Cluster has the addresses of the API server and of the kubelets. Targets allows to
	// reach the pods of Controllers, and the Alertmanager.
	Cluster podnetwork.Cluster
	Targets []podnetwork.Rule
	// Image is the reference of its image.
	Image pulumi.StringInput
	// Replicas is the number of pods, 1 to MaxReplicas. Each scrapes everything.
	Replicas int
	// Storage and StorageClass are the size and the class of the volume of each pod.
	Storage      size.Size
	StorageClass string
	// Services are what it scrapes.
	Services []scaling.Profile
	// Stores are the names of the StatefulSets of the stores in Platform, which it
	// scrapes, and whose CPU and memory alerts watch.
	Stores []string
	// Forecaster says that a forecaster runs in Namespace, which it scrapes. Predictive
	// says that HPAs read its forecast, so that alerts watch whether there is one.
	Forecaster, Predictive bool
	// Database: the exporter of PostgreSQL's metrics runs in Platform.
	Database bool
	// Dashboards are what it shows as a page of its own, and Grafana if there is one.
	Dashboards []dashboards.Dashboard
	// Alertmanager is the host and port that gets its alerts. Empty: nothing delivers
	// them.
	Alertmanager string
	// Workspace gets the recorded series, too; nil: they stay in the pods' volumes.
	Workspace *Workspace
	// Readers are the pods that may send queries.
	Readers []podnetwork.Peer
	// RequestShare is the size of the pods' resource requests in percent of the usual ones, 1 to 100.
	RequestShare scaling.Percent
	// NodeSelector are labels that its nodes must have. Empty means any node.
	NodeSelector map[string]string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Namespace.Name == "" || a.Namespace.Created == nil || a.Platform.Name == "" || a.Platform.Created == nil || a.Image == nil || a.Cluster.Services == nil:
		return errors.New("prometheus: Namespace, Platform, Image and Cluster must be set")
	case a.Replicas < 1 || a.Replicas > MaxReplicas:
		return fmt.Errorf("prometheus: Replicas is %d, must be 1 to %d", a.Replicas, MaxReplicas)
	case a.Workspace != nil && (a.Workspace.Account == nil || a.Workspace.ClusterName == "" || a.Workspace.Cluster == nil || a.Workspace.ARN == ""):
		return errors.New("prometheus: Workspace must have Account, ClusterName, Cluster and ARN")
	case a.Storage.Less(size.GiB(1)):
		return fmt.Errorf("prometheus: Storage is %s, must be 1Gi or more", a.Storage)
	case len(a.Dashboards) == 0:
		return errors.New("prometheus: Dashboards must have at least one")
	case a.RequestShare < 1 || a.RequestShare > 100:
		return fmt.Errorf("prometheus: RequestShare is %s, must be 1 to 100 %%", a.RequestShare)
	}
	return nil
}
