// Bench measures figures of docs/performance.md and prints them as the table of that document. It
// measures the running sandbox, or with -prod the stack prod on simulated nodes. A running sandbox
// uses CPU time, so -prod needs a machine on which nothing else runs. Bench asserts nothing,
// because the figures depend on the machine.
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
	dir := flag.String("home", "../.sandbox", "the running sandbox's folder")
	project := flag.String("project", "..", "the folder of the project, for -prod")
	runs := flag.Int("runs", 10, "number of timed runs of each command")
	prod := flag.Bool("prod", false, "measure the stack prod and the growth, not the running sandbox")
	cold := flag.Bool("cold", false, "also compile the program with an empty cache and list the packages; takes minutes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	measure := func() ([]row, error) { return measureSandbox(ctx, *dir, *runs, *cold) }
	if *prod {
		measure = func() ([]row, error) { return measureProd(ctx, *project, *runs) }
	}
	rows, err := measure()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	fmt.Printf("Read on %s, %s.\n\n| figure | measured | goal |\n|---|---|---|\n", time.Now().UTC().Format(time.DateOnly), describeMachine())
	for _, row := range rows {
		fmt.Printf("| %s | %s | %s |\n", row.figure, row.value, row.goal)
	}
}

// row is one line of the table: the name of a figure, its value, and the value to reach.
type row struct{ figure, value, goal string }

// measureSandbox measures the running sandbox in dir. cold adds the compilation with
// an empty cache.
func measureSandbox(ctx context.Context, dir string, runs int, cold bool) ([]row, error) {
	l, err := layout.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("%w; run `make up` first", err)
	}
	r := &runner{layout: l, env: toolchain.SandboxEnv(l, os.Environ()), dir: l.Project}
	rows, err := r.measureLive(ctx, runs)
	if err != nil {
		return nil, err
	}
	if cold {
		if err := r.measureCompilation(ctx); err != nil {
			return nil, fmt.Errorf("compile: %w", err)
		}
	}
	return rows, nil
}

// measureLive measures the running sandbox.
func (r *runner) measureLive(ctx context.Context, runs int) ([]row, error) {
	var rows []row
	idleMemory, err := r.measureIdleMemory(ctx)
	if err != nil {
		return nil, fmt.Errorf("idle: %w", err)
	}
	rows = append(rows, row{"sandbox idle, all processes (PSS)", idleMemory.String(), "at most 1780 MB (1,700 MiB)"})

	upRuns, err := timeRuns(ctx, max(runs/3, 1), command{r, "make", []string{"up"}})
	if err != nil {
		return nil, fmt.Errorf("make up: %w", err)
	}
	rows = append(rows, row{"`make up`, nothing changed", upRuns.describe(), "at most 30 s"})

	previews, err := timeRuns(ctx, runs, r.preview("sandbox"))
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	peak, err := measurePeakMemory(ctx, r.preview("sandbox"))
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
	floorRows, err := r.compareWithFloor(ctx, "sandbox", resources, runs)
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
