// Package scaling is the one place where a target number of the platform
// lives: what a service asks for, how it is probed, how many of it there are,
// how big the tiers of instances are, and the thresholds by which everything
// scales. It is pure: it imports neither Pulumi nor AWS. The source of every
// number is the design document, Scaling-Performance-Optimization.md, by
// section, where no other is named.
package scaling

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Profile is what the platform knows of one service before any stack's
// config: its port, its resources, its probes, its settings, how it scales.
type Profile struct {
	// Short names the service where there is no room for its Name: in a
	// stack's configuration, in AWS's names, and in agents/.
	Short string
	// Name is the Deployment's name and the value of the app label.
	Name string
	// Tier is the value of the tier label; empty: it has none.
	Tier string
	// NodeTier is the tier of instances that the service runs on.
	NodeTier TierName
	// ImportPath is the Go package that the service's image is built from.
	ImportPath string
	// Port is the container's port; the Service listens on 80.
	Port int
	// NodePort is the port of every node at which a load balancer reaches the
	// service, where there is one; zero: it is reached by other pods only.
	NodePort int
	// Count is how many pods there are: Fixed, where nothing scales the
	// service; see Autoscale.
	Count Count
	// HPA is how it scales where something scales it.
	HPA HPA
	// VPA is what may be set of its requests beside the HPA.
	VPA VPA

	Resources Resources
	Liveness  Probe
	Readiness Probe

	// Env are the service's settings that carry meaning.
	Env []EnvVar
	// Caches are its scratch volumes; they end with the pod.
	Caches []Cache
}

// Resources are a container's requests and limits.
type Resources struct {
	CPURequest, CPULimit       resource.Quantity
	MemoryRequest, MemoryLimit resource.Quantity
}

// Probe is an HTTP probe on the service's own port; the thresholds are
// Kubernetes' defaults (one success, three failures), as in the document.
type Probe struct {
	Path         string
	InitialDelay time.Duration
	Period       time.Duration
	// Timeout is Kubernetes' default of 1 s where the document gives none.
	Timeout time.Duration
}

// EnvVar is one environment variable: a Value, or what the container was given
// of a resource (such as "limits.memory", in bytes or whole cores).
type EnvVar struct{ Name, Value, Resource string }

// Cache is an emptyDir volume.
type Cache struct {
	Name      string
	MountPath string
	SizeLimit resource.Quantity
}

// Autoscale is the profile with its count left to its HPA.
func (p Profile) Autoscale() Profile {
	p.Count = Autoscaled(p.HPA)
	return p
}

// WithRequests is the profile with a share of its requests, 1 to 100 %, for a
// cluster that is smaller than the one that the numbers are for. The least that
// the VPA may set follows. Limits stay: a pod may still use what is free.
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

// Share is a part of a quantity, rounded up: cores to thousandths, memory to
// MiB.
func Share(q resource.Quantity, share Percent) resource.Quantity {
	const mi = 1 << 20
	if q.Format == resource.BinarySI {
		return *resource.NewQuantity((q.Value()*int64(share)+100*mi-1)/(100*mi)*mi, q.Format)
	}
	return *resource.NewMilliQuantity((q.MilliValue()*int64(share)+99)/100, q.Format)
}

// Validate says everything that is wrong with a profile: what Kubernetes would
// refuse, what could never be scheduled, and two owners of one number.
func (p Profile) Validate() error {
	if p.Count == nil {
		return fmt.Errorf("service %s: must have a Count, Fixed or Autoscaled", p.Name)
	}
	errs := []error{p.Count.validate(), p.HPA.validate(), p.VPA.validate(), Conflict(p.HPA, p.VPA)}
	for _, r := range []struct {
		name           ResourceName
		request, limit resource.Quantity
	}{
		{CPU, p.Resources.CPURequest, p.Resources.CPULimit},
		{Memory, p.Resources.MemoryRequest, p.Resources.MemoryLimit},
	} {
		if r.request.Sign() <= 0 || r.request.Cmp(r.limit) > 0 {
			errs = append(errs, fmt.Errorf("%s request of %s above its limit of %s", r.name, r.request.String(), r.limit.String()))
		}
		if b, ok := p.VPA.Bounds[r.name]; ok && (r.request.Cmp(b.Min) < 0 || r.request.Cmp(b.Max) > 0) {
			errs = append(errs, fmt.Errorf("%s request of %s outside the bounds of VPA %s, %s to %s", r.name, r.request.String(), p.VPA.Name, b.Min.String(), b.Max.String()))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("service %s: %w", p.Name, err)
	}
	return nil
}
