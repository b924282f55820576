package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// After a throttled call, the provider repeats the call and the `up` continues. Any other error
// ends the `up`, and the next `up` creates the missing resources.
func TestUpAfterFailedCall(t *testing.T) {
	s := newStack(t, newEnvironment(t), "staging")
	defer checkDestroyRemovesEverything(t, s)
	for _, fault := range [][]string{
		{"--type", "RouteTable", "--nth", "2", "--mode", "throttle"},
		{"--type", "aws:eks/cluster:Cluster", "--nth", "1", "--mode", "error"},
	} {
		_, err := s.run(t, s.dir, "sandbox", append([]string{"aws", "fail", "--op", "create"}, fault...)...)
		require.NoError(t, err)
	}
	_, err := s.tryPulumi(t, "up", "--yes", "--skip-preview")
	require.Error(t, err)
	var types []string
	for _, r := range s.listAWSResources(t) {
		types = append(types, r.Type)
	}
	require.Contains(t, types, "aws:ec2/routeTable:RouteTable", "the throttled creation was repeated")
	require.NotContains(t, types, "aws:eks/cluster:Cluster", "the failed creation was not repeated")
	_, err = s.run(t, s.dir, "sandbox", "aws", "clear-faults")
	require.NoError(t, err)
	s.pulumi(t, "up", "--yes", "--skip-preview")
	s.requireNoDuplicateResources(t)
	s.pulumi(t, "preview", "--expect-no-changes")
}
