package scaling

import "time"

// MetricsPort is the port of a service's pod for its metrics.
const MetricsPort = 9090

// The functions below return the resources of the programs that watch and scale the
// services' pods. The requests come from measurements in the sandbox with four services
// without load.

// PrometheusResources returns the resources of a pod of Prometheus. Prometheus uses 100 MiB
// for 1,400 series. 100 pods of services add 30,000 series of 8 KiB each.
func PrometheusResources() Resources { return parseResources("200m", "1", "512Mi", "2Gi") }

// KEDAResources returns the resources of KEDA's operator, and of its metrics adapter. The limits
// are those of KEDA's own manifest (kedacore/keda, config/manager/manager.yaml).
func KEDAResources() Resources { return parseResources("100m", "1", "128Mi", "1000Mi") }

// StateMetricsResources returns the resources of kube-state-metrics. Its README recommends 250 MiB
// for a cluster of 100 nodes (kubernetes/kube-state-metrics, "Resource recommendation"). Here it
// reads only one namespace.
func StateMetricsResources() Resources { return parseResources("20m", "200m", "64Mi", "256Mi") }

// VPAResources returns the resources of each of VPA's three programs. Each uses 33 to 40 MiB. The
// limits are those of VPA's own manifest (kubernetes/autoscaler, vertical-pod-autoscaler,
// deploy/recommender-deployment.yaml).
func VPAResources() Resources { return parseResources("50m", "200m", "64Mi", "1000Mi") }

// CertificateResources returns the resources of the init container that creates a webhook's
// certificate. It runs for less than a second.
func CertificateResources() Resources { return parseResources("10m", "200m", "16Mi", "64Mi") }

// DatabaseExporterResources returns the resources of the exporter of PostgreSQL's metrics.
// The exporter has one connection and forty series.
func DatabaseExporterResources() Resources { return parseResources("10m", "200m", "16Mi", "64Mi") }

// AlertmanagerResources returns the resources of Alertmanager, which keeps only open alerts.
func AlertmanagerResources() Resources { return parseResources("10m", "200m", "32Mi", "128Mi") }

// MaxLogSilence is the time without any container log after which an alarm fires, in whole hours.
// Prometheus writes lines at least every two hours, when it closes a block.
const MaxLogSilence = 4 * time.Hour

// LogShipperResources returns the resources of the pod that sends the logs of a node's containers.
// The requests are those of AWS's chart (aws/eks-charts, aws-for-fluent-bit). Two inputs hold 8 MB
// each (package fluentbit). The rest of the limit is for Fluent Bit itself, for its database of file
// positions, and for a batch of 1 MB for each output.
func LogShipperResources() Resources { return parseResources("50m", "500m", "50Mi", "128Mi") }

// ForecasterResources returns the resources of the forecaster. With four services it used at
// most 53 MB (docs/prediction.md). Its start needs 2.5 s of CPU time, because it reads two
// weeks of loads.
func ForecasterResources() Resources { return parseResources("10m", "500m", "48Mi", "64M") }

// WithRequests returns the resources with the CPU and memory requests reduced to a
// share, 1 to 100 %. See Profile.WithRequests.
func (r Resources) WithRequests(share Percent) Resources {
	r.CPURequest, r.MemoryRequest = Share(r.CPURequest, share), Share(r.MemoryRequest, share)
	return r
}
