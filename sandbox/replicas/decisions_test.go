package replicas

import (
	"context"
	"encoding/csv"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/meta/testrestmapper"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
)

var update = flag.Bool("update", false, "write the recorded decisions of Kubernetes' HPA controller")

// recordingPath is the path of the file with the recorded decisions. The tests of forecast/autoscale read it.
const recordingPath = "../../forecast/autoscale/testdata/kubernetes.csv"

// syncsPerCase is the number of decisions of each case: four a minute in six hours.
const syncsPerCase = 6 * 60 * 4

// randomLoad is an external metric with a random load. The load changes by noise and jumps.
// Each time the HPA controller reads the metric, randomLoad records a row: the load and the
// current number of pods, which is the last decision.
type randomLoad struct {
	cluster
	rng      *rand.Rand
	begin    time.Time
	load     float64 // in thousandths of a pod
	replicas func() int32
	rows     *[][]string
	name     string
}

// GetExternalMetric changes the load at random, records a row, and returns the load.
func (l *randomLoad) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	l.load *= math.Exp(0.05 * l.rng.NormFloat64())
	switch l.rng.IntN(60) {
	case 0:
		l.load *= 1 + 2*l.rng.Float64()
	case 1:
		l.load /= 1 + 2*l.rng.Float64()
	case 2:
		l.load = 45_000 * l.rng.Float64()
	}
	l.load = min(max(l.load, 500), 60_000)
	milli := int64(l.load)
	*l.rows = append(*l.rows, []string{
		l.name, strconv.FormatInt(int64(time.Since(l.begin).Seconds()), 10),
		strconv.FormatInt(milli, 10), strconv.Itoa(int(l.replicas())),
	})
	return []int64{milli}, time.Now(), nil
}

// newScalingRules returns the scaling rules of an HPA for one direction. window is in seconds.
// An empty tolerance means the default.
func newScalingRules(window int32, selectPolicy autoscaling.ScalingPolicySelect, tolerance string, policies ...autoscaling.HPAScalingPolicy) *autoscaling.HPAScalingRules {
	rules := &autoscaling.HPAScalingRules{StabilizationWindowSeconds: &window, SelectPolicy: &selectPolicy, Policies: policies}
	if tolerance != "" {
		quantity := resource.MustParse(tolerance)
		rules.Tolerance = &quantity
	}
	return rules
}

func newScalingPolicy(kind autoscaling.HPAScalingPolicyType, value, seconds int32) autoscaling.HPAScalingPolicy {
	return autoscaling.HPAScalingPolicy{Type: kind, Value: value, PeriodSeconds: seconds}
}

// recordDecisions runs Kubernetes' own HPA controller for six hours of a fake clock, and adds
// its decisions to rows.
func recordDecisions(t *testing.T, name string, seed uint64, target string, up, down *autoscaling.HPAScalingRules, rows *[][]string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		minReplicas, average := int32(3), resource.MustParse(target)
		hpa := &autoscaling.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace},
			Spec: autoscaling.HorizontalPodAutoscalerSpec{
				ScaleTargetRef: autoscaling.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
				MinReplicas:    &minReplicas, MaxReplicas: maxPods,
				Metrics: []autoscaling.MetricSpec{{
					Type: autoscaling.ExternalMetricSourceType,
					External: &autoscaling.ExternalMetricSource{
						Metric: autoscaling.MetricIdentifier{Name: "load"},
						Target: autoscaling.MetricTarget{Type: autoscaling.AverageValueMetricType, AverageValue: &average},
					},
				}},
				Behavior: &autoscaling.HorizontalPodAutoscalerBehavior{ScaleUp: up, ScaleDown: down},
			},
		}
		replicas := int32(6)
		scales := newScaleClient(&replicas)
		client := fake.NewClientset(hpa)
		factory := informers.NewSharedInformerFactory(client, 0)
		metrics := &randomLoad{
			rng: rand.New(rand.NewPCG(seed, 1)), begin: time.Now(), load: 10_000, name: name, rows: rows,
			replicas: func() int32 { return replicas },
		}
		// The durations and the tolerance are the defaults of the controller manager.
		controller := podautoscaler.NewHorizontalController(ctx, client.CoreV1(), scales, client.AutoscalingV2(),
			testrestmapper.TestOnlyStaticRESTMapper(legacyscheme.Scheme), metrics,
			factory.Autoscaling().V2().HorizontalPodAutoscalers(), factory.Core().V1().Pods(),
			hpaPeriod, 5*time.Minute, 0.1, 5*time.Minute, 30*time.Second)
		factory.Start(ctx.Done())
		go controller.Run(ctx, 1)
		rowsBefore := len(*rows)
		time.Sleep(syncsPerCase*hpaPeriod + 10*time.Second)
		cancel()
		factory.Shutdown()
		synctest.Wait()
		require.Len(t, (*rows)[rowsBefore:], syncsPerCase)
	})
}

