package engine

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An `up` is killed, as by a power cut, once the stand-in holds so many
// resources. What a person then does must end in one platform: nothing twice,
// nothing forgotten.
func TestKilledUpRecovers(t *testing.T) {
	for _, tc := range []struct {
		stack  string
		after  int
		reason string
	}{
		{"sandbox", 3, "in the network, while many resources are under way"},
		{"staging", 25, "at the end of the network, before the cluster"},
		{"prod", 1, "right after the first resource"},
	} {
		t.Run(tc.stack+" "+tc.reason, func(t *testing.T) {
			s := newStack(t, shared, tc.stack)
			defer destroyLeavesNothing(t, s)
			// Slow enough that calls are under way when the engine dies.
			_, err := s.run(t, s.dir, "sandbox", "aws", "slow", "--delay", "150ms")
			require.NoError(t, err)
			s.killedUp(t, tc.after)
			_, err = s.run(t, s.dir, "sandbox", "aws", "clear-faults")
			require.NoError(t, err)

			out, err := s.try(t, "up", "--yes", "--skip-preview")
			require.Error(t, err, "the dead engine still holds the stack's lock")
			require.Contains(t, out, "pulumi cancel", "and the CLI says what to do")
			s.pulumi(t, "cancel", "--yes")
			_, err = s.run(t, s.dir, "sandbox", "recover", "--stack", s.name)
			require.NoError(t, err)
			s.pulumi(t, "up", "--yes", "--skip-preview")

			s.requireNothingTwice(t)
			upAgainChangesNothing(t, s)
		})
	}
}

// killedUp starts an `up` and kills it and all that it started, with no chance
// to say goodbye, as soon as the stand-in holds count resources.
func (s *stack) killedUp(t *testing.T, count int) {
	t.Helper()
	cmd := s.command(t.Context(), s.dir, s.home.Bin()+"/pulumi", "up", "--yes", "--skip-preview", "--non-interactive")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return len(s.atAWS(t)) >= count }, timeout, 50*time.Millisecond)
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL))
	err := cmd.Wait()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "the engine was still at work when it was killed")
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())
}

// requireNothingTwice compares what the stand-in holds with what the state
// knows: nothing stands twice, and nothing is forgotten.
func (s *stack) requireNothingTwice(t *testing.T) {
	t.Helper()
	require.ElementsMatch(t, s.inState(t), s.atAWS(t))
}
