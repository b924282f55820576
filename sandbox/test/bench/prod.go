package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/progressive-framework/platform/sandbox/test/testenv"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// serviceCounts are the numbers of services in the measured stacks of the program Services.
// Each service has five resources.
var serviceCounts = []int{20, 60, 200}

// measureProd measures the stack prod, and the program Services with more and more services. It
// uses a sandbox with simulated nodes, because the pods of prod do not fit on one machine.
func (r *runner) measureProd(ctx context.Context, runs int) ([]row, error) {
	l, stop, err := testenv.New(ctx, r.layout.Project, 0, os.Stderr)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := stop(); err != nil {
			fmt.Fprintln(os.Stderr, "bench: stopping the simulated sandbox:", err)
		}
	}()
	prod := &runner{layout: l, env: toolchain.SandboxEnv(l, os.Environ())}
	if prod.dir, err = testenv.InitStack(ctx, l, "prod"); err != nil {
		return nil, err
	}
	start := time.Now()
	if err := prod.run(ctx, "pulumi", "up", "--yes", "--skip-preview", "--stack", "prod"); err != nil {
		return nil, err
	}
	upDuration := time.Since(start)
	resources, err := prod.exportResources(ctx, "prod")
	if err != nil {
		return nil, err
	}
	barePreviews, packRows, err := prod.comparePacks(ctx, runs)
	if err != nil {
		return nil, err
	}
	rows := append([]row{
		{fmt.Sprintf("prod: `pulumi up` of %d resources against the stand-in", len(resources)), describeRate(upDuration, len(resources)), ""},
	}, packRows...)
	floorRows, err := prod.compareWithFloor(ctx, barePreviews, resources, runs)
	if err != nil {
		return nil, err
	}
	rows = append(rows, floorRows...)
	for _, n := range serviceCounts {
		growthRow, err := prod.measureGrowth(ctx, n, runs)
		if err != nil {
			return nil, fmt.Errorf("%d services: %w", n, err)
		}
		rows = append(rows, growthRow)
	}
	return rows, nil
}

// comparePacks times previews of prod with the platform's policy pack, without a pack, and with a
// pack that has no rules. The engine sends every resource to a pack, so the pack without rules shows
// what any pack costs. The three kinds of previews take turns, so that all have the same conditions.
// bare are the previews without a pack.
func (r *runner) comparePacks(ctx context.Context, runs int) (bare series, rows []row, err error) {
	emptyPack := filepath.Join(r.dir, "emptypack")
	if err := r.withDir(r.layout.Project).run(ctx, "go", "build", "-trimpath", "-o", emptyPack, "./policy/server/testdata/emptypack"); err != nil {
		return bare, nil, err
	}
	previews, err := timeInTurns(ctx, runs, []*runner{r, r.withPolicyPack(""), r.withPolicyPack(emptyPack)}, "pulumi", previewArgs("prod")...)
	if err != nil {
		return bare, nil, err
	}
	platformPackPreviews, bare, emptyPackPreviews := previews[0], previews[1], previews[2]
	overheadPercent := func(s series) float64 {
		return 100 * (s.median() - bare.median()).Seconds() / bare.median().Seconds()
	}
	return bare, []row{
		{"prod: `pulumi preview`, nothing changed", platformPackPreviews.describe(), ""},
		{"… without a policy pack", bare.describe(), ""},
		{"… with a pack without rules", fmt.Sprintf("%s; it adds %.0f %%", emptyPackPreviews.describe(), overheadPercent(emptyPackPreviews)), ""},
		{"… share of the policy pack", fmt.Sprintf("it adds %.0f %%", overheadPercent(platformPackPreviews)), "at most 10 %"},
	}, nil
}

// measureGrowth measures a stack of the program Services with the given number of services.
func (r *runner) measureGrowth(ctx context.Context, services, runs int) (row, error) {
	stack, destroy, err := r.newProgramStack(ctx, "services", fmt.Sprintf("SERVICES=%d", services))
	if err != nil {
		return row{}, err
	}
	defer destroy()
	upDuration, err := stack.up(ctx)
	if err != nil {
		return row{}, err
	}
	previews, err := stack.timePreviews(ctx, max(runs/3, 1))
	if err != nil {
		return row{}, err
	}
	resources := services * 5
	return row{fmt.Sprintf("%d services, %d resources", services, resources), describeRate(upDuration, resources) + "; preview " + previews.describe(), ""}, nil
}

// describeRate describes the duration of an `up` and its number of resources per second.
func describeRate(duration time.Duration, resources int) string {
	return fmt.Sprintf("up %.1f s, %.0f resources/s", duration.Seconds(), float64(resources)/duration.Seconds())
}
