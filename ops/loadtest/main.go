// Command loadtest runs the design document's load test against the platform's
// url and checks every response:
//
//	TOKEN="$(make token)" loadtest -url http://127.0.0.1:30080
//
// First it sends each request without a token, with the document's own
// test-token, and with a token of another issuer. All must get a 401. Then it
// sends each request once with the token and checks the response. The load begins
// only if both steps are correct. The limits are those of components/scaling.
//
// Exit codes: 0 when everything was correct; 1 when a response was incorrect
// or, with -strict, a limit was not met; 2 when the command line is wrong; 130
// when it was interrupted without an incorrect response.
//
// The services allow one client 1000 requests a second, with the same burst,
// and respond 429 to more. If the agents' rate is not set, -rate 580 reaches this
// limit. The web app's highest rate, with uncached requests to the agents, is
// possible for half a minute:
//
//	loadtest -rate 1000 -agents-rate 15 -uncached -strict
//
// This package owns the command line, the order of the steps and the report.
// Package load owns the requests and the schedule.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"
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

// run runs the test, prints the report and returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	cfg, err := readConfig(args, getenv, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "error:", err)
		}
		return exitUsage
	}
	if err := reachable(ctx, cfg.url); err != nil {
		fmt.Fprintln(stderr, "error:", err)
		return exitWrong
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
	case r.hasErrors(), cfg.strict && r.missedLimit():
		return exitWrong
	case r.Interrupted:
		return exitInterrupted
	}
	return 0
}

// connectTimeout limits the first connection to the platform.
const connectTimeout = 5 * time.Second

// reachable returns an error if nothing listens at the platform's address: then every
// request of the test would fail for the same reason.
func reachable(ctx context.Context, platform *url.URL) error {
	port := cmp.Or(platform.Port(), map[string]string{"http": "80", "https": "443"}[platform.Scheme])
	dialer := net.Dialer{Timeout: connectTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(platform.Hostname(), port))
	if err != nil {
		return fmt.Errorf("no platform at -url %s: %w; run make up, or set -url to the stack output url", platform, err)
	}
	return conn.Close()
}
