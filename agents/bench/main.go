// Command bench measures the services' endpoints at saturation, each as a ratio
// to a bare net/http server that echoes JSON, in one run:
//
//	go run ./agents/bench
//
// Every server is a process of its own on one core (GOMAXPROCS=1); the load,
// PostgreSQL, Redis and the agents that stand behind mca share the rest of the
// machine. It prints a table for docs/performance.md and owns no threshold.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	serve := flag.String("serve", "", "be one of bench's own servers: echo or stub")
	each := flag.Duration("each", 5*time.Second, "how long each endpoint is measured")
	sockets := flag.Int("sockets", 10_000, "how many idle WebSockets are weighed")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	var err error
	if *serve != "" {
		err = own(ctx, *serve)
	} else {
		err = run(ctx, *each, *sockets)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, each time.Duration, sockets int) error {
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	fmt.Println("| endpoint | requests/s | to the echo | p50 | p95 | p99 | failed |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|")
	base := 0.0
	for _, e := range w.endpoints() {
		result, err := saturate(ctx, e, each)
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		if base == 0 { // the echo is the first
			base = result.perSecond
		}
		fmt.Printf("| %s | %.0f | %.2f | %s | %s | %s | %d |\n", e.name, result.perSecond, result.perSecond/base,
			result.percentile(50), result.percentile(95), result.percentile(99), result.failed)
	}
	bytes, err := w.weighSockets(ctx, sockets)
	if err != nil {
		return err
	}
	fmt.Printf("\nmemory of %d idle WebSockets: %.0f MiB, %.1f KiB each\n", sockets, float64(bytes)/(1<<20), float64(bytes)/float64(sockets)/(1<<10))
	return nil
}
