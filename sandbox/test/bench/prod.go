package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/test/testenv"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// serviceCounts are the numbers of services in the measured stacks of the program Services.
// Each service has five resources.
var serviceCounts = []int{20, 60, 200}

// measureProd measures the stack prod, and the program Services with more and more services. It
// uses a sandbox with simulated nodes, because the pods of prod do not fit on one machine.
func (b *runner) measureProd(ctx context.Context, runs int) ([]row, error) {
	l, stop, err := testenv.New(ctx, b.layout.Project, 0, os.Stderr)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := stop(); err != nil {
			fmt.Fprintln(os.Stderr, "bench: stopping the simulated sandbox:", err)
		}
	}()
	p := &runner{layout: l, env: toolchain.Within(l, os.Environ())}
	if p.dir, err = testenv.Init(ctx, l, "prod"); err != nil {
		return nil, err
	}
	start := time.Now()
	if err := p.run(ctx, "pulumi", "up", "--yes", "--skip-preview", "--stack", "prod"); err != nil {
		return nil, err
	}
	duration := time.Since(start)
	all, err := p.exportedResources(ctx, "prod")
	if err != nil {
		return nil, err
	}
	previews, err := p.timeRuns(ctx, runs, "pulumi", "preview", "--stack", "prod", "--non-interactive", "--expect-no-changes")
	if err != nil {
		return nil, err
	}
	rows := []row{
		{fmt.Sprintf("prod: `pulumi up` of %d resources against the stand-in", len(all)), rate(duration, len(all)), ""},
		{"prod: `pulumi preview`, nothing changed", previews.times(), ""},
	}
	withoutPack := *p
	withoutPack.env = layout.WithoutPolicyPack(p.env)
	barePreviews, err := withoutPack.timeRuns(ctx, runs, "pulumi", "preview", "--stack", "prod", "--non-interactive", "--expect-no-changes")
	if err != nil {
		return nil, err
	}
	share := 100 * (previews.median() - barePreviews.median()).Seconds() / barePreviews.median().Seconds()
	rows = append(rows, row{"… without the policy pack", fmt.Sprintf("%s; the pack adds %.0f %%", barePreviews.times(), share), "at most 10 %"})
	compared, err := p.compareWithFloor(ctx, previews, len(all), runs)
	if err != nil {
		return nil, err
	}
	rows = append(rows, compared...)
	for _, n := range serviceCounts {
		growth, err := p.measureGrowth(ctx, n, runs)
		if err != nil {
			return nil, fmt.Errorf("%d services: %w", n, err)
		}
		rows = append(rows, growth)
	}
	return rows, nil
}

// measureGrowth measures a stack of the program Services with the given number of services.
func (b *runner) measureGrowth(ctx context.Context, services, runs int) (row, error) {
	p, end, err := b.newProgramStack(ctx, "services", fmt.Sprintf("SERVICES=%d", services))
	if err != nil {
		return row{}, err
	}
	defer end()
	duration, err := p.up(ctx)
	if err != nil {
		return row{}, err
	}
	previews, err := p.timePreviews(ctx, max(runs/3, 1))
	if err != nil {
		return row{}, err
	}
	resources := services * 5
	return row{fmt.Sprintf("%d services, %d resources", services, resources), rate(duration, resources) + "; preview " + previews.times(), ""}, nil
}

// rate describes the duration of an `up` and its number of resources per second.
func rate(duration time.Duration, resources int) string {
	return fmt.Sprintf("up %.1f s, %.0f resources/s", duration.Seconds(), float64(resources)/duration.Seconds())
}
