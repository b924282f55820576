package scaling

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"
)

// Every profile must be one that Kubernetes accepts and schedules.
func TestProfilesAreSound(t *testing.T) {
	for _, p := range Services() {
		t.Run(p.Name, func(t *testing.T) {
			require.NoError(t, p.Validate())
			require.NoError(t, p.Autoscale().Validate())
			require.NotEqual(t, p.Liveness.Path, p.Readiness.Path, "liveness must not depend on readiness")
			for _, probe := range []Probe{p.Liveness, p.Readiness} {
				require.Less(t, probe.Timeout, probe.Period, "%s overlaps itself", probe.Path)
			}
			require.Less(t, p.Readiness.InitialDelay, p.Liveness.InitialDelay,
				"a service must have the chance to be ready before it can be killed")
			if fixed, ok := p.Count.(Fixed); ok {
				require.GreaterOrEqual(t, int(fixed), p.HPA.MinReplicas, "the count to begin with is one that the HPA allows")
				require.LessOrEqual(t, int(fixed), p.HPA.MaxReplicas)
			}
		})
	}
}

func TestNodePortsAreDistinctAndOpen(t *testing.T) {
	seen := map[int]string{}
	for _, p := range Services() {
		if p.NodePort == 0 {
			continue
		}
		require.True(t, p.NodePort >= 30000 && p.NodePort <= 32767, "%s: %d is outside Kubernetes' range", p.Name, p.NodePort)
		require.Empty(t, seen[p.NodePort], "%s and %s on one port", p.Name, seen[p.NodePort])
		seen[p.NodePort] = p.Name
	}
}

// IAM's names have 64 characters, of which Pulumi's suffix takes eight; an
// environment has at most twelve.
func TestNamesFitAWS(t *testing.T) {
	for _, p := range Services() {
		role := "progressive-framework-" + "abcdefghijkl" + "-" + p.Short + "-role" + "-0123456"
		require.LessOrEqual(t, len(role), 64, role)
	}
}

func TestProfileRefuses(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(*Profile)
		want   []string
	}{
		{"HPA and VPA on one resource, by both names", func(p *Profile) { p.VPA.Mode, p.VPA.Controls = UpdateAuto, []ResourceName{CPU, Memory} },
			[]string{"HPA npa-hpa and VPA npa-vpa both own cpu:"}},
		{"nobody owns the count", func(p *Profile) { p.Count = nil }, []string{"must have a Count"}},
		{"no pod at all", func(p *Profile) { p.Count = Fixed(0) }, []string{"0 replicas: must be 1 to 50"}},
		{"more pods than any HPA of the document allows", func(p *Profile) { p.Count = Fixed(51) }, []string{"51 replicas"}},
		{"min above max", func(p *Profile) { p.HPA.MinReplicas = 16 }, []string{"HPA npa-hpa: 16 to 15 replicas"}},
		{"an HPA that looks at nothing", func(p *Profile) { p.HPA.Metrics = nil }, []string{"must have a name and a metric"}},
		{"a target that no pod can reach", func(p *Profile) { p.HPA.Metrics = []Metric{ResourceMetric{CPU, 101}} }, []string{"cpu utilization of 101 %"}},
		{"a target of nothing", func(p *Profile) { p.HPA.Metrics = []Metric{PodsMetric{"m", resource.Quantity{}}} }, []string{"above zero"}},
		{"a window beyond Kubernetes' hour", func(p *Profile) { p.HPA.ScaleUp = &Behavior{StabilizationWindow: 2 * time.Hour} }, []string{"stabilization window of 2h"}},
		{"a period beyond Kubernetes' half hour", func(p *Profile) { p.HPA.ScaleUp = &Behavior{Policies: []Policy{{PodsPolicy, 1, time.Hour}}} }, []string{"in 1s to 30m"}},
		{"a request above its limit", func(p *Profile) { p.Resources.CPURequest = resource.MustParse("3") }, []string{"cpu request of 3 above its limit of 2"}},
		{"a request that the VPA would change at once", func(p *Profile) { p.Resources.MemoryRequest = resource.MustParse("128Mi") }, []string{"outside the bounds of VPA npa-vpa"}},
		{"everything at once", func(p *Profile) { p.Count, p.HPA.MinReplicas = Fixed(-1), 0 }, []string{"-1 replicas", "0 to 15 replicas", "service npa"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			p := NPA()
			tc.change(&p)
			err := p.Validate()
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestVPABesideHPA(t *testing.T) {
	both := VPA{Name: "v", Mode: UpdateAuto, Controls: []ResourceName{CPU, Memory}}
	onCPU := HPA{Name: "h", Metrics: []Metric{ResourceMetric{CPU, 70}}}
	onBoth := HPA{Name: "h", Metrics: []Metric{ResourceMetric{CPU, 70}, ResourceMetric{Memory, 80}}}
	onRequests := HPA{Name: "h", Metrics: []Metric{PodsMetric{"r", resource.MustParse("1")}}}
	require.Equal(t, []ResourceName{Memory}, both.Beside(onCPU).Controls, "it keeps what the HPA does not scale on")
	require.Equal(t, UpdateAuto, both.Beside(onCPU).Mode)
	require.Equal(t, UpdateOff, both.Beside(onBoth).Mode, "nothing is left: it recommends")
	require.Equal(t, both.Controls, both.Beside(onBoth).Controls, "for both resources")
	require.Equal(t, both, both.Beside(onRequests), "a metric of the pods' own takes no resource")
	for _, h := range []HPA{onCPU, onBoth, onRequests} {
		require.NoError(t, Conflict(h, both.Beside(h)))
	}
	require.Equal(t, []ResourceName{CPU, Memory}, both.Controls, "the document's own is left as it was")
}

// Whatever a stack overrides, the result keeps the rules or is refused.
func TestOverridesKeepTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string) int { return rapid.IntRange(-5, 60).Draw(t, name) }
		if h, err := rapid.SampledFrom(Services()).Draw(t, "service").HPA.WithBounds(n("low"), n("high")); err == nil {
			require.True(t, 1 <= h.MinReplicas && h.MinReplicas <= h.MaxReplicas && h.MaxReplicas <= MaxReplicas, "%+v", h)
		}
		if tier, err := rapid.SampledFrom(Tiers()).Draw(t, "tier").WithSize(Size{n("min"), n("desired"), n("max")}); err == nil {
			s := tier.Size
			require.True(t, 1 <= s.Min && s.Min <= s.Desired && s.Desired <= s.Max, "%+v", s)
		}
	})
	tier, err := WebNodes().WithSize(Size{Max: 12})
	require.NoError(t, err)
	require.Equal(t, Size{3, 6, 12}, tier.Size, "what is not overridden stays")
	_, err = WebNodes().WithSize(Size{Min: 8})
	require.ErrorContains(t, err, "tier web: sizes min 8, desired 6, max 30")
}

