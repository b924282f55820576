// Bench measures the figures of docs/performance.md on the running sandbox and prints
// them as the table of that document. It asserts nothing, because the figures depend on
// the machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

func main() {
	dir := flag.String("home", "../.sandbox", "the sandbox's folder")
	runs := flag.Int("runs", 10, "number of timed runs of each command")
	prod := flag.Bool("prod", false, "measure only the stack prod and the growth, not the running sandbox")
	cold := flag.Bool("cold", false, "also compile the program with an empty cache and list the packages; takes minutes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := runBenchmark(ctx, *dir, *runs, *prod, *cold); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// row is one line of the table: the name of a figure, its value, and the value to reach.
type row struct{ figure, value, goal string }

// runBenchmark measures and prints the figures. prodOnly leaves out the running sandbox. cold
// adds the compilation with an empty cache.
func runBenchmark(ctx context.Context, dir string, runs int, prodOnly, cold bool) error {
	l, err := layout.Open(dir)
	if err != nil {
		return fmt.Errorf("%w; run `make up` first", err)
	}
	r := &runner{layout: l, env: toolchain.SandboxEnv(l, os.Environ()), dir: l.Project}
	var rows []row
	if !prodOnly {
		if rows, err = r.measureLive(ctx, runs); err != nil {
			return err
		}
	}
	prodRows, err := r.measureProd(ctx, runs)
	if err != nil {
		return fmt.Errorf("prod: %w", err)
	}
	rows = append(rows, prodRows...)
	if cold {
		if err := r.measureCompilation(ctx); err != nil {
			return fmt.Errorf("compile: %w", err)
		}
	}

	fmt.Printf("Read on %s, %s.\n\n| figure | measured | goal |\n|---|---|---|\n", time.Now().UTC().Format(time.DateOnly), describeMachine())
	for _, row := range rows {
		fmt.Printf("| %s | %s | %s |\n", row.figure, row.value, row.goal)
	}
	return nil
}

// measureLive measures the running sandbox.
func (r *runner) measureLive(ctx context.Context, runs int) ([]row, error) {
	var rows []row
	idleMemory, err := r.measureIdleMemory(ctx)
	if err != nil {
		return nil, fmt.Errorf("idle: %w", err)
	}
	rows = append(rows, row{"sandbox idle, all processes (PSS)", idleMemory.String(), "at most 1780 MB (1,700 MiB)"})

	upRuns, err := r.timeRuns(ctx, max(runs/3, 1), "make", "up")
	if err != nil {
		return nil, fmt.Errorf("make up: %w", err)
	}
	rows = append(rows, row{"`make up`, nothing changed", upRuns.describe(), "at most 30 s"})

	previews, err := r.timeRuns(ctx, runs, "pulumi", previewArgs("sandbox")...)
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	peak, err := r.measurePeakMemory(ctx, "pulumi", previewArgs("sandbox")...)
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	rows = append(rows,
		row{"`pulumi preview`, nothing changed", previews.describe(), "at most 3 s"},
		row{"… peak memory of engine, program and plugins (PSS)", peak.String(), "at most 500 MB"})

	resources, err := r.exportResources(ctx, "sandbox")
	if err != nil {
		return nil, err
	}
	barePreviews, err := r.withPolicyPack("").timeRuns(ctx, runs, "pulumi", previewArgs("sandbox")...)
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	floorRows, err := r.compareWithFloor(ctx, barePreviews, resources, runs)
	if err != nil {
		return nil, err
	}
	rows = append(rows, floorRows...)

	imageRows, err := r.measureImage(ctx, runs)
	if err != nil {
		return nil, fmt.Errorf("image: %w", err)
	}
	return append(rows, imageRows...), nil
}
