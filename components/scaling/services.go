package scaling

import (
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// module is the import path of the folder that has the services' main packages.
const module = "github.com/progressive-framework/platform/agents/"

// PromQL label matchers for the metrics of the autoscalers. agents/internal/telemetry defines the
// labels.
const (
	// userRequests leaves out probes and scrapes, because their number grows with the
	// number of pods.
	userRequests = `route!~"GET /(health(/.*)?|metrics)"`
	// shortRequests also leaves out WebSockets. They last as long as the connection,
	// which would look like an overload.
	shortRequests = `route!~"GET /(health(/.*)?|metrics|ws)"`
	// acceptedRequests leaves out refused requests. They cause no work, so a flood of invalid
	// requests needs no further pods.
	acceptedRequests = `outcome!="refused"`
)

// Services lists the platform's services in the order in which the program
// creates them. The numbers come from the sections "Kubernetes Horizontal Pod
// Autoscaler (HPA)", "Resource Allocation Strategy" and "Vertical Pod
// Autoscaler (VPA)".
func Services() []Profile { return []Profile{Web(), MCA(), NPA(), WPA()} }

// Web returns the profile of the main application.
func Web() Profile {
	t := DesignThresholds().Web
	hpa := HPA{
		Name: "progressive-framework-hpa", MinReplicas: 3, MaxReplicas: MaxReplicas,
		Metrics: []Metric{
			ResourceMetric{CPU, t.CPU},
			ResourceMetric{Memory, t.Memory},
			PodsMetric{"http_requests_per_second", resource.MustParse("100"), Rate{"http_requests_total", userRequests, time.Second}},
			PodsMetric{
				"http_request_duration_seconds", *resource.NewMilliQuantity(t.ResponseTime.Milliseconds(), resource.DecimalSI),
				MeanDuration{"http_request_duration_seconds", shortRequests},
			},
		},
		ScaleDown: &Behavior{
			StabilizationWindow: 5 * time.Minute,
			Policies:            []Policy{{PercentPolicy, 10, time.Minute}, {PodsPolicy, 2, time.Minute}},
			Select:              SelectMin,
		},
		ScaleUp: &Behavior{
			StabilizationWindow: time.Minute,
			Policies:            []Policy{{PercentPolicy, 50, time.Minute}, {PodsPolicy, 5, time.Minute}},
			Select:              SelectMax,
		},
	}
	return Profile{
		ShortName: "web", Name: "progressive-framework-v5", NodeTier: WebTier, ImportPath: module + "web",
		Port: 3000, NodePort: 30080, Calls: []string{"mca"},
		Floor: 6,
		HPA:   hpa,
		VPA: VPA{
			Name: "progressive-framework-vpa", Mode: UpdateAuto, Values: RequestsAndLimits,
			Controls: []ResourceName{CPU, Memory},
			Bounds:   parseBounds("200m", "4000m", "256Mi", "8Gi"),
		}.WithoutConflict(hpa),
		Resources: parseResources("500m", "2000m", "1Gi", "4Gi"),
		Liveness:  Probe{"/health", 60 * time.Second, 30 * time.Second, 10 * time.Second},
		Readiness: Probe{"/health/ready", 30 * time.Second, 10 * time.Second, 5 * time.Second},
		Env: []EnvVar{
			{Name: "MEMORY_LIMIT", Resource: "limits.memory"},
			{Name: "CPU_LIMIT", Resource: "limits.cpu"},
		},
	}
}

// MCA returns the profile of the Master Coordination Agent.
func MCA() Profile {
	t := DesignThresholds().Application
	hpa := HPA{
		Name: "mca-hpa", MinReplicas: 2, MaxReplicas: 20,
		Metrics: []Metric{
			ResourceMetric{CPU, t.CPU},
			PodsMetric{"agent_coordination_requests_per_second", resource.MustParse("10"), Rate{"agent_coordination_requests_total", acceptedRequests, time.Second}},
		},
		ScaleDown: &Behavior{StabilizationWindow: 10 * time.Minute, Policies: []Policy{{PodsPolicy, 1, 2 * time.Minute}}},
		ScaleUp:   &Behavior{StabilizationWindow: 30 * time.Second, Policies: []Policy{{PodsPolicy, 3, 30 * time.Second}}},
	}
	p := newAgentProfile("mca", hpa)
	p.Floor = 3
	p.NodePort = 30800
	p.Calls = []string{"npa", "wpa"}
	p.VPA = VPA{
		Name: "mca-vpa", Mode: UpdateOff, Controls: []ResourceName{CPU, Memory},
		Bounds: parseBounds("100m", "2000m", "256Mi", "4Gi"),
	}
	p.Resources = parseResources("300m", "1500m", "512Mi", "2Gi")
	p.Liveness = Probe{"/health/coordination", 45 * time.Second, 20 * time.Second, 8 * time.Second}
	p.Readiness = Probe{"/health/ready", 20 * time.Second, 10 * time.Second, 5 * time.Second}
	p.Env = []EnvVar{
		{Name: "AGENT_TYPE", Value: "MCA"},
		{Name: "COORDINATION_MODE", Value: "active"},
		{Name: "MAX_CONCURRENT_AGENTS", Value: strconv.Itoa(t.ConcurrentAgentSessions)},
	}
	return p
}

// NPA returns the profile of the Nutrition Planning Agent.
func NPA() Profile {
	hpa := HPA{
		Name: "npa-hpa", MinReplicas: 2, MaxReplicas: 15,
		Metrics: []Metric{
			ResourceMetric{CPU, 70},
			PodsMetric{"nutrition_calculations_per_minute", resource.MustParse("20"), Rate{"nutrition_calculations_total", "", time.Minute}},
		},
	}
	p := newAgentProfile("npa", hpa)
	p.Floor = 2
	p.VPA = VPA{
		Name: "npa-vpa", Mode: UpdateAuto, Controls: []ResourceName{CPU, Memory},
		Bounds: parseBounds("200m", "3000m", "384Mi", "6Gi"),
	}.WithoutConflict(hpa)
	p.Resources = parseResources("400m", "2000m", "768Mi", "3Gi")
	p.Liveness = Probe{"/health", 30 * time.Second, 25 * time.Second, time.Second}
	p.Readiness = Probe{"/health/ready", 15 * time.Second, 10 * time.Second, time.Second}
	p.Env = []EnvVar{
		{Name: "AGENT_TYPE", Value: "NPA"},
		{Name: "NUTRITION_DB_CACHE_SIZE", Value: "256MB"},
		{Name: "CALCULATION_TIMEOUT", Value: "30s"},
	}
	p.Caches = []Cache{{"nutrition-cache", "/app/cache/nutrition", resource.MustParse("1Gi")}}
	return p
}

// WPA returns the profile of the Workout Planning Agent.
func WPA() Profile {
	hpa := HPA{
		Name: "wpa-hpa", MinReplicas: 2, MaxReplicas: 15,
		Metrics: []Metric{
			ResourceMetric{CPU, 70},
			PodsMetric{"workout_generations_per_minute", resource.MustParse("15"), Rate{"workout_generations_total", "", time.Minute}},
		},
	}
	p := newAgentProfile("wpa", hpa)
	p.Floor = 2
	p.VPA = VPA{
		Name: "wpa-vpa", Mode: UpdateAuto, Controls: []ResourceName{CPU, Memory},
		Bounds: parseBounds("150m", "2500m", "320Mi", "5Gi"),
	}.WithoutConflict(hpa)
	p.Resources = parseResources("350m", "1800m", "640Mi", "2.5Gi")
	p.Liveness = Probe{"/health", 30 * time.Second, 30 * time.Second, time.Second}
	p.Readiness = Probe{"/health/ready", 15 * time.Second, 10 * time.Second, time.Second}
	p.Env = []EnvVar{
		{Name: "AGENT_TYPE", Value: "WPA"},
		{Name: "WORKOUT_TEMPLATE_CACHE", Value: "128MB"},
		{Name: "GENERATION_TIMEOUT", Value: "45s"},
	}
	p.Caches = []Cache{{"workout-cache", "/app/cache/workouts", resource.MustParse("512Mi")}}
	return p
}

// newAgentProfile returns a profile with what all agents have in common.
func newAgentProfile(name string, hpa HPA) Profile {
	return Profile{
		ShortName: name, Name: name, Tier: "agents", NodeTier: ApplicationTier,
		ImportPath: module + name, Port: 8000, HPA: hpa,
	}
}

// parseResources parses Kubernetes quantities such as "100m" and "64Mi".
func parseResources(cpuRequest, cpuLimit, memoryRequest, memoryLimit string) Resources {
	return Resources{
		CPURequest: resource.MustParse(cpuRequest), CPULimit: resource.MustParse(cpuLimit),
		MemoryRequest: resource.MustParse(memoryRequest), MemoryLimit: resource.MustParse(memoryLimit),
	}
}

// parseBounds parses the bounds of a VPA from quantities such as "100m" and "64Mi".
func parseBounds(cpuMin, cpuMax, memoryMin, memoryMax string) map[ResourceName]Bounds {
	return map[ResourceName]Bounds{
		CPU:    {resource.MustParse(cpuMin), resource.MustParse(cpuMax)},
		Memory: {resource.MustParse(memoryMin), resource.MustParse(memoryMax)},
	}
}
