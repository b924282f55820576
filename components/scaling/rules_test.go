package scaling

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"
)

// Kubernetes accepts and schedules every profile.
func TestProfilesAreValid(t *testing.T) {
	for _, p := range Services() {
		t.Run(p.Name, func(t *testing.T) {
			require.NoError(t, p.Validate())
			require.NotEqual(t, p.Liveness.Path, p.Readiness.Path, "liveness must not depend on what readiness checks")
			for _, probe := range []Probe{p.Liveness, p.Readiness} {
				require.Less(t, probe.Timeout, probe.Period, "%s: a probe must end before the next one starts", probe.Path)
			}
			require.Equal(t, p.Liveness.Path, p.Startup().Path, "a start must not depend on what readiness checks")
			require.LessOrEqual(t, p.Startup().Timeout, p.Startup().Period)
		})
	}
}

func TestNodePortsAreDistinctAndInKubernetesRange(t *testing.T) {
	seen := map[int]string{}
	for _, p := range Services() {
		if p.NodePort == 0 {
			continue
		}
		require.True(t, p.NodePort >= 30000 && p.NodePort <= 32767, "%s: %d is outside Kubernetes' range", p.Name, p.NodePort)
		require.Empty(t, seen[p.NodePort], "%s and %s have the same port", p.Name, seen[p.NodePort])
		seen[p.NodePort] = p.Name
	}
}

// An IAM name has at most 64 characters. Pulumi's suffix takes 8, and the
// environment's name at most 12.
func TestRoleNamesFitIAM(t *testing.T) {
	for _, p := range Services() {
		role := "progressive-framework-" + "abcdefghijkl" + "-" + p.ShortName + "-role" + "-0123456"
		require.LessOrEqual(t, len(role), 64, role)
	}
}

