package trigger

import (
	"strconv"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/forecast/autoscale"
)

// Behavior is scaling.Behavior with a tolerance.
type Behavior struct {
	scaling.Behavior
	// Tolerance is the relative difference between metric and target that the HPA
	// ignores, such as "0.05". Empty means Kubernetes' default of 10 %.
	Tolerance string
}

// ForecastBehavior returns the behaviour of an HPA with a forecast. The forecaster assumes the same
// behaviour in its simulation: it adds pods immediately, removes pods after a minute, and has
// no tolerance. While there is no forecast, the trigger of the forecast has an error. An HPA
// with such an error removes no pod.
func ForecastBehavior(h scaling.HPA) (down, up Behavior) {
	spec := autoscale.FastSpec(h.MinReplicas, h.MaxReplicas, 0)
	return hpaBehavior(spec.Down), hpaBehavior(spec.Up)
}

// hpaBehavior converts a behaviour of the simulation to a behaviour of the HPA.
func hpaBehavior(b autoscale.Behavior) Behavior {
	behavior := Behavior{
		Behavior:  scaling.Behavior{StabilizationWindow: time.Duration(b.Window) * time.Second, Select: scaling.SelectMax},
		Tolerance: strconv.FormatFloat(b.Tolerance, 'f', -1, 64),
	}
	if b.SelectMin {
		behavior.Select = scaling.SelectMin
	}
	for _, p := range b.Policies {
		policy := scaling.Policy{Type: scaling.PodsPolicy, Value: p.Value, Period: time.Duration(p.Seconds) * time.Second}
		if p.Percent {
			policy.Type = scaling.PercentPolicy
		}
		behavior.Policies = append(behavior.Policies, policy)
	}
	return behavior
}
