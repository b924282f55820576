// Bench measures the figures of docs/performance.md on the running sandbox and
// prints them as the table that stands there. It asserts nothing: a figure
// belongs to the machine that it was read on.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

func main() {
	dir := flag.String("home", "../.sandbox", "the sandbox's folder")
	runs := flag.Int("runs", 10, "how often each command is timed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, *dir, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// row is one line of the table.
type row struct{ figure, value, goal string }

func bench(ctx context.Context, dir string, runs int) error {
	h, err := home.Open(dir)
	if err != nil {
		return fmt.Errorf("%w; run `make up` first", err)
	}
	b := &runner{home: h, env: toolchain.Within(ctx, h, os.Environ()), dir: h.Project}
	rows := []row{}

	idle, err := b.idle(ctx)
	if err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	rows = append(rows, row{"sandbox idle, all processes (PSS)", idle.String(), "at most 1.5 GB"})

	up, err := b.series(ctx, max(runs/3, 1), "make", "up")
	if err != nil {
		return fmt.Errorf("make up: %w", err)
	}
	rows = append(rows, row{"`make up`, nothing changed", up.times(), "at most 30 s"})

	ours, err := b.series(ctx, runs, "pulumi", "preview", "--stack", "sandbox", "--non-interactive", "--expect-no-changes")
	if err != nil {
		return fmt.Errorf("preview: %w", err)
	}
	rows = append(rows,
		row{"`pulumi preview`, nothing changed", ours.times(), "at most 3 s"},
		row{"… peak memory of engine, program and plugins (PSS)", ours.peak.String(), "at most 500 MB"})

	all, err := b.exported(ctx)
	if err != nil {
		return err
	}
	n := len(all)
	floor, err := b.floor(ctx, n, runs)
	if err != nil {
		return fmt.Errorf("empty program: %w", err)
	}
	rows = append(rows,
		row{fmt.Sprintf("… of an empty program with as many resources (%d)", n), floor.times(), ""},
		row{"… ratio of the medians", fmt.Sprintf("%.2f", ours.median().Seconds()/floor.median().Seconds()), ""})

	image, err := b.image(ctx, runs)
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	rows = append(rows, image...)

	fmt.Printf("Read on %s, %s.\n\n| figure | measured | goal |\n|---|---|---|\n", time.Now().UTC().Format(time.DateOnly), machine())
	for _, r := range rows {
		fmt.Printf("| %s | %s | %s |\n", r.figure, r.value, r.goal)
	}
	return nil
}

// floor makes a stack of n resources with the empty program and times its
// preview, in a project of its own that is gone afterwards.
func (b *runner) floor(ctx context.Context, n, runs int) (series, error) {
	dir, err := os.MkdirTemp("", "pf-bench-")
	if err != nil {
		return series{}, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "empty")
	if err := b.at(b.home.Project+"/sandbox").run(ctx, "go", "build", "-o", program, "./test/bench/empty"); err != nil {
		return series{}, err
	}
	yaml := "name: bench\nruntime:\n  name: go\n  options:\n    binary: " + program + "\n"
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte(yaml), 0o600); err != nil {
		return series{}, err
	}
	config := "config:\n  aws:region: us-east-1\n"
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.floor.yaml"), []byte(config), 0o600); err != nil {
		return series{}, err
	}
	f := b.at(dir)
	f.env = append(f.env, fmt.Sprintf("RESOURCES=%d", n))
	if err := f.run(ctx, "pulumi", "stack", "init", "floor"); err != nil {
		return series{}, err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if err := f.run(end, "pulumi", "destroy", "--yes", "--skip-preview", "--remove", "--stack", "floor"); err != nil {
			fmt.Fprintln(os.Stderr, "bench: the stack bench/floor is left:", err)
		}
	}()
	if err := f.run(ctx, "pulumi", "up", "--yes", "--skip-preview", "--stack", "floor"); err != nil {
		return series{}, err
	}
	return f.series(ctx, runs, "pulumi", "preview", "--stack", "floor", "--non-interactive", "--expect-no-changes")
}