func TestInvalidProfilesAreRefused(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(*Profile)
		want   []string
	}{
		{"HPA and VPA on one resource; the error names both", func(p *Profile) { p.VPA.Mode, p.VPA.Controls = UpdateAuto, []ResourceName{CPU, Memory} },
			[]string{"HPA npa-hpa and VPA npa-vpa both own cpu:"}},
		{"controlled values that VPA does not have", func(p *Profile) { p.VPA.Values = "All" }, []string{`controlled values "All"`}},
		{"no pod", func(p *Profile) { p.HPA.MinReplicas = 0 }, []string{"0 to 15 replicas"}},
		{"more pods than the design document allows for any HPA", func(p *Profile) { p.HPA.MaxReplicas = 51 }, []string{"2 to 51 replicas: must be 1 <= min <= max <= 50"}},
		{"min above max", func(p *Profile) { p.HPA.MinReplicas = 16 }, []string{"HPA npa-hpa: 16 to 15 replicas"}},
		{"an HPA without a metric", func(p *Profile) { p.HPA.Metrics = nil }, []string{"must have a name and a metric"}},
		{"a target above 100 %", func(p *Profile) { p.HPA.Metrics = []Metric{ResourceMetric{CPU, 101}} }, []string{"cpu utilization of 101 %"}},
		{"a target of zero", func(p *Profile) {
			p.HPA.Metrics = []Metric{PodsMetric{"m", resource.Quantity{}, Rate{"m_total", "", time.Second}}}
		}, []string{"above zero"}},
		{"a metric without a source", func(p *Profile) { p.HPA.Metrics = []Metric{PodsMetric{"m", resource.MustParse("1"), nil}} }, []string{"metric m: must have a Source"}},
		{"a rate without a counter", func(p *Profile) {
			p.HPA.Metrics = []Metric{PodsMetric{"m", resource.MustParse("1"), Rate{Per: time.Second}}}
		}, []string{`rate of "" per 1s`}},
		{"a rate with a time unit of zero", func(p *Profile) {
			p.HPA.Metrics = []Metric{PodsMetric{"m", resource.MustParse("1"), Rate{Counter: "m_total"}}}
		}, []string{"must have a counter and a time above zero"}},
		{"a mean duration without a histogram", func(p *Profile) {
			p.HPA.Metrics = []Metric{PodsMetric{"m", resource.MustParse("1"), MeanDuration{}}}
		}, []string{"must have a histogram"}},
		{"a floor above the bounds, which no HPA could reach", func(p *Profile) { p.Floor = 16 }, []string{"floor of 16 pods: must be within the bounds of HPA npa-hpa, 2 to 15"}},
		{"a window above the one hour that Kubernetes allows", func(p *Profile) { p.HPA.ScaleUp = &Behavior{StabilizationWindow: 2 * time.Hour} }, []string{"stabilization window of 2h"}},
		{"a period above the 30 minutes that Kubernetes allows", func(p *Profile) { p.HPA.ScaleUp = &Behavior{Policies: []Policy{{PodsPolicy, 1, time.Hour}}} }, []string{"the period 1s to 30m"}},
		{"a request above its limit", func(p *Profile) { p.Resources.CPURequest = resource.MustParse("3") }, []string{"cpu request 3: must be above zero and at most its limit 2"}},
		{"a request outside the VPA's bounds, which the VPA would change immediately", func(p *Profile) { p.Resources.MemoryRequest = resource.MustParse("128Mi") }, []string{"within the bounds of VPA npa-vpa"}},
		{"several errors, all reported", func(p *Profile) { p.Floor, p.HPA.MinReplicas = -1, 0 }, []string{"floor of -1 pods", "0 to 15 replicas", "service npa"}},
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

func TestVPAWithoutConflictWithItsHPA(t *testing.T) {
	both := VPA{Name: "v", Mode: UpdateAuto, Controls: []ResourceName{CPU, Memory}}
	onCPU := HPA{Name: "h", Metrics: []Metric{ResourceMetric{CPU, 70}}}
	onBoth := HPA{Name: "h", Metrics: []Metric{ResourceMetric{CPU, 70}, ResourceMetric{Memory, 80}}}
	onRequests := HPA{Name: "h", Metrics: []Metric{PodsMetric{"r", resource.MustParse("1"), Rate{"r_total", "", time.Second}}}}
	require.Equal(t, []ResourceName{Memory}, both.WithoutConflict(onCPU).Controls, "the VPA keeps the resources that the HPA does not scale on")
	require.Equal(t, UpdateAuto, both.WithoutConflict(onCPU).Mode)
	require.Equal(t, UpdateOff, both.WithoutConflict(onBoth).Mode, "no resource is left, so the VPA only recommends")
	require.Equal(t, both.Controls, both.WithoutConflict(onBoth).Controls, "it recommends both resources")
	require.Equal(t, both, both.WithoutConflict(onRequests), "a custom metric conflicts with no resource")
	for _, h := range []HPA{onCPU, onBoth, onRequests} {
		require.NoError(t, CheckConflict(h, both.WithoutConflict(h)))
	}
	require.Equal(t, []ResourceName{CPU, Memory}, both.Controls, "the original is unchanged")
}

// Any override of a stack gives a valid result or an error.
func TestBoundsAndSizesOfAStackAreValidOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawNumber := func(name string) int { return rapid.IntRange(-5, 60).Draw(t, name) }
		if p, err := rapid.SampledFrom(Services()).Draw(t, "service").WithBounds(drawNumber("low"), drawNumber("high")); err == nil {
			h := p.HPA
			require.True(t, 1 <= h.MinReplicas && h.MinReplicas <= h.MaxReplicas && h.MaxReplicas <= MaxReplicas, "%+v", h)
			require.NoError(t, p.Validate(), "the floor is within the bounds")
			count, fixed := p.Replicas()
			require.True(t, fixed && count == p.Floor && p.MaxReplicas() == p.Floor, "a fixed number is the floor")
			p.Autoscaled = true
			_, fixed = p.Replicas()
			require.False(t, fixed, "an autoscaled Deployment has no number")
			require.Equal(t, h.MaxReplicas, p.MaxReplicas())
		}
		if tier, err := rapid.SampledFrom(Tiers()).Draw(t, "tier").WithSize(Size{drawNumber("min"), drawNumber("desired"), drawNumber("max")}); err == nil {
			s := tier.Size
			require.True(t, 1 <= s.Min && s.Min <= s.Desired && s.Desired <= s.Max, "%+v", s)
		}
	})
	tier, err := WebNodes().WithSize(Size{Max: 12})
	require.NoError(t, err)
	require.Equal(t, Size{3, 6, 12}, tier.Size, "a number that is not overridden stays")
	_, err = WebNodes().WithSize(Size{Min: 8})
	require.ErrorContains(t, err, "tier web: sizes min 8, desired 6, max 30")
}

