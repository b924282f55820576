package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/progressive-framework/platform/components/scaling"
)

// settleTime returns how long after a change of the load the metric and the HPA still depend on
// the earlier load.
func (s *service) settleTime() time.Duration {
	settle := s.profile.HPA.Window()
	if up := s.profile.HPA.ScaleUp; up != nil {
		settle = max(settle, up.StabilizationWindow)
	}
	return settle + scaling.ScrapeInterval + hpaPeriod
}

// reset returns the service to its minimum. It waits until the metric and the HPA depend on the
// current load only.
func (s *service) reset(ctx context.Context, minPods int32) error {
	for range maxResets {
		if err := s.pause(ctx, minPods); err != nil {
			return err
		}
		if err := s.waitUntil(ctx, func(current state) bool { return current.desired == minPods }); err != nil {
			return fmt.Errorf("%s: back to %d pods: %w", s.profile.ShortName, minPods, err)
		}
		if err := sleep(ctx, s.profile.HPA.Window()); err != nil {
			return err
		}
		if err := s.resume(ctx); err != nil {
			return err
		}
		if err := sleep(ctx, s.settleTime()); err != nil {
			return err
		}
		// If the new HPA already requests more pods than the minimum, its metrics do not show the
		// current load, for example after a restart of Prometheus.
		if current, err := s.readState(ctx); err != nil || current.desired == minPods {
			return err
		}
	}
	return fmt.Errorf("%s: a quarter of a pod's load needs more than %d pods, %d times: something else loads it", s.profile.ShortName, minPods, maxResets)
}

// phase returns how long a step waits after the reset. The reset creates a new HPA, which decides every
// 15 s. Without the wait, all steps would begin at the same time of this period, and the measured times
// would depend on that time. The multiples of the golden ratio distribute the steps evenly.
func phase(step int) time.Duration {
	_, fraction := math.Modf(float64(step) * math.Phi)
	return time.Duration(fraction * float64(hpaPeriod))
}

// pause makes KEDA delete the HPA and set the number of pods. Only a new HPA has no history: an HPA
// without a scaling behaviour returns to the highest number of the last five minutes, even if its
// maximum was lower in the meantime.
func (s *service) pause(ctx context.Context, pods int32) error {
	return s.annotatePaused(ctx, fmt.Sprintf("%q", fmt.Sprint(pods)))
}

// resume makes KEDA create the HPA again.
func (s *service) resume(ctx context.Context) error { return s.annotatePaused(ctx, "null") }

// annotatePaused sets the annotation of the ScaledObject that pauses its scaling. value is JSON.
func (s *service) annotatePaused(ctx context.Context, value string) error {
	err := s.clients.Kubernetes.CoreV1().RESTClient().Patch(types.MergePatchType).AbsPath(s.scaledObjectPath()).
		Body(fmt.Appendf(nil, `{"metadata":{"annotations":{"autoscaling.keda.sh/paused-replicas":%s}}}`, value)).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("%s: pause of the ScaledObject: %w", s.profile.ShortName, err)
	}
	return nil
}
