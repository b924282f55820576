// Package forecastreport is the operator's view of predictive scaling: what it would have
// been worth on a recorded load, and why the running forecaster says what it says.
// docs/prediction.md explains the figures.
package forecastreport

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// Command returns the subcommand. outputs reads the stack's outputs.
func Command(outputs func(context.Context) (stackoutput.Outputs, error)) *cobra.Command {
	c := &cobra.Command{
		Use:     "forecast",
		Short:   "Say what predictive scaling is worth, and why it predicts what it does",
		Long:    "Look into predictive scaling. Nothing is changed.",
		Example: "  pf forecast backtest web.csv --html report.html\n  pf forecast explain --stack prod",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(backtestCommand(), explainCommand(outputs))
	return c
}

func backtestCommand() *cobra.Command {
	var asJSON bool
	var html string
	c := &cobra.Command{
		Use:   "backtest FILE.csv",
		Short: "Run the document's HPA, tuned HPAs and the forecast over a recorded load",
		Long: "Run each autoscaler over a recorded load, step by step, without hindsight. The file\n" +
			"has the header unix_seconds,load, increasing times, and more than three days. The\n" +
			"largest usual load is scaled to 30 pods. A run takes some seconds.\n\n" +
			"Exit codes: 0 done, 2 wrong usage or file, 3 the report could not be written.",
		Example: "  pf forecast backtest web.csv\n  pf forecast backtest web.csv --json --html report.html",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := backtestFile(args[0])
			if err != nil {
				return &exitcode.Error{Code: exitcode.Usage, Err: err}
			}
			if err := r.write(c.OutOrStdout(), asJSON, html); err != nil {
				return &exitcode.Error{Code: exitcode.NotLooked, Err: fmt.Errorf("write the report: %w", err)}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "report as JSON")
	c.Flags().StringVar(&html, "html", "", "also write the report with plots to this file")
	return c
}

func explainCommand(outputs func(context.Context) (stackoutput.Outputs, error)) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "explain",
		Short: "Say why the forecaster of a stack has this forecast, or none",
		Long: "Read the metrics of the stack's forecaster through a port-forward and explain them.\n\n" +
			"Exit codes: 0 each service has a forecast, 1 one has none, 2 wrong usage, 3 the\n" +
			"forecaster could not be read.",
		Example: "  pf forecast explain --stack prod",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			services, err := explain(c.Context(), outputs)
			if err != nil {
				return &exitcode.Error{Code: exitcode.NotLooked, Err: err}
			}
			if err := writeServices(c.OutOrStdout(), services, asJSON); err != nil {
				return &exitcode.Error{Code: exitcode.NotLooked, Err: fmt.Errorf("write the report: %w", err)}
			}
			for _, s := range services {
				if s.Published == nil {
					return &exitcode.Error{Code: exitcode.Found}
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "report as JSON")
	return c
}

func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