// capacityOwners lists everything that changes the capacity under a plan, in one direction.
func capacityOwners(p Plan, d Direction) []string {
	var names []string
	if _, found := p.DiscoveryTags[DiscoveryEnabled]; found {
		names = append(names, "Cluster Autoscaler")
	}
	if _, found := p.Policies[d]; found {
		names = append(names, "scaling policies")
	}
	return names
}

// Every tier with every owner has exactly one owner of its capacity, in both directions.
func TestCapacityHasOneOwner(t *testing.T) {
	for _, tier := range Tiers() {
		for _, tc := range []struct {
			owner     Owner
			name      string
			suspended []string
		}{
			{ClusterAutoscaler{ClusterName: "progressive-framework-prod"}, "Cluster Autoscaler", []string{"AZRebalance"}},
			{ScalingPolicies{}, "scaling policies", nil},
		} {
			t.Run(string(tier.Name)+" by "+tc.name, func(t *testing.T) {
				plan, err := PlanFor(tier, tc.owner)
				require.NoError(t, err)
				require.Equal(t, []string{tc.name}, capacityOwners(plan, Out))
				require.Equal(t, []string{tc.name}, capacityOwners(plan, In))
				require.Equal(t, tc.suspended, plan.Suspended)
				require.Contains(t, plan.Alarms, tier.Alarms[0], "high load always has its alarm")
			})
		}
	}
}

func TestPlanForRefusesInvalidTiersAndOwners(t *testing.T) {
	_, err := PlanFor(WebNodes(), nil)
	require.ErrorContains(t, err, "capacity owner is nil")
	_, err = PlanFor(WebNodes(), ClusterAutoscaler{})
	require.ErrorContains(t, err, "must be the name of the EKS cluster")
	invalid := WebNodes()
	invalid.ScaleIn.Adjustment = 1
	_, err = PlanFor(invalid, ScalingPolicies{})
	require.ErrorContains(t, err, "the first must add instances, the second must remove them")
}

// The autoscaler of one environment must not find the groups of another.
func TestDiscoveryIsPerCluster(t *testing.T) {
	prod, err := PlanFor(WebNodes(), ClusterAutoscaler{ClusterName: "progressive-framework-prod"})
	require.NoError(t, err)
	require.Contains(t, prod.DiscoveryTags, DiscoveryCluster("progressive-framework-prod"))
	require.NotContains(t, prod.DiscoveryTags, DiscoveryCluster("progressive-framework-staging"))
	require.Equal(t, "web", prod.DiscoveryTags["k8s.io/cluster-autoscaler/node-template/label/"+NodeLabel], "the autoscaler reads the labels of an empty group's nodes from the tags")
	for key := range prod.DiscoveryTags {
		require.LessOrEqual(t, len(key), 128, "AWS limits the length of a tag key: %s", key)
	}
	tainted := WebNodes()
	tainted.Taints = []Taint{{"dedicated", "web", "NoSchedule"}}
	plan, err := PlanFor(tainted, ClusterAutoscaler{ClusterName: "c"})
	require.NoError(t, err)
	require.Equal(t, "web:NoSchedule", plan.DiscoveryTags["k8s.io/cluster-autoscaler/node-template/taint/dedicated"])
}

