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
	// Repository is the name of the image's repository in the stack's mirror.
	Repository = "prometheus"
	// Image is the image that the Prometheus project publishes. It is pinned by its version,
	// because no public source of its digest was found.
	Image = "quay.io/prometheus/prometheus:" + Version

	// Port is the port of Prometheus' API.
	Port = 9090

	// MaxReplicas is the largest number of pods. Each pod has all series. So more than two
	// pods only increase the cost.
	MaxReplicas = 2
	// DefaultStorageGiB is enough for 100 pods with 300 series each, for 15 days with a
	// sample of 2 bytes every 5 s. Source: prometheus/prometheus, docs/storage.md,
	// "Operational aspects".
	DefaultStorageGiB = 50
)

// Args configure a Prometheus.
type Args struct {
	// Namespace is the namespace in which Prometheus runs. It must not be the platform's
	// namespace, which admits only pods without a service account token, and only images by
	// digest.
	Namespace controller.Namespace
	// Platform is the namespace of the services.
	Platform controller.Namespace
	// Controllers are further namespaces with pods that Prometheus scrapes.
	Controllers []controller.Namespace
	// Cluster has the addresses of the API server and of the kubelets. Targets are the egress
	// rules for the pods in Controllers and for the Alertmanager.
	Cluster podnetwork.ClusterAddresses
	Targets []podnetwork.Rule
	// Image is the reference of Prometheus' image.
	Image pulumi.StringInput
	// Replicas is the number of pods, 1 to MaxReplicas. Each pod scrapes all targets.
	Replicas int
	// Storage and StorageClass are the size and the class of the volume of each pod.
	Storage      size.Size
	StorageClass string
	// Services are the services that Prometheus scrapes.
	Services []scaling.Profile
	// Stores are the names of the StatefulSets of the stores in Platform. Prometheus scrapes
	// their pods, and alerts watch their CPU and memory.
	Stores []string
	// Forecaster means that a forecaster runs in Namespace, and that Prometheus
	// scrapes it. Predictive means that HPAs read the forecast, and that an alert
	// fires without a forecast.
	Forecaster, Predictive bool
	// PGExporter means that the exporter of PostgreSQL's metrics runs in Platform.
	PGExporter bool
	// Dashboards are shown on a page of Prometheus, and in Grafana if the cluster has it.
	Dashboards []dashboards.Dashboard
	// Alertmanager is the host and port that gets the alerts. Empty means that alerts are
	// sent nowhere.
	Alertmanager string
	// Workspace is a workspace that also gets the recorded series. nil means that these series
	// are only in the pods' volumes.
	Workspace *Workspace
	// Readers are the pods that may send queries.
	Readers []podnetwork.Peer
	// RequestShare is the percentage of scaling.PrometheusResources that the pods request, 1 to
	// 100.
	RequestShare scaling.Percent
	// NodeSelector are labels that the pods' nodes must have. Empty means any node.
	NodeSelector map[string]string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Namespace.Name == "" || a.Namespace.Created == nil || a.Platform.Name == "" || a.Platform.Created == nil || a.Image == nil || a.Cluster.ServiceCIDR == nil:
		return errors.New("prometheus: Namespace, Platform, Image and Cluster must be set")
	case a.Replicas < 1 || a.Replicas > MaxReplicas:
		return fmt.Errorf("prometheus: Replicas is %d, must be 1 to %d", a.Replicas, MaxReplicas)
	case a.Workspace != nil && (a.Workspace.Account == nil || a.Workspace.ClusterName == "" || a.Workspace.Cluster == nil || a.Workspace.ARN == ""):
		return errors.New("prometheus: Workspace must have Account, ClusterName, Cluster and ARN")
	case a.Storage.Less(size.GiB(1)):
		return fmt.Errorf("prometheus: Storage is %s, must be 1Gi or more", a.Storage)
	case len(a.Dashboards) == 0:
		return errors.New("prometheus: Dashboards is empty: must have at least one dashboard")
	case a.RequestShare < 1 || a.RequestShare > 100:
		return fmt.Errorf("prometheus: RequestShare is %s, must be 1 to 100 %%", a.RequestShare)
	}
	return nil
}
