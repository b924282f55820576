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

// An `up` is killed at certain points. After a recovery and another `up`, no resource exists
// twice, and no resource is missing from the state.
func TestKilledUpRecovers(t *testing.T) {
	t.Parallel()
	for name, points := range map[string][]point{
		"sandbox": {
			{hasResourcesAtAWS(3), "in the network, while many resources are being created"},
			{deploymentExists, "in the cluster, while pods are not ready yet"},
		},
		"staging": {
			{hasResourcesAtAWS(1), "right after the first resource"},
			{hasResourcesAtAWS(25), "at the end of the network, before the cluster"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnvironment(t)
			e.checkpoints = true
			s := newStack(t, e, name)
			defer checkDestroyRemovesEverything(t, s)
			for _, p := range points {
				s.killUp(t, p)
				out, err := s.tryPulumi(t, "up", "--yes", "--skip-preview")
				require.Error(t, err, "killed %s: the stack still has the lock of the killed engine", p.reason)
				require.Contains(t, out, "pulumi cancel", "the CLI names the fix")
				s.pulumi(t, "cancel", "--yes")
				_, err = s.run(t, s.dir, "sandbox", "recover", "--stack", s.name)
				require.NoError(t, err)
				s.requireNoDuplicateResources(t)
			}
			s.pulumi(t, "up", "--yes", "--skip-preview")
			s.requireNoDuplicateResources(t)
			requireNoChanges(t, s)
		})
	}
}

// point is a point in the course of an `up`.
type point struct {
	reached func(*testing.T, *stack) bool
	reason  string
}

// hasResourcesAtAWS returns a function for the point at which the stand-in has at least count
// resources.
func hasResourcesAtAWS(count int) func(*testing.T, *stack) bool {
	return func(t *testing.T, s *stack) bool { return len(s.listAWSResources(t)) >= count }
}

// deploymentExists returns true if a Deployment exists.
func deploymentExists(t *testing.T, s *stack) bool {
	return s.kubectl(t, "-n", "progressive-framework-"+s.name, "get", "deployments", "-o", "name") != ""
}

// killUp starts an `up`. As soon as the `up` reaches the point p, killUp kills its process and
// all child processes with SIGKILL.
func (s *stack) killUp(t *testing.T, p point) {
	t.Helper()
	// With this delay, calls are still in progress when the engine is killed.
	_, err := s.run(t, s.dir, "sandbox", "aws", "slow", "--delay", "150ms")
	require.NoError(t, err)
	cmd := s.newCommand(t.Context(), s.dir, s.layout.Bin()+"/pulumi", "up", "--yes", "--skip-preview", "--non-interactive")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return p.reached(t, s) }, timeout, 50*time.Millisecond)
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL))
	err = cmd.Wait()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "the engine was still running when it was killed %s", p.reason)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())
	_, err = s.run(t, s.dir, "sandbox", "aws", "clear-faults")
	require.NoError(t, err)
}

// requireNoDuplicateResources compares the resources of the stand-in and of the cluster with
// the state. No resource may exist twice, and none may be missing from the state. Of the
// cluster's objects, only Jobs are compared, because other objects have fixed names and can't
// exist twice.
func (s *stack) requireNoDuplicateResources(t *testing.T) {
	t.Helper()
	state := s.listStateResources(t)
	resourcesInState := func(prefix string) []resourceRef {
		return slices.DeleteFunc(slices.Clone(state), func(r resourceRef) bool { return !strings.HasPrefix(r.Type, prefix) })
	}
	require.ElementsMatch(t, resourcesInState("aws:"), s.listAWSResources(t))

	const jobType = "kubernetes:batch/v1:Job"
	var jobs []resourceRef
	// Jobs of a CronJob are not in the state.
	for _, id := range strings.Fields(s.kubectl(t, "-n", "progressive-framework-"+s.name, "get", "jobs", "-o",
		`go-template={{range .items}}{{if not .metadata.ownerReferences}}{{.metadata.namespace}}/{{.metadata.name}} {{end}}{{end}}`)) {
		jobs = append(jobs, resourceRef{Type: jobType, ID: id})
	}
	require.ElementsMatch(t, resourcesInState(jobType), jobs)
}