// TestDecisionsMatchKubernetes in forecast/autoscale tests the platform's model of the HPA with
// the recorded decisions. So the recording must be equal to the decisions of the pinned version
// of Kubernetes.
func TestRecordedDecisionsAreThoseOfKubernetes(t *testing.T) {
	rows := [][]string{{"case", "second", "load_milli", "replicas"}}
	recordDecisions(t, "document", 1, "700m",
		newScalingRules(60, autoscaling.MaxChangePolicySelect, "", newScalingPolicy(autoscaling.PercentScalingPolicy, 50, 60), newScalingPolicy(autoscaling.PodsScalingPolicy, 5, 60)),
		newScalingRules(300, autoscaling.MinChangePolicySelect, "", newScalingPolicy(autoscaling.PercentScalingPolicy, 10, 60), newScalingPolicy(autoscaling.PodsScalingPolicy, 2, 60)), &rows)
	// These rules are those of a service with a forecast.
	fastUp := []autoscaling.HPAScalingPolicy{newScalingPolicy(autoscaling.PercentScalingPolicy, 100, 15), newScalingPolicy(autoscaling.PodsScalingPolicy, 4, 15)}
	fastDown := newScalingPolicy(autoscaling.PercentScalingPolicy, 100, 15)
	for _, c := range []struct{ name, tolerance string }{{"fast", ""}, {"fast without tolerance", "0"}} {
		recordDecisions(t, c.name, 2, "1",
			newScalingRules(0, autoscaling.MaxChangePolicySelect, c.tolerance, fastUp...),
			newScalingRules(60, autoscaling.MaxChangePolicySelect, c.tolerance, fastDown), &rows)
	}
	var csvText strings.Builder
	require.NoError(t, csv.NewWriter(&csvText).WriteAll(rows))
	if *update {
		require.NoError(t, os.WriteFile(recordingPath, []byte(csvText.String()), 0o644))
	}
	want, err := os.ReadFile(recordingPath)
	require.NoError(t, err)
	require.Equal(t, string(want), csvText.String(), "the decisions of the controller have changed: run go -C sandbox test ./replicas -update")
}

// newScaleClient returns a scale client for the Deployment web. replicas is its number of
// replicas, which an update changes.
func newScaleClient(replicas *int32) *scalefake.FakeScaleClient {
	scales := &scalefake.FakeScaleClient{}
	scales.AddReactor("get", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace},
			Spec:       autoscalingv1.ScaleSpec{Replicas: *replicas},
			Status:     autoscalingv1.ScaleStatus{Replicas: *replicas, Selector: "app=web"},
		}, nil
	})
	scales.AddReactor("update", "deployments", func(a clienttesting.Action) (bool, runtime.Object, error) {
		scale := a.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
		*replicas = scale.Spec.Replicas
		return true, scale, nil
	})
	return scales
}
