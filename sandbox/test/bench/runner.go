package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// runner runs commands in the sandbox's environment.
type runner struct {
	layout *layout.Layout
	env    []string
	dir    string // the working directory of the commands
}

// withPolicyPack returns a copy of the runner with a different policy pack, or without one if the
// path of the pack is empty.
func (r *runner) withPolicyPack(pack string) *runner {
	env := layout.WithoutPolicyPack(r.env)
	if pack != "" {
		env = append(env, layout.PolicyPackVariable+"="+pack)
	}
	return &runner{layout: r.layout, env: env, dir: r.dir}
}

// withDir returns a copy of the runner with a different working directory.
func (r *runner) withDir(dir string) *runner {
	return &runner{layout: r.layout, env: slices.Clone(r.env), dir: dir}
}

// newCommand returns a command in the sandbox's environment. An executable of the sandbox comes
// before one in PATH.
func (r *runner) newCommand(ctx context.Context, name string, args ...string) *exec.Cmd {
	if path := filepath.Join(r.layout.Bin(), name); fileExists(path) {
		name = path
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// run runs a command. The error of a failed command contains its output.
func (r *runner) run(ctx context.Context, name string, args ...string) error {
	_, err := r.runAndCapture(ctx, name, args...)
	return err
}

// runAndCapture runs a command and returns its standard output.
func (r *runner) runAndCapture(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := r.newCommand(ctx, name, args...)
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out.String(), messages.String())
	}
	return out.Bytes(), nil
}

// command is a command that a runner runs.
type command struct {
	*runner
	name string
	args []string
}

// preview returns the command of a preview of a stack that has no changes.
func (r *runner) preview(stack string, args ...string) command {
	return command{r, "pulumi", append([]string{"preview", "--stack", stack, "--non-interactive", "--expect-no-changes"}, args...)}
}

// series has the durations of several runs, in ascending order.
type series struct{ durations []time.Duration }

// timeRuns times n runs of a command. Before these runs it runs the command once, which fills
// the caches.
func timeRuns(ctx context.Context, n int, c command) (series, error) {
	measured, err := timeInTurns(ctx, n, c)
	if err != nil {
		return series{}, err
	}
	return measured[0], nil
}

// timeInTurns times n runs of each command. The commands take turns, so that all have the same
// conditions. Before these runs it runs each command once, which fills the caches. The results
// are in the order of the commands.
func timeInTurns(ctx context.Context, n int, commands ...command) ([]series, error) {
	measured := make([]series, len(commands))
	for turn := range n + 1 {
		for i, c := range commands {
			start := time.Now()
			if err := c.run(ctx, c.name, c.args...); err != nil {
				return nil, err
			}
			if turn > 0 { // the first turn only fills the caches
				measured[i].durations = append(measured[i].durations, time.Since(start))
			}
		}
	}
	for i := range measured {
		slices.Sort(measured[i].durations)
	}
	return measured, nil
}

// measurePeakMemory returns the peak memory of a run of a command, including its child
// processes. It needs a run of its own, because a process stops for a moment when its memory is
// measured. That would change the duration of a timed run.
func measurePeakMemory(ctx context.Context, c command) (bytesize, error) {
	cmd := c.newCommand(ctx, c.name, c.args...)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	stopMeasuring := watchTreeMemory(cmd.Process.Pid)
	err := cmd.Wait()
	peak := stopMeasuring()
	if err != nil {
		return peak, fmt.Errorf("%s %s: %w", c.name, strings.Join(c.args, " "), err)
	}
	return peak, nil
}

func (s series) median() time.Duration { return s.durations[len(s.durations)/2] }

// describe returns a text with the median, the 95th percentile and the number of runs.
func (s series) describe() string {
	p95 := s.durations[(len(s.durations)*95+99)/100-1] // nearest rank: 95 % of the runs are not slower
	return fmt.Sprintf("p50 %.2f s, p95 %.2f s of %d", s.median().Seconds(), p95.Seconds(), len(s.durations))
}

// measureIdleMemory waits for 30 s, so that the sandbox is idle. Then it returns the memory
// that the sandbox uses. This is the memory of the processes in `sandbox status` and of the
// pods. The pods' processes are children of containerd's shims.
func (r *runner) measureIdleMemory(ctx context.Context) (bytesize, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(30 * time.Second):
	}
	out, err := r.runAndCapture(ctx, "sandbox", "status", "--json")
	if err != nil {
		return 0, err
	}
	var status struct {
		Components []struct {
			PID int `json:"pid"`
		} `json:"components"`
	}
	if err := json.Unmarshal(out, &status); err != nil {
		return 0, err
	}
	var total bytesize
	for _, c := range status.Components {
		total += readPSS(c.PID)
	}
	for _, shim := range findShims() {
		for _, pid := range findProcessTree(shim) {
			total += readPSS(pid)
		}
	}
	return total, nil
}

// resource is a resource of a stack's state.
type resource struct {
	URN string `json:"urn"`
}

// isKubernetesObject reports whether the Kubernetes provider manages the resource. The third part
// of a URN has the types of the parents, each with a "$" after it, and the resource's type.
func (r resource) isKubernetesObject() bool {
	parts := strings.Split(r.URN, "::")
	return len(parts) > 2 && strings.HasPrefix(parts[2][strings.LastIndex(parts[2], "$")+1:], "kubernetes:")
}

// exportResources returns the resources in a stack's exported state.
func (r *runner) exportResources(ctx context.Context, stack string) ([]resource, error) {
	out, err := r.runAndCapture(ctx, "pulumi", "stack", "export", "--stack", stack)
	if err != nil {
		return nil, err
	}
	var export struct {
		Deployment struct {
			Resources []resource `json:"resources"`
		} `json:"deployment"`
	}
	if err := json.Unmarshal(out, &export); err != nil {
		return nil, err
	}
	return export.Deployment.Resources, nil
}
