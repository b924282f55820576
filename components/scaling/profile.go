// Package scaling is the one place where a target number of the platform
// lives: what a service asks for, how it is probed, how many of it there are,
// and (as they are built) the thresholds by which everything scales. It is
// pure: it imports neither Pulumi nor AWS. The source of every number is the
// design document, Scaling-Performance-Optimization.md, by section.
package scaling

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Profile is what the platform knows of one service before any stack's
// config: its port, its resources, its probes, its settings.
type Profile struct {
	// Name is the Deployment's name and the value of the app label.
	Name string
	// Tier is the value of the tier label.
	Tier string
	// ImportPath is the Go package that the service's image is built from.
	ImportPath string
	// Port is the container's port; the Service listens on 80.
	Port int
	// Replicas is the count where nothing scales the service.
	Replicas int

	Resources Resources
	Liveness  Probe
	Readiness Probe

	// Env are the service's settings that carry meaning.
	Env []EnvVar
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
	Timeout      time.Duration
}

// EnvVar is one environment variable.
type EnvVar struct{ Name, Value string }

// MCA is the Master Coordination Agent (section "Resource Allocation
// Strategy", "MCA Resource Optimization").
func MCA() Profile {
	return Profile{
		Name:       "mca",
		Tier:       "agents",
		ImportPath: "github.com/progressive-framework/platform/agents/mca",
		Port:       8000,
		Replicas:   3,
		Resources: Resources{
			CPURequest:    resource.MustParse("300m"),
			CPULimit:      resource.MustParse("1500m"),
			MemoryRequest: resource.MustParse("512Mi"),
			MemoryLimit:   resource.MustParse("2Gi"),
		},
		Liveness: Probe{
			Path:         "/health/coordination",
			InitialDelay: 45 * time.Second,
			Period:       20 * time.Second,
			Timeout:      8 * time.Second,
		},
		Readiness: Probe{
			Path:         "/health/ready",
			InitialDelay: 20 * time.Second,
			Period:       10 * time.Second,
			Timeout:      5 * time.Second,
		},
		Env: []EnvVar{
			{"AGENT_TYPE", "MCA"},
			{"COORDINATION_MODE", "active"},
			{"MAX_CONCURRENT_AGENTS", "50"},
		},
	}
}
