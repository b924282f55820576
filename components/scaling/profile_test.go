package scaling

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Every profile must be one that Kubernetes accepts and schedules: requests
// within limits, probes that can finish before the next begins.
func TestProfilesAreSound(t *testing.T) {
	for _, p := range []Profile{MCA()} {
		t.Run(p.Name, func(t *testing.T) {
			r := p.Resources
			require.LessOrEqual(t, r.CPURequest.Cmp(r.CPULimit), 0, "CPU request above its limit")
			require.LessOrEqual(t, r.MemoryRequest.Cmp(r.MemoryLimit), 0, "memory request above its limit")
			require.NotEqual(t, p.Liveness.Path, p.Readiness.Path, "liveness must not depend on readiness")
			for _, probe := range []Probe{p.Liveness, p.Readiness} {
				require.Less(t, probe.Timeout, probe.Period, "%s overlaps itself", probe.Path)
			}
			require.Less(t, p.Readiness.InitialDelay, p.Liveness.InitialDelay,
				"a service must have the chance to be ready before it can be killed")
		})
	}
}
