package costreport

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/policy/cost"
)

// schemaVersion is the version of the JSON report.
const schemaVersion = 1

// output is the JSON report.
type output struct {
	Schema int         `json:"schema"`
	Report cost.Report `json:"report"`
	// MonthlyBudget is the budget in the stack's configuration, in US dollars.
	MonthlyBudget int64            `json:"monthlyBudget,omitempty"`
	Difference    *cost.Difference `json:"difference,omitempty"`
}

// options are the flags of the command.
type options struct {
	file, compareFile, configFile, region string
	maxGrowth                             int64
	asJSON                                bool
}

// Command returns the subcommand cost. Without --file, the command reads the state of stack.
func Command(stack *stackoutput.Stack) *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "cost",
		Short: "Print the monthly cost of the stack, and of a change",
		Long: "Compute the monthly cost of a stack from its resources and a dated table of AWS's\n" +
			"list prices, without a call to AWS. Auto Scaling groups are shown from their\n" +
			"minimum to their maximum. Items without a price, items that are not known yet, and\n" +
			"items that are not counted are listed, and never count as zero.\n\n" +
			"--file is a preview (pulumi preview --json), a state (pulumi stack export) or a\n" +
			"recording. Without it, the state of the stack is read.\n\n" +
			"Exit codes: 0 done, 1 more growth than --max-growth, 2 wrong usage, 3 the stack or\n" +
			"a file could not be read, or has no figure.",
		Example: "  pf cost --stack prod\n" +
			"  pulumi preview --json > preview.json\n" +
			"  pulumi stack export > state.json\n" +
			"  pf cost --file preview.json --compare state.json --max-growth 10",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("max-growth") && o.compareFile == "" {
				return fmt.Errorf("--max-growth needs --compare, the stack before the change")
			}
			l := loader{export: stack.Export, dir: stack.Dir, configFile: o.configFile, region: o.region, now: time.Now()}
			limit := int64(-1)
			if c.Flags().Changed("max-growth") {
				limit = o.maxGrowth
			}
			return run(c.Context(), l, o, limit, c.OutOrStdout())
		},
	}
	c.Flags().StringVarP(&o.file, "file", "f", "", "a preview's JSON or a state; the default is the stack's state")
	c.Flags().StringVar(&o.compareFile, "compare", "", "a preview's JSON or a state before the change: show the difference")
	c.Flags().Int64Var(&o.maxGrowth, "max-growth", 0, "with --compare: the highest allowed growth of the expected cost in percent")
	c.Flags().StringVar(&o.configFile, "config", "", "the stack's configuration with the budget and the estimates; the default is Pulumi.STACK.yaml")
	c.Flags().StringVar(&o.region, "region", "", "the region, if neither the resources nor the configuration name one")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print the report as JSON")
	c.AddCommand(refreshCommand())
	return c
}

// run prints the report, and with --compare the difference from another stack. limit is the highest
// allowed growth in percent. A negative limit means no limit.
func run(ctx context.Context, l loader, o options, limit int64, w io.Writer) error {
	incompleteError := func(err error) error { return &exitcode.Error{Code: exitcode.Incomplete, Err: err} }
	s, err := l.readStack(ctx, o.file)
	if err != nil {
		return incompleteError(err)
	}
	spending, err := l.readSpending(s)
	if err != nil {
		return incompleteError(err)
	}
	out := output{Schema: schemaVersion, Report: l.estimate(s, spending), MonthlyBudget: spending.MonthlyBudget}
	if o.compareFile != "" {
		before, err := l.readStack(ctx, o.compareFile)
		if err != nil {
			return incompleteError(err)
		}
		difference := cost.Compare(l.estimate(before, spending), out.Report)
		out.Difference = &difference
	}
	if o.asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(out)
	} else {
		_, err = io.WriteString(w, out.formatText())
	}
	if err != nil {
		return incompleteError(err)
	}
	return exitError(out, limit)
}

// exitError returns the error with the exit code of a report. It returns nil if the report has
// figures and the growth is within limit.
func exitError(out output, limit int64) error {
	if out.Report.NoFigure != "" {
		return &exitcode.Error{Code: exitcode.Incomplete, Err: fmt.Errorf("no figure for %s: %s", out.Report.Stack, out.Report.NoFigure)}
	}
	if out.Difference == nil || limit < 0 {
		return nil
	}
	if out.Difference.NoFigure != "" {
		return &exitcode.Error{Code: exitcode.Incomplete, Err: fmt.Errorf("no figure before the change: %s", out.Difference.NoFigure)}
	}
	if percent, ok := out.Difference.Growth(); ok && percent > limit {
		return &exitcode.Error{Code: exitcode.Found, Err: fmt.Errorf("the expected cost grows by %d %%, must be at most %d %%: %s to %s a month",
			percent, limit, out.Difference.Before.Expected, out.Difference.After.Expected)}
	}
	return nil
}
