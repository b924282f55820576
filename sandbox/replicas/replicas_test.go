package replicas

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

const (
	namespace = "platform"
	// statesPerComparison is the number of random states in each comparison. With 40,000 states, the
	// error of a measured share of 0.1 % is at most 0.03 %.
	statesPerComparison = 40_000
	// maxPods is the largest number of pods of the design document's HPAs.
	maxPods = 50
)

// pod has the properties of a pod that the HPA and Prometheus use.
type pod struct {
	// deleting means that the pod is being deleted.
	deleting bool
	// pending means that the pod has not started. Prometheus scrapes running pods
	// only.
	pending bool
	// sampled reports whether Prometheus has samples of the pod for a full window.
	sampled bool
	// milliValue is the value of the pod's metric, in thousandths.
	milliValue int64
}

// state is a service at one time.
type state struct {
	pods   []pod
	target int64 // in thousandths
}

// cluster is the metrics client and the pod lister of the calculator. It returns one state.
type cluster struct {
	state
	external int64 // the value of the external metric, in thousandths
}

func (c *cluster) GetRawMetric(string, string, labels.Selector, labels.Selector) (metrics.PodMetricsInfo, time.Time, error) {
	info := metrics.PodMetricsInfo{}
	for i, p := range c.pods {
		if p.sampled {
			info[podName(i)] = metrics.PodMetric{Timestamp: time.Now(), Window: 30 * time.Second, Value: p.milliValue}
		}
	}
	return info, time.Now(), nil
}

func (c *cluster) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	return []int64{c.external}, time.Now(), nil
}

func (*cluster) GetResourceMetric(context.Context, v1.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	panic("the test reads no resource metric")
}

func (*cluster) GetObjectMetric(string, string, *autoscaling.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	panic("the test reads no object metric")
}

func podName(i int) string { return fmt.Sprintf("pod-%d", i) }

// Pods, List and Get make a cluster the pod lister of its only namespace.
func (c *cluster) Pods(string) corelisters.PodNamespaceLister { return c }

func (c *cluster) List(labels.Selector) ([]*v1.Pod, error) {
	pods := make([]*v1.Pod, len(c.pods))
	for i, p := range c.pods {
		pods[i] = &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: podName(i)}, Status: v1.PodStatus{Phase: v1.PodRunning}}
		if p.deleting {
			pods[i].DeletionTimestamp = &metav1.Time{Time: time.Now()}
		}
		if p.pending {
			pods[i].Status.Phase = v1.PodPending
		}
	}
	return pods, nil
}

func (*cluster) Get(string) (*v1.Pod, error) { panic("the calculator reads no single pod") }

// defaultTolerances returns the default tolerances of the controller manager, which are 10 %.
// The type has no constructor and no exported field, so the fields are written with unsafe.
func defaultTolerances() podautoscaler.Tolerances {
	var tolerances podautoscaler.Tolerances
	fields := reflect.ValueOf(&tolerances).Elem()
	for i := range fields.NumField() {
		*(*float64)(unsafe.Pointer(fields.Field(i).UnsafeAddr())) = 0.1
	}
	return tolerances
}

// wantedPods returns two numbers of pods that Kubernetes' calculator computes. forDocument is the
// number for the Pods metric of the design document. forExternal is the number for an external
// metric with the value external and a target of type AverageValue.
func (s state) wantedPods(t *testing.T, external float64) (forDocument, forExternal int32) {
	t.Helper()
	c := &cluster{s, int64(math.Round(external))} // KEDA rounds to thousandths (quantityFromFloat64)
	calculator := podautoscaler.NewReplicaCalculator(c, c, time.Minute, time.Second)
	// status.replicas and spec.replicas count the pods that are not being deleted, also
	// those that are pending.
	current := s.count(func(p pod) bool { return !p.deleting })
	forDocument, _, _, err := calculator.GetMetricReplicas(current, s.target, "m", defaultTolerances(), namespace, labels.Everything(), labels.Everything())
	require.NoError(t, err)
	forExternal, _, _, err = calculator.GetExternalPerPodMetricReplicas(current, s.target, "m", defaultTolerances(), namespace, nil)
	require.NoError(t, err)
	return forDocument, forExternal
}

// sum returns the sum of the samples of the selected pods, in thousandths.
func (s state) sum(selected func(pod) bool) (total float64) {
	for _, p := range s.pods {
		if p.sampled && selected(p) {
			total += float64(p.milliValue)
		}
	}
	return total
}

