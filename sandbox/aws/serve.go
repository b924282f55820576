package aws

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"github.com/progressive-framework/platform/sandbox/aws/faults"
	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/languagehost/enginesession"
	"github.com/progressive-framework/platform/sandbox/layout"
)

// Serve runs the program pulumi-resource-aws. It checks that the process runs in a sandbox,
// listens on a free port of 127.0.0.1, and prints the port to stdout. The argument of the process
// is the address of the Pulumi engine. Serve returns when the engine ends, when the process
// receives a signal, or when ctx ends.
func Serve(ctx context.Context, stdout io.Writer) error {
	l, err := requireSandbox()
	if err != nil {
		return err
	}
	address, err := parseEngineAddress(os.Args[1:])
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return serve(ctx, l, address, stdout)
}

// parseEngineAddress returns the address of the engine. The address is the argument after the
// flags that the engine passes to every plugin. It is empty if a user starts the plugin. Then an
// engine calls Attach later.
func parseEngineAddress(args []string) (string, error) {
	flags := flag.NewFlagSet("pulumi-resource-aws", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Bool("logtostderr", false, "")
	flags.Int("v", 0, "")
	flags.String("tracing", "", "")
	if err := flags.Parse(args); err != nil {
		return "", fmt.Errorf("pulumi-resource-aws is started by the Pulumi engine: %w", err)
	}
	if flags.NArg() > 1 {
		return "", fmt.Errorf("pulumi-resource-aws is started by the Pulumi engine, with its address; got %q", flags.Args())
	}
	return flags.Arg(0), nil
}

// serve serves the provider of one sandbox. If address, the address of the engine, is not empty,
// serve connects to the engine.
func serve(ctx context.Context, l *layout.Layout, address string, stdout io.Writer) error {
	st, err := store.Open(l.AWS())
	if err != nil {
		return err
	}
	now, err := clockFromEnv()
	if err != nil {
		return err
	}
	return enginesession.Serve(ctx, stdout, func(server *grpc.Server, session *enginesession.Session) error {
		pulumirpc.RegisterResourceProviderServer(server, &provider{
			layout: l, store: st, faults: faults.NewFile(l.AWS()), session: session, now: now, exit: os.Exit,
		})
		if address == "" {
			return nil
		}
		return session.Dial(address)
	})
}
