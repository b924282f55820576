package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/load"
)

const (
	// The load before a step and after it, as a share of the target of the pods.
	before, after = 0.25, 3
	// tolerance is the share by which a metric must be above its target (Kubernetes'
	// --horizontal-pod-autoscaler-tolerance).
	tolerance = 0.1
	// poll is how often the cluster is read, and stepLimit how long a step may take.
	poll, stepLimit = 200 * time.Millisecond, 4 * time.Minute
	// resets is how often a service is taken back to its minimum before a step.
	resets = 3
	// connections are those of each stream, and streams is how many streams of a service run
	// at a time.
	connections, streams = 16, 2
)

// service is a service under load.
type service struct {
	profile   scaling.Profile
	metric    scaling.PodsMetric
	clients   kubeclient.Clients
	namespace string
	client    *load.Client
}

// parts are when each part of a step ended, since the step: the metric is above its
// target, the Deployment wants more pods, a new pod has a node, it is ready.
type parts struct{ metric, decision, schedule, start time.Duration }

func (p parts) String() string {
	return fmt.Sprintf("metric %s, decision %s, schedule %s, ready %s", seconds(p.metric), seconds(p.decision), seconds(p.schedule), seconds(p.start))
}

// result is what was measured of a service.
type result struct {
	service string
	steps   []parts
	// changes of the number of pods under a steady load; watched: it was watched.
	changes int
	watched bool
	// sent and failed are the requests of all loads.
	sent, failed int
}

// measure repeats the step until the time is over, then counts the changes of the number
// of pods under a steady load.
func (s *service) measure(ctx context.Context, steps, steady time.Duration) (r result, err error) {
	r.service = s.profile.Short
	least, most, err := s.bounds(ctx)
	if err != nil {
		return r, err
	}
	if most <= least {
		return r, fmt.Errorf("%s: minimum and maximum are %d: no pod can be added", r.service, least)
	}
	defer func() { err = errors.Join(err, s.setMaximum(context.WithoutCancel(ctx), most)) }()
	count := func(l load.Result) {
		r.sent += l.Sent()
		r.failed += l.Failed.Total()
		if l.Failed.Total() > 0 {
			fmt.Fprintf(os.Stderr, "%s: failed: %s\n", r.service, l.Failed)
		}
	}
	target := s.perSecond() * float64(least)
	base := s.start(ctx, before*target)
	for end := time.Now().Add(steps); time.Now().Before(end); {
		if err := s.reset(ctx, least, most); err != nil {
			return r, err
		}
		step := s.start(ctx, (after-before)*target)
		p, err := s.step(ctx, least)
		count(step())
		if err != nil {
			return r, err
		}
		r.steps = append(r.steps, p)
		fmt.Fprintf(os.Stderr, "%s: %s\n", r.service, p)
	}
	// One and a half pods' load needs two pods, and stays.
	more := s.start(ctx, (1.5-before)*target)
	if r.changes, err = s.changes(ctx, s.settle(), steady); err != nil {
		return r, err
	}
	r.watched = true
	count(more())
	count(base())
	return r, nil
}

// perSecond is the load that one pod is meant for.
func (s *service) perSecond() float64 {
	per := s.metric.Source.(scaling.Rate).Per
	return s.metric.AverageValue.AsApproximateFloat64() / per.Seconds()
}

// start sends requests until the returned function is called.
func (s *service) start(ctx context.Context, perSecond float64) (stop func() load.Result) {
	ctx, cancel := context.WithCancel(ctx)
	stream, end := s.client.Stream(requests[s.profile.Short], load.Shape{Connections: connections, PerSecond: perSecond, Duration: maxDuration})
	done := make(chan load.Result, 1)
	go func() { done <- stream.Run(ctx) }()
	return func() load.Result {
		cancel()
		defer end()
		return <-done
	}
}

// settle is how long after a change the metric and the HPA need until they show only
// what came after it.
func (s *service) settle() time.Duration {
	settle := s.profile.HPA.Window()
	if up := s.profile.HPA.ScaleUp; up != nil {
		settle = max(settle, up.StabilizationWindow)
	}
	return settle + 20*time.Second // a scrape and a turn of the HPA
}

// reset takes the service back to its minimum, and waits until its load is all that its
// metric and its HPA show.
func (s *service) reset(ctx context.Context, least, most int32) error {
	for range resets {
		if err := s.setMaximum(ctx, least); err != nil {
			return err
		}
		if err := s.until(ctx, func(now state) bool { return now.wanted == least }); err != nil {
			return fmt.Errorf("%s: back to %d pods: %w", s.profile.Short, least, err)
		}
		if err := wait(ctx, s.settle()); err != nil {
			return err
		}
		if err := s.setMaximum(ctx, most); err != nil {
			return err
		}
		// KEDA changes the HPA, which then has a turn. If it wants more pods already, its
		// metrics are not those of the load, as after a restart of Prometheus.
		if err := wait(ctx, 20*time.Second); err != nil {
			return err
		}
		if now, err := s.read(ctx); err != nil || now.wanted == least {
			return err
		}
	}
	return fmt.Errorf("%s: a quarter of a pod's load needs more than %d pods, %d times: something else loads it", s.profile.Short, least, resets)
}