// demand computes the same value as components/scaling/promquery.DemandValue, for the pods that
// are alive. It is repeated here, because the sandbox imports no package of the platform. The
// tests of promquery prove that its queries compute that value.
func (s state) demand() float64 { return s.demandValue(s.sum(isAlive), isAlive) }

// demandWithEnded is demand plus the requests of pods that ended within the window. In the
// state, these are the pods with deleting. Their requests count, but they do not count as pods.
func (s state) demandWithEnded() float64 { return s.demandValue(s.sum(hasStarted), isAlive) }

// demandWithDraining is demand with the pods that are being deleted. Their requests count, and
// they also count as pods. Prometheus scrapes these pods until they end.
func (s state) demandWithDraining() float64 { return s.demandValue(s.sum(hasStarted), hasStarted) }

// demandValue returns promquery.DemandValue for a sum and the pods that Prometheus counts.
func (s state) demandValue(sum float64, counted func(pod) bool) float64 {
	pods, sampled := 0.0, 0.0
	for _, p := range s.pods {
		if !counted(p) {
			continue
		}
		pods++
		if p.sampled {
			sampled++
		}
	}
	target := float64(s.target)
	return max(sum, min(sum+target*(pods-sampled), target*pods))
}

// hasStarted reports whether Prometheus may scrape the pod.
func hasStarted(p pod) bool { return !p.pending }

// isAlive reports whether the pod runs and is not being deleted.
func isAlive(p pod) bool { return hasStarted(p) && !p.deleting }

// count returns the number of the selected pods.
func (s state) count(selected func(pod) bool) (n int32) {
	for _, p := range s.pods {
		if selected(p) {
			n++
		}
	}
	return n
}

// randomState returns a state with a mean load of 0 to 3 targets for each pod. It calls change
// for each pod.
func randomState(rng *rand.Rand, targets []int64, change func(*pod)) state {
	s := state{pods: make([]pod, 1+rng.IntN(maxPods)), target: targets[rng.IntN(len(targets))]}
	load := 3 * rng.Float64()
	for i := range s.pods {
		s.pods[i] = pod{sampled: true, milliValue: int64(load * (0.5 + rng.Float64()) * float64(s.target))}
		change(&s.pods[i])
	}
	return s
}

// hasValues reports whether both metrics have a value: at least one pod has samples and is not
// being deleted.
func (s state) hasValues() bool {
	for _, p := range s.pods {
		if isAlive(p) && p.sampled {
			return true
		}
	}
	return false
}

// comparisonResult is the result of a comparison of two numbers of pods: for the external
// metric, and for the design document's metric.
type comparisonResult struct {
	// checked is the number of compared states.
	checked int
	// different is the number of states in which the two numbers of pods differ.
	different int
	// lower is the number of states in which the number for the external metric is lower.
	lower int
	// below and above are the largest numbers of pods by which the number for the external
	// metric is lower or higher.
	below, above int32
	// tooLow is the number of states in which the number for the external metric is much lower.
	// The limit is the number of pending pods plus 10 % of the other pods.
	tooLow int
}

func (r comparisonResult) differentShare() float64 { return float64(r.different) / float64(r.checked) }

// compare computes both numbers of pods in random states.
func compare(t *testing.T, targets []int64, change func(*rand.Rand, *pod), metric func(state) float64) (r comparisonResult) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 7))
	for range statesPerComparison {
		s := randomState(rng, targets, func(p *pod) { change(rng, p) })
		// If the demand is a whole number of targets, rounding errors of the calculator's
		// floating point numbers decide: 1.1 times 10 may be more than 11. Such states are
		// left out.
		if !s.hasValues() || math.Mod(metric(s), float64(s.target)) == 0 {
			continue
		}
		r.checked++
		forDocument, forExternal := s.wantedPods(t, metric(s))
		switch {
		case forExternal > forDocument:
			r.different, r.above = r.different+1, max(r.above, forExternal-forDocument)
		case forExternal < forDocument:
			r.different, r.lower, r.below = r.different+1, r.lower+1, max(r.below, forDocument-forExternal)
			pending := s.count(func(p pod) bool { return p.pending && !p.deleting })
			if forDocument-forExternal > pending+s.count(isAlive)/10 {
				r.tooLow++
			}
		}
	}
	require.Greater(t, r.checked, statesPerComparison*4/5)
	t.Logf("%d states: %.3f %% of the numbers of pods differ; %d are lower, by at most %d pods; the others are higher by at most %d", r.checked, 100*r.differentShare(), r.lower, r.below, r.above)
	return r
}

