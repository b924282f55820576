package engine

import (
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An `up` is killed, as by a power cut, at one point after another of its way.
// What a person does after each must end in one platform: nothing exists twice,
// and nothing is forgotten.
func TestKilledUpRecovers(t *testing.T) {
	for name, points := range map[string][]point{
		"sandbox": {
			{resourcesAtAWS(3), "in the network, while many resources are under way"},
			{deploymentInCluster, "in the cluster, while pods are not ready yet"},
		},
		"staging": {
			{resourcesAtAWS(1), "right after the first resource"},
			{resourcesAtAWS(25), "at the end of the network, before the cluster"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t, newEnvironment(t), name)
			defer destroyLeavesNothing(t, s)
			for _, p := range points {
				s.killedUp(t, p)
				out, err := s.try(t, "up", "--yes", "--skip-preview")
				require.Error(t, err, "killed %s: the dead engine still holds the stack's lock", p.reason)
				require.Contains(t, out, "pulumi cancel", "the CLI says what to do")
				s.pulumi(t, "cancel", "--yes")
				_, err = s.run(t, s.dir, "sandbox", "recover", "--stack", s.name)
				require.NoError(t, err)
				s.requireNothingTwice(t)
			}
			s.pulumi(t, "up", "--yes", "--skip-preview")
			s.requireNothingTwice(t)
			requireNoChanges(t, s)
		})
	}
}

// point is a place on the way of an `up`.
type point struct {
	reached func(*testing.T, *stack) bool
	reason  string
}

// resourcesAtAWS is the point at which the stand-in holds count resources.
func resourcesAtAWS(count int) func(*testing.T, *stack) bool {
	return func(t *testing.T, s *stack) bool { return len(s.atAWS(t)) >= count }
}

// deploymentInCluster is the point at which the first Deployment exists.
func deploymentInCluster(t *testing.T, s *stack) bool {
	return s.kubectl(t, "-n", "progressive-framework-"+s.name, "get", "deployments", "-o", "name") != ""
}

// killedUp starts an `up` and kills it and all its child processes with SIGKILL
// as soon as it has reached p.
func (s *stack) killedUp(t *testing.T, p point) {
	t.Helper()
	// Slow enough that calls are under way when the engine dies.
	_, err := s.run(t, s.dir, "sandbox", "aws", "slow", "--delay", "150ms")
	require.NoError(t, err)
	cmd := s.command(t.Context(), s.dir, s.layout.Bin()+"/pulumi", "up", "--yes", "--skip-preview", "--non-interactive")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return p.reached(t, s) }, timeout, 50*time.Millisecond)
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL))
	err = cmd.Wait()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "the engine was still at work when it was killed %s", p.reason)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())
	_, err = s.run(t, s.dir, "sandbox", "aws", "clear-faults")
	require.NoError(t, err)
}

// requireNothingTwice compares what the stand-in and the cluster hold with what
// the state knows: nothing exists twice, and nothing is forgotten. Of the
// cluster's objects only Jobs could exist twice: the others' names are fixed.
func (s *stack) requireNothingTwice(t *testing.T) {
	t.Helper()
	state := s.inState(t)
	inState := func(prefix string) []record {
		return slices.DeleteFunc(slices.Clone(state), func(r record) bool { return !strings.HasPrefix(r.Type, prefix) })
	}
	require.ElementsMatch(t, inState("aws:"), s.atAWS(t))

	const job = "kubernetes:batch/v1:Job"
	var jobs []record
	// Those of a CronJob are its own affair.
	for _, id := range strings.Fields(s.kubectl(t, "-n", "progressive-framework-"+s.name, "get", "jobs", "-o",
		`go-template={{range .items}}{{if not .metadata.ownerReferences}}{{.metadata.namespace}}/{{.metadata.name}} {{end}}{{end}}`)) {
		jobs = append(jobs, record{Type: job, ID: id})
	}
	require.ElementsMatch(t, inState(job), jobs)
}
