package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/progressive-framework/platform/sandbox/test/testenv"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// serviceCounts are the numbers of services in the measured stacks of the program Services.
// Each service has five resources.
var serviceCounts = []int{20, 60, 200}

// measureProd measures the stack prod, and the program Services with more and more services. It
// uses a sandbox with simulated nodes for the project in root, because the pods of prod do not fit
// on one machine.
func measureProd(ctx context.Context, root string, runs int) ([]row, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	l, stop, err := testenv.New(ctx, root, 0, os.Stderr)
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
	rows := []row{{fmt.Sprintf("prod: `pulumi up` of %d resources against the stand-in", len(resources)), describeRate(upDuration, len(resources)), ""}}
	packRows, err := prod.comparePacks(ctx, runs)
	if err != nil {
		return nil, err
	}
	floorRows, err := prod.compareWithFloor(ctx, "prod", resources, runs)
	if err != nil {
		return nil, err
	}
	rows = slices.Concat(rows, packRows, floorRows)
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
// what any pack costs.
func (r *runner) comparePacks(ctx context.Context, runs int) ([]row, error) {
	emptyPack := filepath.Join(r.dir, "emptypack")
	if err := r.withDir(r.layout.Project).run(ctx, "go", "build", "-trimpath", "-o", emptyPack, "./policy/server/testdata/emptypack"); err != nil {
		return nil, err
	}
	previews, err := timeInTurns(ctx, runs, r.preview("prod"), r.withPolicyPack("").preview("prod"), r.withPolicyPack(emptyPack).preview("prod"))
	if err != nil {
		return nil, err
	}
	platformPack, bare, empty := previews[0], previews[1], previews[2]
	overheadPercent := func(s series) float64 {
		return 100 * (s.median() - bare.median()).Seconds() / bare.median().Seconds()
	}
	return []row{
		{"prod: `pulumi preview`, nothing changed", platformPack.describe(), ""},
		{"… without a policy pack", bare.describe(), ""},
		{"… with a pack without rules", fmt.Sprintf("%s; it adds %.0f %%", empty.describe(), overheadPercent(empty)), ""},
		{"… share of the policy pack", fmt.Sprintf("it adds %.0f %%", overheadPercent(platformPack)), "at most 10 %"},
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
	previews, err := timeRuns(ctx, max(runs/3, 1), stack.preview(stack.stack))
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
