// Command loadtest runs the design document's load test against the platform's
// url and checks every response:
//
//	TOKEN="$(make token)" loadtest -url http://127.0.0.1:30080
//
// First it sends each request without a token, with the document's own
// test-token, and with a token of another issuer. All must get a 401. Then it
// sends each request once with the token and checks the response. Only if both
// steps are correct, the load begins. The limits are those of
// components/scaling.
//
// Exit codes: 0 when everything was correct; 1 when a response was incorrect
// or, with -strict, a limit was not met; 2 when the command line is wrong; 130
// when it was interrupted without an incorrect response.
//
// The services allow one client 1000 requests a second, with the same burst,
// and respond 429 to more. With one rate for all parts, -rate 580 reaches
// this limit.
// The web app's highest rate, with uncached requests to the agents, is possible
// for half a minute:
//
//	loadtest -rate 1000 -agents-rate 15 -uncached -strict
//
// This package owns the command line, the order of the steps and the report.
// Package load owns the requests and the schedule.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes.
const (
	exitWrong       = 1
	exitUsage       = 2
	exitInterrupted = 130 // 128 and SIGINT, as shells count
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process immediately
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	cfg, err := readConfig(args, getenv, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "error:", err)
		}
		return exitUsage
	}
	r, err := newTest(cfg).run(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "error:", err)
		return exitWrong
	}
	print := r.text
	if cfg.json {
		print = r.json
	}
	if err := print(stdout); err != nil {
		fmt.Fprintln(stderr, "error: write the report:", err)
		return exitWrong
	}
	switch {
	case r.wrong(), cfg.strict && r.missed():
		return exitWrong
	case r.Interrupted:
		return exitInterrupted
	}
	return 0
}