// owners lists who takes instances away under a plan.
func owners(p Plan) []string {
	var who []string
	if _, found := p.DiscoveryTags[DiscoveryEnabled]; found {
		who = append(who, "Cluster Autoscaler")
	}
	for _, a := range p.Alarms {
		if a.Takes == In {
			return append(who, "scaling policies")
		}
	}
	return who
}

// Of scale-in there is exactly one owner, whatever the driver and the tier.
func TestEveryDriverOwnsScaleInAlone(t *testing.T) {
	for _, tier := range Tiers() {
		for _, tc := range []struct {
			driver    Driver
			owner     string
			suspended []string
		}{
			{ClusterAutoscaler{ClusterName: "progressive-framework-prod"}, "Cluster Autoscaler", []string{"AZRebalance"}},
			{ScalingPolicies{}, "scaling policies", nil},
		} {
			t.Run(string(tier.Name)+" by "+tc.owner, func(t *testing.T) {
				plan, err := PlanFor(tier, tc.driver)
				require.NoError(t, err)
				require.Equal(t, []string{tc.owner}, owners(plan))
				require.Equal(t, tc.suspended, plan.Suspended)
				require.Contains(t, plan.Alarms, tier.Alarms[0], "scale-out is always wired")
			})
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	_, err := PlanFor(WebNodes(), nil)
	require.ErrorContains(t, err, "must have a driver")
	_, err = PlanFor(WebNodes(), ClusterAutoscaler{})
	require.ErrorContains(t, err, "must name its cluster")
	wrong := WebNodes()
	wrong.ScaleIn.Adjustment = 1
	_, err = PlanFor(wrong, ScalingPolicies{})
	require.ErrorContains(t, err, "the first must add, the second take away")
}

// The autoscaler of one environment must not find the groups of another.
func TestDiscoveryIsPerCluster(t *testing.T) {
	prod, err := PlanFor(WebNodes(), ClusterAutoscaler{ClusterName: "progressive-framework-prod"})
	require.NoError(t, err)
	require.Contains(t, prod.DiscoveryTags, DiscoveryCluster("progressive-framework-prod"))
	require.NotContains(t, prod.DiscoveryTags, DiscoveryCluster("progressive-framework-staging"))
	require.Equal(t, "web", prod.DiscoveryTags["k8s.io/cluster-autoscaler/node-template/label/"+NodeLabel], "an empty group is known by its labels")
	for key := range prod.DiscoveryTags {
		require.LessOrEqual(t, len(key), 128, "AWS's longest tag key: %s", key)
	}
	tainted := WebNodes()
	tainted.Taints = []Taint{{"dedicated", "web", "NoSchedule"}}
	plan, err := PlanFor(tainted, ClusterAutoscaler{ClusterName: "c"})
	require.NoError(t, err)
	require.Equal(t, "web:NoSchedule", plan.DiscoveryTags["k8s.io/cluster-autoscaler/node-template/taint/dedicated"])
}

func TestAlarmsComeFromTheThresholds(t *testing.T) {
	threshold := map[string]float64{}
	for _, a := range WebNodes().Alarms {
		threshold[a.Name] = a.Threshold
	}
	require.Equal(t, map[string]float64{"cpu-high": 70, "cpu-low": 35, "response-time-high": 0.5, "requests-high": 60000}, threshold,
		"percent, percent, seconds, requests a minute")
	require.Equal(t, RateAlarm{"error-rate-high", 1, time.Minute, 3}, ErrorRate(), "a rate scales nothing")
	for _, tier := range Tiers() {
		for _, a := range tier.Alarms {
			require.Zero(t, a.Period%time.Minute, "%s: CloudWatch's periods are whole minutes", a.Name)
			require.Positive(t, a.Evaluations)
		}
	}
	require.Equal(t, 10*time.Minute, time.Duration(WebNodes().Alarms[3].Evaluations)*WebNodes().Alarms[3].Period)
}

// A group of two or more never swings: below the low threshold, the rest takes
// the work of one instance without passing the high one.
func TestScaleInIsNotUndone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tier := rapid.SampledFrom(Tiers()).Draw(t, "tier")
		n := rapid.IntRange(2, tier.Size.Max).Draw(t, "instances")
		var low, high float64
		for _, a := range tier.Alarms {
			switch a.Name {
			case "cpu-low":
				low = a.Threshold
			case "cpu-high":
				high = a.Threshold
			}
		}
		load := rapid.Float64Range(0, low).Draw(t, "load")
		require.LessOrEqual(t, load*float64(n)/float64(n-1), high)
	})
}

