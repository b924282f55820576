package scaling

// MetricsPort is the port of a service's pod for its metrics.
const MetricsPort = 9090

// Pods of the programs that scale the services' pods: Prometheus and KEDA.
// Their CPU and memory at rest were measured in the sandbox, with four services;
// the limits of KEDA are upstream's (KEDA, config/manager/manager.yaml).

// PrometheusResources are those of a pod of Prometheus. It uses 100 MiB for 1,400
// series; 100 pods of services have 30,000 series more, at 8 KiB each.
func PrometheusResources() Resources { return resources("200m", "1", "512Mi", "2Gi") }

// KEDAResources are those of KEDA's operator, and of its metrics adapter.
func KEDAResources() Resources { return resources("100m", "1", "128Mi", "1000Mi") }

// WithRequests returns the resources with a share of the requests, 1 to 100 %; see
// Profile.WithRequests.
func (r Resources) WithRequests(share Percent) Resources {
	r.CPURequest, r.MemoryRequest = Share(r.CPURequest, share), Share(r.MemoryRequest, share)
	return r
}
