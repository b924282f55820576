// Command loadtest sends the design document's load test to the platform's url
// and checks every answer:
//
//	TOKEN="$(make token)" loadtest -url http://127.0.0.1:30080
//
// First each request is sent without a token, with the document's own
// test-token and with a foreign issuer's token, and must be refused; then once
// with the token, and must be really answered. If both are so the load begins.
//
// Exit codes: 0 when all was as it must be; 1 when an answer was wrong or, with
// -strict, a limit missed; 2 when the command line is wrong; 130 when it was
// interrupted and nothing was wrong until then.
//
// The services let one client send 1000 requests a second, and answer 429 to
// more: with all parts that is a -rate of 580.
//
// It owns the command line, the order of things and the report. The requests
// are traffic's, the schedule load's.
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
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, getenv func(string) string, out, errs io.Writer) int {
	cfg, err := readConfig(args, getenv, errs)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(errs, "error:", err)
		}
		return exitUsage
	}
	r, err := newTest(cfg).run(ctx)
	if err != nil {
		fmt.Fprintln(errs, "error:", err)
		return exitWrong
	}
	write := r.text
	if cfg.json {
		write = r.json
	}
	if err := write(out); err != nil {
		fmt.Fprintln(errs, "error: write the report:", err)
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
