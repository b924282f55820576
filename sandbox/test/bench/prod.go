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

// sizes are the stack sizes of the growth measurement, in services of five resources.
var sizes = []int{20, 60, 200}

// prod measures the stack prod and the growth in a sandbox with simulated nodes, because
// the pods of prod do not fit on one machine.
func (b *runner) prod(ctx context.Context, runs int) ([]row, error) {
	h, stop, err := testenv.New(ctx, b.layout.Project, 0, os.Stderr)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := stop(); err != nil {
			fmt.Fprintln(os.Stderr, "bench: stopping the simulated sandbox:", err)
		}
	}()
	p := &runner{layout: h, env: toolchain.Within(h, os.Environ())}
	if p.dir, err = testenv.Init(ctx, h, "prod"); err != nil {
		return nil, err
	}
	start := time.Now()
	if err := p.run(ctx, "pulumi", "up", "--yes", "--skip-preview", "--stack", "prod"); err != nil {
		return nil, err
	}
	took := time.Since(start)
	all, err := p.exported(ctx, "prod")
	if err != nil {
		return nil, err
	}
	previews, err := p.series(ctx, runs, "pulumi", "preview", "--stack", "prod", "--non-interactive", "--expect-no-changes")
	if err != nil {
		return nil, err
	}
	rows := []row{
		{fmt.Sprintf("prod: `pulumi up` of %d resources against the stand-in", len(all)), rate(took, len(all)), ""},
		{"prod: `pulumi preview`, nothing changed", previews.times(), ""},
	}
	bare := *p
	bare.env = layout.WithoutPolicyPack(p.env)
	without, err := bare.series(ctx, runs, "pulumi", "preview", "--stack", "prod", "--non-interactive", "--expect-no-changes")
	if err != nil {
		return nil, err
	}
	share := 100 * (previews.median() - without.median()).Seconds() / without.median().Seconds()
	rows = append(rows, row{"… without the policy pack", fmt.Sprintf("%s; the pack adds %.0f %%", without.times(), share), "at most 10 %"})
	compared, err := p.compareWithFloor(ctx, previews, len(all), runs)
	if err != nil {
		return nil, err
	}
	rows = append(rows, compared...)
	for _, n := range sizes {
		grown, err := p.growth(ctx, n, runs)
		if err != nil {
			return nil, fmt.Errorf("%d services: %w", n, err)
		}
		rows = append(rows, grown)
	}
	return rows, nil
}

// growth measures a stack of the given number of services.
func (b *runner) growth(ctx context.Context, services, runs int) (row, error) {
	p, end, err := b.program(ctx, "services", fmt.Sprintf("SERVICES=%d", services))
	if err != nil {
		return row{}, err
	}
	defer end()
	took, err := p.up(ctx)
	if err != nil {
		return row{}, err
	}
	previews, err := p.previews(ctx, max(runs/3, 1))
	if err != nil {
		return row{}, err
	}
	n := services * 5
	return row{fmt.Sprintf("%d services, %d resources", services, n), rate(took, n) + "; preview " + previews.times(), ""}, nil
}

func rate(took time.Duration, resources int) string {
	return fmt.Sprintf("up %.1f s, %.0f resources/s", took.Seconds(), float64(resources)/took.Seconds())
}
