package scaling

import "time"

// MetricsPort is the port of a service's pod for its metrics.
const MetricsPort = 9090

// Pods of the programs that watch and scale the services' pods: Prometheus,
// kube-state-metrics, KEDA and VPA.
// Their CPU and memory at rest were measured in the sandbox, with four services;
// the limits of KEDA are upstream's (KEDA, config/manager/manager.yaml).

// PrometheusResources are those of a pod of Prometheus. It uses 100 MiB for 1,400
// series; 100 pods of services have 30,000 series more, at 8 KiB each.
func PrometheusResources() Resources { return resources("200m", "1", "512Mi", "2Gi") }

// KEDAResources are those of KEDA's operator, and of its metrics adapter.
func KEDAResources() Resources { return resources("100m", "1", "128Mi", "1000Mi") }

// StateMetricsResources are those of kube-state-metrics. Upstream recommends 250 MiB for
// a cluster of 100 nodes (kubernetes/kube-state-metrics, README, "Resource
// recommendation"); it reads one namespace here.
func StateMetricsResources() Resources { return resources("20m", "200m", "64Mi", "256Mi") }

// VPAResources are those of each of VPA's three programs. They use 33 to 40 MiB; their
// limits are upstream's (VPA, deploy/recommender-deployment.yaml).
func VPAResources() Resources { return resources("50m", "200m", "64Mi", "1000Mi") }

// CertificateResources are those of the container that creates a webhook's certificate.
// It runs for less than a second before the pod's own container.
func CertificateResources() Resources { return resources("10m", "200m", "16Mi", "64Mi") }

// DatabaseExporterResources are those of the exporter of PostgreSQL's metrics. It has one
// connection and forty series.
func DatabaseExporterResources() Resources { return resources("10m", "200m", "16Mi", "64Mi") }

// AlertmanagerResources are those of Alertmanager. It keeps only the open alerts.
func AlertmanagerResources() Resources { return resources("10m", "200m", "32Mi", "128Mi") }

// LogSilence is how long no container log may arrive, in whole hours. Prometheus writes lines
// at least every two hours, when it closes a block.
const LogSilence = 4 * time.Hour

// LogShipperResources are those of the pod that sends the logs of a node's containers. The
// requests are those of AWS's chart (aws/eks-charts, aws-for-fluent-bit). Two inputs hold
// 8 MB each (package fluentbit); the limit leaves the rest for Fluent Bit itself, its
// positions and a batch of 1 MB for each output.
func LogShipperResources() Resources { return resources("50m", "500m", "50Mi", "128Mi") }

// ForecasterResources are those of the forecaster. With four services it had at most
// 53 MB (docs/prediction.md), and the limit is 64 MB. It reads two weeks in 2.5 s of CPU
// time when it starts.
func ForecasterResources() Resources { return resources("10m", "500m", "48Mi", "64M") }

// WithRequests returns the resources with a share of the requests, 1 to 100 %; see
// Profile.WithRequests.
func (r Resources) WithRequests(share Percent) Resources {
	r.CPURequest, r.MemoryRequest = Share(r.CPURequest, share), Share(r.MemoryRequest, share)
	return r
}
