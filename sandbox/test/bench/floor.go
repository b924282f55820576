package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// programStack is a stack of one of the Pulumi programs in the subfolders, in a temporary
// project. The stack uses the same language host as the platform's program. This host checks
// the sources before every run.
type programStack struct {
	*runner
	stack string
}

// newProgramStack creates a temporary project and an empty stack of the Pulumi program called
// name. env are additional environment variables of the program. The returned function
// destroys the stack and removes the project.
func (b *runner) newProgramStack(ctx context.Context, name string, env ...string) (*programStack, func(), error) {
	dir, err := os.MkdirTemp("", "pf-bench-")
	if err != nil {
		return nil, nil, err
	}
	sources := filepath.Join(b.layout.Project, "sandbox", "test", "bench", name)
	for file, content := range map[string]string{
		"Pulumi.yaml": fmt.Sprintf("name: bench-%s\nmain: %s\nruntime:\n  name: go\n  options:\n    buildTarget: %s\n",
			name, sources, filepath.Join(dir, "program")),
		"Pulumi.bench.yaml": "config:\n  aws:region: us-east-1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			return nil, nil, err
		}
	}
	p := &programStack{runner: b.withDir(dir), stack: "bench"}
	// The rules of the policy pack are for the platform's program only.
	p.env = layout.WithoutPolicyPack(append(p.env, env...))
	end := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Minute)
		defer cancel()
		if err := p.run(ctx, "pulumi", "destroy", "--yes", "--skip-preview", "--remove", "--stack", p.stack); err != nil {
			fmt.Fprintf(os.Stderr, "bench: the stack %s of %s is left: %v\n", p.stack, dir, err)
			return
		}
		os.RemoveAll(dir)
	}
	return p, end, p.run(ctx, "pulumi", "stack", "init", p.stack)
}

// up runs `pulumi up` and returns its duration.
func (p *programStack) up(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	err := p.run(ctx, "pulumi", "up", "--yes", "--skip-preview", "--stack", p.stack)
	return time.Since(start), err
}

// timePreviews times previews without a change.
func (p *programStack) timePreviews(ctx context.Context, runs int) (series, error) {
	return p.timeRuns(ctx, runs, "pulumi", "preview", "--stack", p.stack, "--non-interactive", "--expect-no-changes")
}

// compareWithFloor compares the platform's previews of n resources with the floor: the
// shortest possible time. The floor is the preview of the program Empty with the same number
// of resources and the same providers. A second floor without the Kubernetes provider shows
// how much time this provider takes.
func (b *runner) compareWithFloor(ctx context.Context, platform series, n, runs int) ([]row, error) {
	awsOnly, err := b.timeFloor(ctx, n, runs, "KUBERNETES=0")
	if err != nil {
		return nil, fmt.Errorf("empty program: %w", err)
	}
	bothProviders, err := b.timeFloor(ctx, n, runs, "KUBERNETES=1")
	if err != nil {
		return nil, fmt.Errorf("empty program: %w", err)
	}
	return []row{
		{fmt.Sprintf("… of an empty program with as many resources (%d) of AWS", n), awsOnly.times(), ""},
		{"… and with the Kubernetes provider", bothProviders.times(), ""},
		{"… ratio of the medians, both with it", fmt.Sprintf("%.2f", platform.median().Seconds()/bothProviders.median().Seconds()), "at most 1.5 (prod)"},
	}, nil
}

// timeFloor times previews of the program Empty with n resources. env is the variable for the
// Kubernetes provider.
func (b *runner) timeFloor(ctx context.Context, n, runs int, env string) (series, error) {
	p, end, err := b.newProgramStack(ctx, "empty", fmt.Sprintf("RESOURCES=%d", n), env)
	if err != nil {
		return series{}, err
	}
	defer end()
	if _, err := p.up(ctx); err != nil {
		return series{}, err
	}
	return p.timePreviews(ctx, runs)
}