func TestAlarmsComeFromTheThresholds(t *testing.T) {
	thresholds := map[string]float64{}
	for _, a := range WebNodes().Alarms {
		thresholds[a.Name] = a.Threshold
	}
	require.Equal(t, map[string]float64{"cpu-high": 70, "cpu-low": 35, "response-time-high": 0.5, "requests-high": 60000}, thresholds,
		"the units are percent, percent, seconds, requests a minute")
	require.Equal(t, RateAlarm{"error-rate-high", 1, time.Minute, 3}, ErrorRateAlarm(), "the alarm on failures starts no step")
	for _, tier := range Tiers() {
		for _, a := range tier.Alarms {
			require.Zero(t, a.Period%time.Minute, "%s: CloudWatch's periods are whole minutes", a.Name)
			require.Positive(t, a.Evaluations)
		}
	}
	require.Equal(t, 10*time.Minute, time.Duration(WebNodes().Alarms[3].Evaluations)*WebNodes().Alarms[3].Period)
}

// A group of two or more does not oscillate. After a scale-in at the low
// threshold, the load of the other instances stays below the high threshold.
func TestScaleInDoesNotCauseScaleOut(t *testing.T) {
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

func TestClusterAutoscalerOptionsAreChecked(t *testing.T) {
	require.NoError(t, DefaultClusterAutoscaler().Validate())
	for _, tc := range []struct {
		reason string
		change func(*ClusterAutoscalerOptions)
		want   string
	}{
		{"a threshold at which every node is unneeded", func(o *ClusterAutoscalerOptions) { o.ScaleDownUtilizationThreshold = 1.5 }, "ScaleDownUtilizationThreshold 1.5"},
		{"a parallelism at which no node is ever removed", func(o *ClusterAutoscalerOptions) { o.MaxScaleDownParallelism = 0 }, "MaxScaleDownParallelism 0"},
		{"a termination time shorter than the pods' grace period", func(o *ClusterAutoscalerOptions) { o.MaxGracefulTermination = time.Second }, "must be at least 30s"},
		{"no delay between adding and removing a node", func(o *ClusterAutoscalerOptions) { o.ScaleDownDelayAfterAdd = 0 }, "delays must be above zero"},
		{"no strategy to choose a group", func(o *ClusterAutoscalerOptions) { o.Expander = "" }, "Expander"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			o := DefaultClusterAutoscaler()
			tc.change(&o)
			require.ErrorContains(t, o.Validate(), tc.want)
		})
	}
}

// A profile with 1 % to 100 % of its CPU and memory requests is valid.
func TestShareOfRequestsKeepsProfilesValid(t *testing.T) {
	for _, p := range Services() {
		for share := Percent(1); share <= 100; share++ {
			small, err := p.WithRequests(share)
			require.NoError(t, err, "%s at %s", p.Name, share)
			require.LessOrEqual(t, small.Resources.CPURequest.Cmp(p.Resources.CPURequest), 0)
			require.LessOrEqual(t, small.Resources.MemoryRequest.Cmp(p.Resources.MemoryRequest), 0)
			require.Equal(t, p.Resources.MemoryLimit, small.Resources.MemoryLimit, "limits stay, so that a pod can use free capacity")
		}
		_, err := p.WithRequests(0)
		require.ErrorContains(t, err, "1 to 100 %")
	}
	tenth, err := MCA().WithRequests(10)
	require.NoError(t, err)
	require.Equal(t, "30m", tenth.Resources.CPURequest.String())
	require.Equal(t, "52Mi", tenth.Resources.MemoryRequest.String())
}
