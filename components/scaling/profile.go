// Package scaling owns every target number of the platform. These are the requests, limits, probes
// and pod counts of the services. They are also the sizes of the tiers of instances, and the
// thresholds of autoscalers and alarms. The package imports neither Pulumi nor an AWS SDK.
// Every number comes from the design document (docs/design-document.md), unless its comment names
// another source.
package scaling

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Profile has the properties of one service that are the same in every stack: its port,
// resources, probes, environment and scaling.
type Profile struct {
	// ShortName is the short name of the service: in a stack's configuration, in
	// names of AWS resources, and as the folder below agents/.
	ShortName string
	// Name is the Deployment's name and the value of the app label.
	Name string
	// Tier is the value of the tier label. Empty means no such label.
	Tier string
	// NodeTier is the tier of instances that the service runs on.
	NodeTier TierName
	// ImportPath is the Go main package of the service's image.
	ImportPath string
	// Port is the container's port; the Service listens on 80.
	Port int
	// NodePort is the port on every node where a load balancer reaches the
	// service. Zero means that only other pods reach it.
	NodePort int
	// Calls are the short names of the services to which this service sends requests.
	Calls []string
	// Autoscaled means that an HPA sets the number of pods. Otherwise this number is Floor.
	Autoscaled bool
	// HPA is the autoscaler of an Autoscaled service.
	HPA HPA
	// Floor is the number of pods of a service without an autoscaler. For an Autoscaled service it
	// is the minimum while KEDA can't read the metrics. It is the number of replicas of the design
	// document's Deployment, and within the bounds of the HPA.
	Floor int
	// VPA controls the requests that the HPA does not scale on.
	VPA VPA

	Resources Resources
	Liveness  Probe
	Readiness Probe

	// Env are the environment variables that the design document sets.
	Env []EnvVar
	// Caches are the cache volumes of a pod. They are deleted with the pod.
	Caches []Cache
}

// Resources are a container's requests and limits.
type Resources struct {
	CPURequest, CPULimit       resource.Quantity
	MemoryRequest, MemoryLimit resource.Quantity
}

// Probe is an HTTP probe on the service's port. Its thresholds are the defaults of Kubernetes, one
// success and three failures, as in the design document.
type Probe struct {
	Path string
	// InitialDelay is the design document's initialDelaySeconds. Pods have a startup probe instead
	// (Profile.Startup).
	InitialDelay time.Duration
	Period       time.Duration
	// Timeout is the default of Kubernetes, 1 s, if the design document sets none.
	Timeout time.Duration
}

// StartupProbe waits for the start of a container. Liveness and readiness are
// checked after its first success.
type StartupProbe struct {
	Path            string
	Period, Timeout time.Duration
	// Failures is the number of failures after which Kubernetes restarts the container.
	Failures int
}

// Startup returns the startup probe. It has the path of the liveness probe, which does not check
// dependencies. A restart does not help a service that waits for its dependencies. The period is
// one second. With the design document's initial delays instead, a new pod would be ready 15 to 30
// s later than necessary. A start may take as long as in the document: the initial delay of the
// readiness probe, and three of its periods.
func (p Profile) Startup() StartupProbe {
	const period = time.Second
	return StartupProbe{
		Path: p.Liveness.Path, Period: period, Timeout: time.Second,
		Failures: int((p.Readiness.InitialDelay + 3*p.Readiness.Period) / period),
	}
}

// EnvVar is one environment variable. It has either a Value or a Resource. A
// Resource such as "limits.memory" stands for the container's request or limit,
// in bytes or whole cores.
type EnvVar struct{ Name, Value, Resource string }

// Cache is an emptyDir volume.
type Cache struct {
	Name      string
	MountPath string
	SizeLimit resource.Quantity
}

// WithRequests returns the profile with its CPU and memory requests reduced to a
// share, 1 to 100 %. It is for a cluster that is smaller than production. The
// lower bounds of the VPA shrink by the same share. Limits do not change, so a pod
// can still use free capacity.
func (p Profile) WithRequests(share Percent) (Profile, error) {
	if share < 1 || share > 100 {
		return p, fmt.Errorf("service %s: %s of its requests: must be 1 to 100 %%", p.Name, share)
	}
	p.Resources.CPURequest = Share(p.Resources.CPURequest, share)
	p.Resources.MemoryRequest = Share(p.Resources.MemoryRequest, share)
	p.VPA.Bounds = maps.Clone(p.VPA.Bounds)
	for name, b := range p.VPA.Bounds {
		b.Min = Share(b.Min, share)
		p.VPA.Bounds[name] = b
	}
	return p, p.Validate()
}

// Share returns a share of a quantity, rounded up: CPU to millicores, memory to
// MiB.
func Share(q resource.Quantity, share Percent) resource.Quantity {
	const mi = 1 << 20
	if q.Format == resource.BinarySI {
		return *resource.NewQuantity((q.Value()*int64(share)+100*mi-1)/(100*mi)*mi, q.Format)
	}
	return *resource.NewMilliQuantity((q.MilliValue()*int64(share)+99)/100, q.Format)
}

// Validate returns all errors of a profile together: values that Kubernetes refuses, values outside
// of their bounds, and a resource that both autoscalers control.
func (p Profile) Validate() error {
	errs := []error{p.HPA.validate(), p.VPA.validate(), CheckConflict(p.HPA, p.VPA)}
	if p.Floor < p.HPA.MinReplicas || p.Floor > p.HPA.MaxReplicas {
		errs = append(errs, fmt.Errorf("floor of %d pods: must be within the bounds of HPA %s, %d to %d", p.Floor, p.HPA.Name, p.HPA.MinReplicas, p.HPA.MaxReplicas))
	}
	for _, r := range []struct {
		name           ResourceName
		request, limit resource.Quantity
	}{
		{CPU, p.Resources.CPURequest, p.Resources.CPULimit},
		{Memory, p.Resources.MemoryRequest, p.Resources.MemoryLimit},
	} {
		if r.request.Sign() <= 0 || r.request.Cmp(r.limit) > 0 {
			errs = append(errs, fmt.Errorf("%s request %s: must be above zero and at most its limit %s", r.name, r.request.String(), r.limit.String()))
		}
		if b, ok := p.VPA.Bounds[r.name]; ok && (r.request.Cmp(b.Min) < 0 || r.request.Cmp(b.Max) > 0) {
			errs = append(errs, fmt.Errorf("%s request %s: must be within the bounds of VPA %s, %s to %s", r.name, r.request.String(), p.VPA.Name, b.Min.String(), b.Max.String()))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("service %s: %w", p.Name, err)
	}
	return nil
}