// step waits for each part.
func (s *service) step(ctx context.Context, least int32) (p parts, err error) {
	began := time.Now()
	old := map[string]bool{}
	err = s.until(ctx, func(now state) bool {
		elapsed := time.Since(began)
		first := func(part *time.Duration, reached bool) {
			if reached && *part == 0 {
				*part = elapsed
			}
		}
		// A metric is read only until it is above the target: a query costs CPU time.
		if p.metric == 0 && p.decision == 0 {
			first(&p.metric, s.demand(ctx) > (1+tolerance)*s.metric.AverageValue.AsApproximateFloat64()*float64(least))
		}
		first(&p.decision, now.wanted > least)
		scheduled, ready := false, false
		for name, pod := range now.pods {
			if p.decision == 0 {
				old[name] = true
			}
			scheduled = scheduled || !old[name] && pod.scheduled
			ready = ready || !old[name] && pod.ready
		}
		first(&p.schedule, scheduled)
		first(&p.start, ready)
		return ready
	})
	if p.metric == 0 { // the HPA was faster than the query
		p.metric = p.decision
	}
	if err != nil {
		return p, fmt.Errorf("%s: %s: %w", s.profile.Short, p, err)
	}
	return p, nil
}

// changes counts how often the Deployment gets another number of pods, after settling.
func (s *service) changes(ctx context.Context, settle, during time.Duration) (n int, err error) {
	// A second pod may be the first new one, and its start takes a while.
	if err := wait(ctx, settle+30*time.Second); err != nil {
		return 0, err
	}
	var last int32
	for end := time.Now().Add(during); time.Now().Before(end); {
		now, err := s.read(ctx)
		if err != nil {
			return n, err
		}
		if last != 0 && now.wanted != last {
			n++
		}
		last = now.wanted
		if err := wait(ctx, time.Second); err != nil {
			return n, err
		}
	}
	return n, nil
}

// state is what the cluster says about a service.
type state struct {
	wanted int32
	pods   map[string]pod
}

type pod struct{ scheduled, ready bool }

// until reads the cluster until done.
func (s *service) until(ctx context.Context, done func(state) bool) error {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	for {
		now, err := s.read(ctx)
		if err != nil {
			return err
		}
		if done(now) {
			return nil
		}
		if err := wait(ctx, poll); err != nil {
			return err
		}
	}
}

func (s *service) read(ctx context.Context) (now state, err error) {
	d, err := s.clients.Kubernetes.AppsV1().Deployments(s.namespace).Get(ctx, s.profile.Name, metav1.GetOptions{})
	if err != nil {
		return now, err
	}
	list, err := s.clients.Kubernetes.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + s.profile.Name})
	if err != nil {
		return now, err
	}
	if d.Spec.Replicas != nil {
		now.wanted = *d.Spec.Replicas
	}
	now.pods = map[string]pod{}
	for _, p := range list.Items {
		now.pods[p.Name] = pod{p.Spec.NodeName != "", kubeclient.Ready(p)}
	}
	return now, nil
}

// demand is the value that KEDA reads; 0: it has none.
func (s *service) demand(ctx context.Context) float64 {
	raw, err := s.clients.Prometheus(ctx, s.namespace+"-prometheus", "query", url.Values{"query": {promquery.Demand(s.profile, s.metric)}})
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err != nil || json.Unmarshal(raw, &answer) != nil || len(answer.Data.Result) == 0 {
		return 0
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	value, _ := strconv.ParseFloat(text, 64) // 0 is below any target
	return value
}

// scaledObject is the path of the ScaledObject of the service.
func (s *service) scaledObject() string {
	return fmt.Sprintf("/apis/keda.sh/v1alpha1/namespaces/%s/scaledobjects/%s", s.namespace, s.profile.Name)
}

func (s *service) bounds(ctx context.Context) (least, most int32, err error) {
	raw, err := s.clients.Kubernetes.CoreV1().RESTClient().Get().AbsPath(s.scaledObject()).DoRaw(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", s.profile.Short, err)
	}
	var o struct {
		Spec struct{ MinReplicaCount, MaxReplicaCount int32 }
	}
	err = json.Unmarshal(raw, &o)
	return o.Spec.MinReplicaCount, o.Spec.MaxReplicaCount, err
}

func (s *service) setMaximum(ctx context.Context, most int32) error {
	err := s.clients.Kubernetes.CoreV1().RESTClient().Patch(types.MergePatchType).AbsPath(s.scaledObject()).
		Body(fmt.Appendf(nil, `{"spec":{"maxReplicaCount":%d}}`, most)).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("%s: maximum of the ScaledObject: %w", s.profile.Short, err)
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
