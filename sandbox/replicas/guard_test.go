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
	// staleAfter is how long Prometheus returns the last forecast after the forecaster was
	// killed. After that the query of the forecast has no value, and the query of the guard
	// has one (components/scaling/promquery).
	staleAfter = 60 * time.Second
	// outage is how long the forecaster does not run at the end of each hour.
	outage = 10 * time.Minute
	// fallbackFailures is the number of failed queries after which KEDA's fallback keeps the
	// current number of pods.
	fallbackFailures = 3
)

// guardedMetrics has the three external metrics of a service with a forecast. They are the
// forecast, the floor at 95 % of a pod's capacity, and the guard at 70 %, which is the
// target of the design document.
type guardedMetrics struct {
	cluster
	begin    time.Time
	loads    []float64 // in thousandths of a pod, one for each period of the HPA
	replicas *int32
}

func (g *guardedMetrics) elapsed() time.Duration { return time.Since(g.begin) }

// outageSoFar returns how long the current outage has lasted, or 0 without an outage.
func (g *guardedMetrics) outageSoFar() time.Duration {
	return max(0, g.elapsed()%time.Hour-(time.Hour-outage))
}

// GetExternalMetric returns a metric as KEDA does. In an outage the forecast has three
// phases: the last value in Prometheus, errors because the query has no value, and then
// KEDA's fallback.
func (g *guardedMetrics) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	step := min(int(g.elapsed()/hpaPeriod), len(g.loads)-1)
	load, downtime := g.loads[step], g.outageSoFar()
	switch {
	case strings.HasSuffix(name, "forecast_pods"):
		switch {
		case downtime < staleAfter: // the last forecast before the outage, for pods with a load of 90 %
			last := g.loads[max(step-int(downtime/hpaPeriod), 0)]
			return []int64{int64(last / 0.9)}, time.Now(), nil
		case downtime < staleAfter+fallbackFailures*hpaPeriod: // the trigger has ignoreNullValues "false"
			return nil, time.Time{}, errors.New("the query has no value")
		}
		return []int64{1000 * int64(*g.replicas)}, time.Now(), nil // KEDA's fallback
	case strings.HasSuffix(name, "guard") && downtime < staleAfter: // the query has no value, which counts as 0
		return []int64{0}, time.Now(), nil
	}
	return []int64{int64(load)}, time.Now(), nil
}

// TestHPAKeepsTheDocumentsTargetDuringAForecasterOutage runs Kubernetes' own HPA controller for
// four hours, with the metrics of a ScaledObject that has a forecast. All metrics are queries
// of Prometheus. The forecaster does not run for ten minutes of each hour.
//
// The checks start one period of the HPA after the last forecast is stale. From then on, no pod
// may be removed. There must be at least as many pods as at the design document's target, or as
// many as the policies for ScaleUp allow.
func TestHPAKeepsTheDocumentsTargetDuringAForecasterOutage(t *testing.T) {
	// The error handlers limit their rate with a clock that synctest does not control.
	handlers := utilruntime.ErrorHandlers
	utilruntime.ErrorHandlers = nil
	t.Cleanup(func() { utilruntime.ErrorHandlers = handlers })
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		minReplicas, replicas := int32(3), int32(6)
		rng := rand.New(rand.NewPCG(5, 2))
		metrics := &guardedMetrics{begin: time.Now(), replicas: &replicas}
		for load := 10_000.0; len(metrics.loads) < syncsPerCase+8; { // more than the test needs: it makes 2/3 of syncsPerCase syncs
			load = min(max(load*math.Exp(0.08*rng.NormFloat64()), 1000), 32_000)
			metrics.loads = append(metrics.loads, load)
		}
		newExternalMetric := func(name, target string) autoscaling.MetricSpec {
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
				MinReplicas:    &minReplicas, MaxReplicas: maxPods,
				Metrics: []autoscaling.MetricSpec{newExternalMetric("s0-forecast_pods", "1"), newExternalMetric("s1-floor", "950m"), newExternalMetric("s2-guard", "700m")},
				Behavior: &autoscaling.HorizontalPodAutoscalerBehavior{
					ScaleUp: newScalingRules(0, autoscaling.MaxChangePolicySelect, "0",
						newScalingPolicy(autoscaling.PercentScalingPolicy, 100, 15), newScalingPolicy(autoscaling.PodsScalingPolicy, 4, 15)),
					ScaleDown: newScalingRules(60, autoscaling.MaxChangePolicySelect, "0", newScalingPolicy(autoscaling.PercentScalingPolicy, 100, 15)),
				},
			},
		}
		scales := newScaleClient(&replicas)
		client := fake.NewClientset(hpa)
		factory := informers.NewSharedInformerFactory(client, 0)
		// The durations and the tolerance are the defaults of the controller manager.
		controller := podautoscaler.NewHorizontalController(ctx, client.CoreV1(), scales, client.AutoscalingV2(),
			testrestmapper.TestOnlyStaticRESTMapper(legacyscheme.Scheme), metrics,
			factory.Autoscaling().V2().HorizontalPodAutoscalers(), factory.Core().V1().Pods(),
			hpaPeriod, 5*time.Minute, 0.1, 5*time.Minute, 30*time.Second)
		factory.Start(ctx.Done())
		go controller.Run(ctx, 1)

		checked, scaleUps := 0, 0
		fewestPodsPerLoad := math.Inf(1) // while the forecaster runs
		for range syncsPerCase * 2 / 3 { // four of the six hours of syncs
			replicasBefore := replicas
			time.Sleep(hpaPeriod)
			synctest.Wait()
			downtime := metrics.outageSoFar()
			load := metrics.loads[int(metrics.elapsed()/hpaPeriod)]
			if downtime > staleAfter+hpaPeriod {
				require.GreaterOrEqual(t, replicas, replicasBefore, "no pod is removed while there is no forecast")
			} else if downtime == 0 {
				fewestPodsPerLoad = min(fewestPodsPerLoad, float64(replicas)/(load/1000))
			}
			if downtime < staleAfter+hpaPeriod {
				continue
			}
			checked++
			if replicas > replicasBefore {
				scaleUps++
			}
			documentReplicas := min(int32(math.Ceil(load/700)), maxPods)
			maxReplicas := max(2*replicasBefore, replicasBefore+4) // ScaleUp allows 100 % or four more pods in a period
			require.GreaterOrEqual(t, replicas, min(documentReplicas, maxReplicas), "an outage of %s, a load of %.1f pods", downtime, load/1000)
		}
		require.Greater(t, checked, 100)
		require.Greater(t, scaleUps, 3)
		require.Less(t, fewestPodsPerLoad, 1/0.8, "with a forecast there are fewer pods than at the document's target")
		cancel()
		factory.Shutdown()
		synctest.Wait()
	})
}
