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

// runner runs commands inside the sandbox's environment.
type runner struct {
	layout *layout.Layout
	env    []string
	dir    string
}

func (b *runner) at(dir string) *runner {
	return &runner{layout: b.layout, env: slices.Clone(b.env), dir: dir}
}

func (b *runner) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if own := filepath.Join(b.layout.Bin(), name); exists(own) {
		name = own
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = b.dir, b.env
	return cmd
}

func exists(path string) bool {
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
type series struct{ took []time.Duration }

// series times n runs of a command, after one run that fills the caches.
func (b *runner) series(ctx context.Context, n int, name string, args ...string) (series, error) {
	if err := b.run(ctx, name, args...); err != nil {
		return series{}, err
	}
	var s series
	for range n {
		start := time.Now()
		if err := b.run(ctx, name, args...); err != nil {
			return s, err
		}
		s.took = append(s.took, time.Since(start))
	}
	slices.Sort(s.took)
	return s, nil
}

// peak returns the peak memory of a run, including its child processes. This is not
// measured together with the time, because reading a process's memory stops the process.
func (b *runner) peak(ctx context.Context, name string, args ...string) (bytesize, error) {
	cmd := b.command(ctx, name, args...)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	watch := watchTree(cmd.Process.Pid)
	err := cmd.Wait()
	most := watch()
	if err != nil {
		return most, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return most, nil
}

func (s series) median() time.Duration { return s.took[len(s.took)/2] }

func (s series) times() string {
	p95 := s.took[(len(s.took)*95+99)/100-1]
	return fmt.Sprintf("p50 %.2f s, p95 %.2f s of %d", s.median().Seconds(), p95.Seconds(), len(s.took))
}

// idle returns the memory of the processes of `sandbox status` and of the pods, after a
// wait of 30 s. The pods' processes are children of containerd's shims.
func (b *runner) idle(ctx context.Context) (bytesize, error) {
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

// exported lists the resources of a stack.
func (b *runner) exported(ctx context.Context, stack string) ([]resource, error) {
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
