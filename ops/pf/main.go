// Command pf is the operator's command for a running platform:
//
//	pf load            the design document's load test, with a report
//	pf diagnose        what is wrong, why, and what to do
//	pf watch           Redis' nodes, or the scaling of pods and nodes, live
//	pf cost            what the stack costs a month
//	pf ci              the steps of the workflows: preview, comment, up, drift
//	pf promote         writes the images of one stack as the release of another
//	pf rollback        writes an earlier release of a stack again
//	pf diff            how two stacks differ
//	pf forecast        what predictive scaling saves on a recorded load, and the reasons for the current forecast
//
// It finds the platform by the outputs of a Pulumi stack. This package only assembles the
// subcommands; each is a package in ops.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/ci"
	"github.com/progressive-framework/platform/ops/cloudview"
	"github.com/progressive-framework/platform/ops/costreport"
	"github.com/progressive-framework/platform/ops/diagnose"
	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/forecastreport"
	"github.com/progressive-framework/platform/ops/loadtest"
	"github.com/progressive-framework/platform/ops/promotion"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process immediately
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// newRootCommand returns the command pf with its subcommands. A new subcommand is one line here.
func newRootCommand() *cobra.Command {
	var stack stackoutput.Stack
	root := &cobra.Command{
		Use:   "pf",
		Short: "Load, diagnose, preview, update and promote the platform of a stack",
		Long: "pf operates a running platform from outside. It reads the platform's address from the outputs\n" +
			"of a Pulumi stack.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	stack.AddFlags(root.PersistentFlags())
	root.AddCommand(
		loadtest.Command(stack.Read),
		diagnose.Command(stack.Read, cloudview.Read),
		diagnose.WatchCommand(stack.Read),
		costreport.Command(&stack),
		ci.Command(&stack),
		promotion.PromoteCommand(&stack),
		promotion.RollbackCommand(&stack),
		promotion.DiffCommand(&stack),
		forecastreport.Command(stack.Read),
	)
	return root
}

// run runs the command and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	code, silent := exitcode.FromError(err)
	if !silent {
		fmt.Fprintln(stderr, "error:", err)
	}
	if code == exitcode.Usage && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "see pf --help")
	}
	return code
}
