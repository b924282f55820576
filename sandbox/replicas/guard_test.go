package replicas

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	autoscaling "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/meta/testrestmapper"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
)

const (
	hpaPeriod = 15 * time.Second
	// silence is for how long Prometheus has the last number of a forecaster that was killed. Then
	// the forecast has no value, and the guards have one (components/scaling/promquery).
	silence = 60 * time.Second
	// outage is how long the forecaster is away in each hour.
	outage = 10 * time.Minute
	// failures is after how many failed readings KEDA's fallback holds the present pods.
	failures = 3
)

// guarded are the external metrics of a service with a forecast: the forecast, the floor at 95 %
// of a pod's capacity, and the guard at the document's 70 %.
type guarded struct {
	cluster
	begin    time.Time
	loads    []float64 // in thousandths of a pod, by sync
	replicas *int32
}

func (g *guarded) now() time.Duration { return time.Since(g.begin) }

// silent returns how long the forecaster has been away; 0 if it is there.
func (g *guarded) silent() time.Duration {
	return max(0, g.now()%time.Hour-(time.Hour-outage))
}

func (g *guarded) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	step := min(int(g.now()/hpaPeriod), len(g.loads)-1)
	load, silent := g.loads[step], g.silent()
	switch {
	case strings.HasSuffix(name, "forecast_pods"):
		switch {
		case silent < silence: // the last number before it was killed
			last := g.loads[max(step-int(silent/hpaPeriod), 0)]
			return []int64{int64(last / 0.9)}, time.Now(), nil
		case silent < silence+failures*hpaPeriod:
			return nil, time.Time{}, errors.New("the query has no value") // ignoreNullValues: "false"
		}
		return []int64{1000 * int64(*g.replicas)}, time.Now(), nil // KEDA's fallback
	case strings.HasSuffix(name, "guard") && silent < silence:
		return []int64{0}, time.Now(), nil // ignoreNullValues
	}
	return []int64{int64(load)}, time.Now(), nil
}

// TestSilentForecasterLeavesTheDocumentsTarget runs Kubernetes' own HPA controller for
// four hours with the metrics of a ScaledObject with a forecast, all of which are queries
// of Prometheus. The forecaster is away for ten minutes of each hour. From a minute on no
// pod is removed, and after two minutes the number of pods is at least the one that the
// document's target gives.
func TestSilentForecasterLeavesTheDocumentsTarget(t *testing.T) {
	// The error handlers limit their rate by a clock outside of the synctest bubble.
	handlers := utilruntime.ErrorHandlers
	utilruntime.ErrorHandlers = nil
	t.Cleanup(func() { utilruntime.ErrorHandlers = handlers })
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		low, replicas := int32(3), int32(6)
		rng := rand.New(rand.NewPCG(5, 2))
		metrics := &guarded{begin: time.Now(), replicas: &replicas}
		for load := 10_000.0; len(metrics.loads) < syncs+8; {
			load = min(max(load*math.Exp(0.08*rng.NormFloat64()), 1000), 32_000)
			metrics.loads = append(metrics.loads, load)
		}
		external := func(name, target string) autoscaling.MetricSpec {
			average := resource.MustParse(target)
			return autoscaling.MetricSpec{Type: autoscaling.ExternalMetricSourceType, External: &autoscaling.ExternalMetricSource{
				Metric: autoscaling.MetricIdentifier{Name: name},
				Target: autoscaling.MetricTarget{Type: autoscaling.AverageValueMetricType, AverageValue: &average},
			}}
		}
		hpa := &autoscaling.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace},
			Spec: autoscaling.HorizontalPodAutoscalerSpec{
				ScaleTargetRef: autoscaling.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
				MinReplicas:    &low, MaxReplicas: maxPods,
				Metrics: []autoscaling.MetricSpec{external("s0-forecast_pods", "1"), external("s1-floor", "950m"), external("s2-guard", "700m")},
				Behavior: &autoscaling.HorizontalPodAutoscalerBehavior{
					ScaleUp: rules(0, autoscaling.MaxChangePolicySelect, "0",
						policy(autoscaling.PercentScalingPolicy, 100, 15), policy(autoscaling.PodsScalingPolicy, 4, 15)),
					ScaleDown: rules(60, autoscaling.MaxChangePolicySelect, "0", policy(autoscaling.PercentScalingPolicy, 100, 15)),
				},
			},
		}
		scales := scaleOf(&replicas)
		client := fake.NewClientset(hpa)
		factory := informers.NewSharedInformerFactory(client, 0)
		controller := podautoscaler.NewHorizontalController(ctx, client.CoreV1(), scales, client.AutoscalingV2(),
			testrestmapper.TestOnlyStaticRESTMapper(legacyscheme.Scheme), metrics,
			factory.Autoscaling().V2().HorizontalPodAutoscalers(), factory.Core().V1().Pods(),
			hpaPeriod, 5*time.Minute, 0.1, 5*time.Minute, 30*time.Second)
		factory.Start(ctx.Done())
		go controller.Run(ctx, 1)

		checked, raised, fewest := 0, 0, math.Inf(1)
		for range syncs * 2 / 3 {
			before := replicas
			time.Sleep(hpaPeriod)
			synctest.Wait()
			silent := metrics.silent()
			load := metrics.loads[int(metrics.now()/hpaPeriod)]
			if silent > silence+hpaPeriod {
				require.GreaterOrEqual(t, replicas, before, "no pod is removed while there is no forecast")
			} else if silent == 0 {
				fewest = min(fewest, float64(replicas)/(load/1000))
			}
			if silent < silence+hpaPeriod {
				continue
			}
			checked++
			if replicas > before {
				raised++
			}
			document := min(int32(math.Ceil(load/700)), maxPods)
			require.GreaterOrEqual(t, replicas, min(document, max(2*before, before+4)), "%s of silence, a load of %.1f pods", silent, load/1000)
		}
		require.Greater(t, checked, 100)
		require.Greater(t, raised, 3)
		require.Less(t, fewest, 1/0.8, "with a forecast there are fewer pods than at the document's target")
		cancel()
		factory.Shutdown()
		synctest.Wait()
	})
}