// The targets of the design document, in thousandths.
var (
	rateTargets     = []int64{100_000, 10_000, 20_000, 15_000} // requests, coordinations, calculations and generations
	durationTargets = []int64{500}                             // the mean duration in seconds
)

// These functions change a pod, some of them at random.
var (
	changeNothing          = func(*rand.Rand, *pod) {}
	removeSamples          = func(rng *rand.Rand, p *pod) { p.sampled = rng.IntN(5) > 0 }
	deletePod              = func(rng *rand.Rand, p *pod) { p.deleting = rng.IntN(8) == 0 }
	removeSamplesAndDelete = func(rng *rand.Rand, p *pod) { removeSamples(rng, p); deletePod(rng, p) }
	makePending            = func(rng *rand.Rand, p *pod) {
		if rng.IntN(5) == 0 {
			p.pending, p.sampled = true, false
		}
	}
	makePendingAndRemoveSamples = func(rng *rand.Rand, p *pod) { removeSamples(rng, p); makePending(rng, p) }
)

func TestDemandGivesTheReplicasOfPodsMetrics(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(*rand.Rand, *pod)
	}{
		{"every pod has samples", changeNothing},
		{"a fifth of the pods has no samples", removeSamples},
		{"an eighth of the pods is being deleted", deletePod},
		{"some pods are being deleted and some have no samples", removeSamplesAndDelete},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			t.Parallel()
			r := compare(t, rateTargets, tc.change, state.demand)
			require.LessOrEqual(t, r.differentShare(), 0.001)
			require.Zero(t, r.lower)

			// For the design document's metric, Kubernetes rounds the average down to
			// thousandths of a second, and the target is 500 thousandths. With 50 pods the
			// rounding is up to a tenth of a pod (50 / 500). So the number of pods for the
			// document's metric is lower in some states.
			r = compare(t, durationTargets, tc.change, state.demand)
			require.LessOrEqual(t, r.differentShare(), 0.04)
			require.Zero(t, r.lower)

			// In millionths of a second, the rounding does not matter.
			r = compare(t, []int64{500_000}, tc.change, state.demand)
			require.LessOrEqual(t, r.differentShare(), 0.001)
			require.Zero(t, r.lower)
		})
	}
}

// TestPendingPodsMayBeRemoved covers pods that have not started. For a Pods metric, Kubernetes
// compares the demand with the running pods. Within the tolerance it keeps all pods, also the
// pending ones. For an external metric it compares the demand with all pods, so it may remove pods.
// It removes at most the number of pending pods plus 10 % of the other pods, which is the tolerance.
func TestPendingPodsMayBeRemoved(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(*rand.Rand, *pod)
	}{
		{"a fifth of the pods is pending", makePending},
		{"a fifth is pending, and a fifth of the others has no samples", makePendingAndRemoveSamples},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			t.Parallel()
			for _, targets := range [][]int64{rateTargets, durationTargets} {
				r := compare(t, targets, tc.change, state.demand)
				require.NotZero(t, r.lower)
				require.Zero(t, r.tooLow)
			}
		})
	}
}

// TestEndingPodsNeverLowerTheNumber covers the requests of pods that are being deleted or have
// ended. These requests were demand, so the platform's sum includes them. Kubernetes ignores
// them.
func TestEndingPodsNeverLowerTheNumber(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(*rand.Rand, *pod)
		metric func(state) float64
		// The mean duration of ended pods is not demand (components/scaling/promquery).
		targets [][]int64
	}{
		{"an eighth of the pods ended within the window", deletePod, state.demandWithEnded, [][]int64{rateTargets}},
		{"an eighth of the pods is draining, and some have no samples", removeSamplesAndDelete, state.demandWithDraining, [][]int64{rateTargets, durationTargets}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			t.Parallel()
			for _, targets := range tc.targets {
				r := compare(t, targets, tc.change, tc.metric)
				require.NotZero(t, r.different)
				require.Zero(t, r.lower)
			}
		})
	}
}

// The comparison must show that a wrong metric gives other numbers of pods.
func TestComparisonDetectsWrongMetrics(t *testing.T) {
	average := func(s state) float64 { return s.sum(isAlive) / float64(len(s.pods)) }
	r := compare(t, rateTargets, changeNothing, average)
	require.Greater(t, r.differentShare(), 0.9, "an average is divided by the number of pods twice")
	require.Equal(t, r.different, r.lower)

	r = compare(t, rateTargets, removeSamples, func(s state) float64 { return s.sum(isAlive) })
	require.Greater(t, r.differentShare(), 0.2, "a sum that ignores pods without samples is too low")
	require.NotZero(t, r.lower)
}
