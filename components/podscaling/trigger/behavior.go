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
	// Tolerance is the dead band around the present number of pods, such as "0"; empty:
	// the server's, 10 %.
	Tolerance string
}

// Fast returns the behaviour that the forecast simulates its HPA with: at once up, down
// after a minute, and no dead band. While there is no forecast, the HPA removes no pod: it
// removes none while one of its metrics has an error.
func Fast(h scaling.HPA) (down, up Behavior) {
	spec := autoscale.Fast(h.MinReplicas, h.MaxReplicas, 0)
	return behavior(spec.Down), behavior(spec.Up)
}

func behavior(b autoscale.Behavior) Behavior {
	out := Behavior{
		Behavior:  scaling.Behavior{StabilizationWindow: time.Duration(b.Window) * time.Second, Select: scaling.SelectMax},
		Tolerance: strconv.FormatFloat(b.Tolerance, 'f', -1, 64),
	}
	if b.Least {
		out.Select = scaling.SelectMin
	}
	for _, p := range b.Policies {
		policy := scaling.Policy{Type: scaling.PodsPolicy, Value: p.Value, Period: time.Duration(p.Seconds) * time.Second}
		if p.Percent {
			policy.Type = scaling.PercentPolicy
		}
		out.Policies = append(out.Policies, policy)
	}
	return out
}