func TestClusterAutoscalerOptions(t *testing.T) {
	require.NoError(t, DefaultClusterAutoscaler().Validate())
	for _, tc := range []struct {
		reason string
		change func(*ClusterAutoscalerOptions)
		want   string
	}{
		{"every node would be unneeded", func(o *ClusterAutoscalerOptions) { o.ScaleDownUtilizationThreshold = 1.5 }, "ScaleDownUtilizationThreshold 1.5"},
		{"no node could ever go", func(o *ClusterAutoscalerOptions) { o.MaxScaleDownParallelism = 0 }, "MaxScaleDownParallelism 0"},
		{"pods would be cut off", func(o *ClusterAutoscalerOptions) { o.MaxGracefulTermination = time.Second }, "must leave the services' pods their 30s"},
		{"a node goes as soon as it came", func(o *ClusterAutoscalerOptions) { o.ScaleDownDelayAfterAdd = 0 }, "delays must be above zero"},
		{"nothing chooses the group", func(o *ClusterAutoscalerOptions) { o.Expander = "" }, "Expander"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			o := DefaultClusterAutoscaler()
			tc.change(&o)
			require.ErrorContains(t, o.Validate(), tc.want)
		})
	}
}

// A share of the requests keeps every rule, for any share.
func TestRequestsOfASmallerCluster(t *testing.T) {
	for _, p := range Services() {
		for share := Percent(1); share <= 100; share++ {
			small, err := p.WithRequests(share)
			require.NoError(t, err, "%s at %s", p.Name, share)
			require.LessOrEqual(t, small.Resources.CPURequest.Cmp(p.Resources.CPURequest), 0)
			require.LessOrEqual(t, small.Resources.MemoryRequest.Cmp(p.Resources.MemoryRequest), 0)
			require.Equal(t, p.Resources.MemoryLimit, small.Resources.MemoryLimit, "what is free may be used")
		}
		_, err := p.WithRequests(0)
		require.ErrorContains(t, err, "1 to 100 %")
	}
	tenth, err := MCA().WithRequests(10)
	require.NoError(t, err)
	require.Equal(t, "30m", tenth.Resources.CPURequest.String())
	require.Equal(t, "52Mi", tenth.Resources.MemoryRequest.String())
}
