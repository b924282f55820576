package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/load"
)

const (
	// baseShare is the load before a step, and stepShare is the load after the step. Both are
	// shares of the target of all pods.
	baseShare, stepShare = 0.25, 3
	// tolerance is the share by which a metric must exceed its target before an HPA adds pods
	// (Kubernetes' --horizontal-pod-autoscaler-tolerance).
	tolerance = 0.1
	// pollInterval is the interval between two readings of the cluster. stepLimit is the longest
	// duration of a step.
	pollInterval, stepLimit = 200 * time.Millisecond, 4 * time.Minute
	// hpaPeriod is the period of the HPA's decisions (Kubernetes'
	// --horizontal-pod-autoscaler-sync-period).
	hpaPeriod = 15 * time.Second
	// maxResets is how often reset tries to return a service to its minimum before a step. If the
	// service still has more pods after that, the measurement fails.
	maxResets = 3
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

// stepTimes has the times from the increase of the load to the end of each stage of the reaction. The
// stage metric ends when the metric is above its target. The stage decision ends when the Deployment
// has more pods. The stage schedule ends when a new pod has a node. The stage start ends when the new
// pod is ready.
type stepTimes struct{ metric, decision, schedule, start time.Duration }

func (t stepTimes) String() string {
	return fmt.Sprintf("metric %s, decision %s, schedule %s, ready %s", formatSeconds(t.metric), formatSeconds(t.decision), formatSeconds(t.schedule), formatSeconds(t.start))
}

// result is the measurement of one service.
type result struct {
	service string
	steps   []stepTimes
	// changes is how often the number of pods changed under a steady load. changesCounted is false if
	// the measurement ended before that.
	changes        int
	changesCounted bool
	// sent and failed are the numbers of requests of all loads.
	sent, failed int
}

// measure repeats the step of the load for stepsDuration. Then it counts how often the number of pods
// changes under a steady load for steadyDuration.
func (s *service) measure(ctx context.Context, stepsDuration, steadyDuration time.Duration) (r result, err error) {
	r.service = s.profile.ShortName
	minPods, maxPods, err := s.readBounds(ctx)
	if err != nil {
		return r, err
	}
	if maxPods <= minPods {
		return r, fmt.Errorf("%s: minimum and maximum are %d: no pod can be added", r.service, minPods)
	}
	defer func() { err = errors.Join(err, s.resume(context.WithoutCancel(ctx))) }()
	addRequests := func(l load.Result) {
		r.sent += l.Sent()
		r.failed += l.Failed.Total()
		if l.Failed.Total() > 0 {
			fmt.Fprintf(os.Stderr, "%s: failed: %s\n", r.service, l.Failed)
		}
	}
	target := s.targetRate() * float64(minPods)
	stopBase := s.startLoad(ctx, baseShare*target)
	for end := time.Now().Add(stepsDuration); time.Now().Before(end); {
		if err := s.reset(ctx, minPods); err != nil {
			return r, err
		}
		if err := sleep(ctx, phase(len(r.steps))); err != nil {
			return r, err
		}
		stopStep := s.startLoad(ctx, (stepShare-baseShare)*target)
		times, err := s.measureStep(ctx, minPods)
		addRequests(stopStep())
		if err != nil {
			return r, err
		}
		r.steps = append(r.steps, times)
		fmt.Fprintf(os.Stderr, "%s: %s\n", r.service, times)
	}
	// The load of one and a half pods needs two pods all the time.
	stopSteady := s.startLoad(ctx, (1.5-baseShare)*target)
	if r.changes, err = s.countChanges(ctx, s.settleTime(), steadyDuration); err != nil {
		return r, err
	}
	r.changesCounted = true
	addRequests(stopSteady())
	addRequests(stopBase())
	return r, nil
}

// targetRate returns the requests per second that one pod has at the target of its metric.
func (s *service) targetRate() float64 {
	per := s.metric.Source.(scaling.Rate).Per
	return s.metric.AverageValue.AsApproximateFloat64() / per.Seconds()
}

// startLoad sends requests in the background until the returned function is called.
func (s *service) startLoad(ctx context.Context, perSecond float64) (stop func() load.Result) {
	ctx, cancel := context.WithCancel(ctx)
	stream, end := s.client.NewStream(requests[s.profile.ShortName], load.Shape{Connections: connections, PerSecond: perSecond, Duration: maxDuration})
	done := make(chan load.Result, 1)
	go func() { done <- stream.Run(ctx) }()
	return func() load.Result {
		cancel()
		defer end()
		return <-done
	}
}

// measureStep waits for the end of each stage after a step of the load, and returns the times.
func (s *service) measureStep(ctx context.Context, minPods int32) (times stepTimes, err error) {
	start := time.Now()
	oldPods := map[string]bool{}
	err = s.waitUntil(ctx, func(current state) bool {
		elapsed := time.Since(start)
		setOnce := func(stage *time.Duration, reached bool) {
			if reached && *stage == 0 {
				*stage = elapsed
			}
		}
		// The metric is read only until it is above its target, because a query costs CPU time.
		if times.metric == 0 && times.decision == 0 {
			setOnce(&times.metric, s.readDemand(ctx) > (1+tolerance)*s.metric.AverageValue.AsApproximateFloat64()*float64(minPods))
		}
		setOnce(&times.decision, current.desired > minPods)
		scheduled, ready := false, false
		for name, pod := range current.pods {
			if times.decision == 0 {
				oldPods[name] = true
			}
			scheduled = scheduled || !oldPods[name] && pod.scheduled
			ready = ready || !oldPods[name] && pod.ready
		}
		setOnce(&times.schedule, scheduled)
		setOnce(&times.start, ready)
		return ready
	})
	if times.metric == 0 { // the HPA decided before the query ran
		times.metric = times.decision
	}
	if err != nil {
		return times, fmt.Errorf("%s: %s: %w", s.profile.ShortName, times, err)
	}
	return times, nil
}

// countChanges counts how often the number of pods of the Deployment changes. It begins to count when
// the service has settled and a new pod has had 30 s to start.
func (s *service) countChanges(ctx context.Context, settle, duration time.Duration) (n int, err error) {
	// The load has just increased, so the HPA may add a pod. A new pod starts within 30 s.
	if err := sleep(ctx, settle+30*time.Second); err != nil {
		return 0, err
	}
	var last int32
	for end := time.Now().Add(duration); time.Now().Before(end); {
		current, err := s.readState(ctx)
		if err != nil {
			return n, err
		}
		if last != 0 && current.desired != last {
			n++
		}
		last = current.desired
		if err := sleep(ctx, time.Second); err != nil {
			return n, err
		}
	}
	return n, nil
}

// state is the state of a service in the cluster.
type state struct {
	desired int32
	pods    map[string]pod
}

// pod is the state of one pod.
type pod struct{ scheduled, ready bool }

// waitUntil reads the state of the service until done returns true, at most for stepLimit.
func (s *service) waitUntil(ctx context.Context, done func(state) bool) error {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	for {
		current, err := s.readState(ctx)
		if err != nil {
			return err
		}
		if done(current) {
			return nil
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return err
		}
	}
}

// readState reads the desired number of pods and the existing pods of the service.
func (s *service) readState(ctx context.Context) (current state, err error) {
	d, err := s.clients.Kubernetes.AppsV1().Deployments(s.namespace).Get(ctx, s.profile.Name, metav1.GetOptions{})
	if err != nil {
		return current, err
	}
	list, err := s.clients.Kubernetes.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + s.profile.Name})
	if err != nil {
		return current, err
	}
	if d.Spec.Replicas != nil {
		current.desired = *d.Spec.Replicas
	}
	current.pods = map[string]pod{}
	for _, p := range list.Items {
		current.pods[p.Name] = pod{p.Spec.NodeName != "", kubeclient.IsReady(p)}
	}
	return current, nil
}

// readDemand returns the value that KEDA reads. It returns 0 while Prometheus has no value.
func (s *service) readDemand(ctx context.Context) float64 {
	value, _, _ := s.clients.Prometheus(s.namespace).QueryValue(ctx, promquery.Demand(s.profile, s.metric), time.Time{})
	return value
}

// scaledObjectPath returns the path of the service's ScaledObject in the API server.
func (s *service) scaledObjectPath() string {
	return fmt.Sprintf("/apis/keda.sh/v1alpha1/namespaces/%s/scaledobjects/%s", s.namespace, s.profile.Name)
}

// readBounds returns the minimum and the maximum of the ScaledObject.
func (s *service) readBounds(ctx context.Context) (minPods, maxPods int32, err error) {
	raw, err := s.clients.Kubernetes.CoreV1().RESTClient().Get().AbsPath(s.scaledObjectPath()).DoRaw(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", s.profile.ShortName, err)
	}
	var o struct {
		Spec struct{ MinReplicaCount, MaxReplicaCount int32 }
	}
	err = json.Unmarshal(raw, &o)
	return o.Spec.MinReplicaCount, o.Spec.MaxReplicaCount, err
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
