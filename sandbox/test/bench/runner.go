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

// withDir returns a copy of the runner with a different working directory.
func (b *runner) withDir(dir string) *runner {
	return &runner{layout: b.layout, env: slices.Clone(b.env), dir: dir}
}

func (b *runner) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if path := filepath.Join(b.layout.Bin(), name); fileExists(path) {
		name = path
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = b.dir, b.env
	return cmd
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (b *runner) run(ctx context.Context, name string, args ...string) error {
	_, err := b.output(ctx, name, args...)
	return err
}

func (b *runner) output(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := b.command(ctx, name, args...)
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out.String(), messages.String())
	}
	return out.Bytes(), nil
}

// series has the durations of several runs, in ascending order.
type series struct{ durations []time.Duration }

// timeRuns times n runs of a command. Before these runs it runs the command once, which fills
// the caches.
func (b *runner) timeRuns(ctx context.Context, n int, name string, args ...string) (series, error) {
	if err := b.run(ctx, name, args...); err != nil {
		return series{}, err
	}
	var s series
	for range n {
		start := time.Now()
		if err := b.run(ctx, name, args...); err != nil {
			return s, err
		}
		s.durations = append(s.durations, time.Since(start))
	}
	slices.Sort(s.durations)
	return s, nil
}

// peakMemory returns the peak memory of a run of a command, including its child processes. It needs
// a run of its own, because a process stops for a moment when its memory is measured. That
// would change the duration of a timed run.
func (b *runner) peakMemory(ctx context.Context, name string, args ...string) (bytesize, error) {
	cmd := b.command(ctx, name, args...)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	stopMeasuring := watchTree(cmd.Process.Pid)
	err := cmd.Wait()
	peak := stopMeasuring()
	if err != nil {
		return peak, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return peak, nil
}

func (s series) median() time.Duration { return s.durations[len(s.durations)/2] }

// times describes the median, the 95th percentile and the number of runs.
func (s series) times() string {
	p95 := s.durations[(len(s.durations)*95+99)/100-1]
	return fmt.Sprintf("p50 %.2f s, p95 %.2f s of %d", s.median().Seconds(), p95.Seconds(), len(s.durations))
}

// measureIdleMemory waits for 30 s and then returns the memory that the sandbox uses. This is
// the memory of the processes in `sandbox status` and of the pods. The pods' processes are
// children of containerd's shims.
func (b *runner) measureIdleMemory(ctx context.Context) (bytesize, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(30 * time.Second):
	}
	out, err := b.output(ctx, "sandbox", "status", "--json")
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
		total += pss(c.PID)
	}
	for _, shim := range shims() {
		for _, pid := range tree(shim) {
			total += pss(pid)
		}
	}
	return total, nil
}

// resource is a resource of a stack's state.
type resource struct {
	URN string `json:"urn"`
}

// exportedResources returns the resources in a stack's exported state.
func (b *runner) exportedResources(ctx context.Context, stack string) ([]resource, error) {
	out, err := b.output(ctx, "pulumi", "stack", "export", "--stack", stack)
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
