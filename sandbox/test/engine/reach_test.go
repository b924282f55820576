package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A runner in the VPC can deploy the stack if the configuration admits the runner. Otherwise
// the update creates endpoints that cut the runner off from AWS. With a runner in the VPC,
// the API endpoint of the cluster is private.
func TestRunnerInTheVPCDeploys(t *testing.T) {
	e := newEnvironment(t)
	s := newStack(t, e, "sandbox") // its VPC is 10.30.0.0/16
	s.pulumi(t, "config", "set", "--path", "progressive-framework:network.endpoints", "single")
	runnerVariables := []string{"SANDBOX_RUN_FROM=10.30.0.7"}
	e.variables = runnerVariables
	out, err := s.tryPulumi(t, "up", "--yes", "--skip-preview")
	require.Error(t, err)
	require.Contains(t, out, "resolves to the interface endpoint", "the update creates the endpoints that cut the runner off")

	s.pulumi(t, "config", "rm", "--path", "progressive-framework:cluster.publicAccessCidrs")
	out, err = s.tryPulumi(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, "cluster.publicAccessCidrs: Required value: from where the stack is deployed")

	// The runner is cut off and can't create the rules that admit it. So somebody outside of
	// the VPC destroys the stack, and the runner creates it again.
	e.variables = nil
	s.pulumi(t, "destroy", "--yes", "--skip-preview")
	e.variables = runnerVariables
	s.pulumi(t, "config", "set", "--path", "progressive-framework:cluster.privateAccessCidrs[0]", "10.30.0.0/20")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	s.pulumi(t, "preview", "--expect-no-changes")

	e.variables = nil // the command runs on the internet
	out, err = s.tryPulumi(t, "up", "--yes", "--skip-preview", "--refresh")
	require.Error(t, err)
	require.Contains(t, out, "unreachable", "the API endpoint is private")

	e.variables = runnerVariables
	checkDestroyRemovesEverything(t, s)
}
