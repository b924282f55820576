// Command bench measures the services' endpoints in one run:
//
//	go run ./agents/bench
//
// at saturation, each as a ratio to a bare net/http server that echoes JSON; at
// fixed rates; and all at once with the design document's load on the web app,
// against its limits.
//
// Every server is a process of its own with one core's work (GOMAXPROCS=1); at
// saturation it has a core for itself, and the load, PostgreSQL and Redis the
// rest of the machine. It prints the tables of docs/performance.md, and which
// goals were missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// atMost bounds the whole run.
const atMost = 15 * time.Minute

func main() {
	serve := flag.String("serve", "", "be one of bench's own servers: echo, stub, least or barest")
	each := flag.Duration("each", 3*time.Second, "how long each figure is measured")
	sockets := flag.Int("sockets", 10_000, "how many idle WebSockets are weighed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, atMost)
	var err error
	if *serve != "" {
		err = own(ctx, *serve)
	} else {
		err = run(ctx, *each, *sockets)
	}
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, each time.Duration, sockets int) (err error) {
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	endpoints := w.endpoints()
	for _, table := range []func() error{
		func() error { return saturate(ctx, endpoints, each) },
		func() error { return atRates(ctx, endpoints, each) },
		func() error { return w.documentsLoad(ctx, 3*each) },
		func() error { return w.weighSockets(ctx, sockets) },
	} {
		if err := errors.Join(table(), ctx.Err()); err != nil {
			return err
		}
		fmt.Println()
	}
	return nil
}
