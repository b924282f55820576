package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// AWS fails in the middle of an `up`; the next one goes on from there.
func TestFailedCallIsMadeUpFor(t *testing.T) {
	for _, tc := range []struct {
		reason string
		args   []string
		fails  bool
	}{
		{"an error ends the update", []string{"--op", "create", "--type", "Subnet", "--nth", "4", "--mode", "error"}, true},
		{"a throttled call is made again and the update goes on", []string{"--op", "create", "--type", "RouteTable", "--nth", "2", "--mode", "throttle"}, false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s := newStack(t, newEnvironment(t), "staging")
			defer destroyLeavesNothing(t, s)
			_, err := s.run(t, s.dir, "sandbox", append([]string{"aws", "fail"}, tc.args...)...)
			require.NoError(t, err)
			_, err = s.try(t, "up", "--yes", "--skip-preview")
			require.Equal(t, tc.fails, err != nil)
			_, err = s.run(t, s.dir, "sandbox", "aws", "clear-faults")
			require.NoError(t, err)
			s.pulumi(t, "up", "--yes", "--skip-preview")
			s.requireNothingTwice(t)
			s.pulumi(t, "preview", "--expect-no-changes")
		})
	}
}
