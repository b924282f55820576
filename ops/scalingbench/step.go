package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/load"
)

const (
	// The load before and after a step, as a share of the target of all pods.
	before, after = 0.25, 3
	// tolerance is the share by which a metric must exceed its target before an HPA adds pods
	// (Kubernetes' --horizontal-pod-autoscaler-tolerance).
	tolerance = 0.1
	// poll is the interval between two readings of the cluster. stepLimit is the longest duration
	// of a step.
	poll, stepLimit = 200 * time.Millisecond, 4 * time.Minute
	// resets is how often a service is returned to its minimum before a step. If it still has more
	// pods, measuring it fails.
	resets = 3
	// connections is the number of connections of each stream. streams is the number of streams
	// of a service that run at a time.
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

// parts has the time from the step to the end of each part: the metric is above its target, the
// Deployment has more pods, a new pod has a node, the new pod is ready.
type parts struct{ metric, decision, schedule, start time.Duration }

func (p parts) String() string {
	return fmt.Sprintf("metric %s, decision %s, schedule %s, ready %s", seconds(p.metric), seconds(p.decision), seconds(p.schedule), seconds(p.start))
}

// result is the measurement of one service.
type result struct {
	service string
	steps   []parts
	// changes is how often the number of pods changed under a steady load. watched says that this
	// was measured.
	changes int
	watched bool
	// sent and failed are the numbers of requests of all loads.
	sent, failed int
}

// measure repeats the step until the time is over. Then it counts how often the number of pods
// changes under a steady load.
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
	// The load of one and a half pods needs two pods all the time.
	more := s.start(ctx, (1.5-before)*target)
	if r.changes, err = s.changes(ctx, s.settle(), steady); err != nil {
		return r, err
	}
	r.watched = true
	count(more())
	count(base())
	return r, nil
}

// perSecond returns the load for which one pod is meant.
func (s *service) perSecond() float64 {
	per := s.metric.Source.(scaling.Rate).Per
	return s.metric.AverageValue.AsApproximateFloat64() / per.Seconds()
}

// start sends requests in the background until the returned function is called.
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

// settle returns how long after a change the metric and the HPA still depend on the time before it.
func (s *service) settle() time.Duration {
	settle := s.profile.HPA.Window()
	if up := s.profile.HPA.ScaleUp; up != nil {
		settle = max(settle, up.StabilizationWindow)
	}
	return settle + 20*time.Second // a scrape and a period of the HPA
}

// reset returns the service to its minimum. It waits until the metric and the HPA depend on the
// current load only.
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
		// KEDA changes the HPA, which then decides once. If it already requests more pods, its
		// metrics are not those of the load, for example after a restart of Prometheus.
		if err := wait(ctx, 20*time.Second); err != nil {
			return err
		}
		if now, err := s.read(ctx); err != nil || now.wanted == least {
			return err
		}
	}
	return fmt.Errorf("%s: a quarter of a pod's load needs more than %d pods, %d times: something else loads it", s.profile.Short, least, resets)
}

// step waits for the end of each part.
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
		// The metric is read only until it is above its target, because a query costs CPU time.
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
	if p.metric == 0 { // the HPA decided before the query ran
		p.metric = p.decision
	}
	if err != nil {
		return p, fmt.Errorf("%s: %s: %w", s.profile.Short, p, err)
	}
	return p, nil
}

// changes counts how often the number of pods of the Deployment changes. It begins after the settle
// time.
func (s *service) changes(ctx context.Context, settle, during time.Duration) (n int, err error) {
	// The load has just increased, so the HPA may add a pod. The 30 s are for its start.
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

// state is the state of a service in the cluster.
type state struct {
	wanted int32
	pods   map[string]pod
}

type pod struct{ scheduled, ready bool }

// until reads the cluster until done returns true.
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

// demand returns the value that KEDA reads. It is 0, below any target, while Prometheus has none.
func (s *service) demand(ctx context.Context) float64 {
	value, _, _ := s.clients.Prometheus(s.namespace).Value(ctx, promquery.Demand(s.profile, s.metric), time.Time{})
	return value
}

// scaledObject returns the path of the service's ScaledObject in the API server.
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
