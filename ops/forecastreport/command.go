// Package forecastreport is the subcommand forecast. It computes what predictive scaling would have
// saved on a recorded load, and explains the current state of the running forecaster.
// docs/prediction.md explains the figures.
package forecastreport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// Command returns the subcommand forecast. readOutputs reads the stack's outputs.
func Command(readOutputs func(context.Context) (stackoutput.Outputs, error)) *cobra.Command {
	c := &cobra.Command{
		Use:     "forecast",
		Short:   "Compute what predictive scaling saves, and explain the current forecast",
		Long:    "Evaluate and explain predictive scaling. The commands change nothing.",
		Example: "  pf forecast backtest web.csv --html report.html\n  pf forecast explain --stack prod",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(backtestCommand(readOutputs), explainCommand(readOutputs))
	return c
}

func backtestCommand(readOutputs func(context.Context) (stackoutput.Outputs, error)) *cobra.Command {
	var asJSON bool
	var html, service string
	var days int
	c := &cobra.Command{
		Use:   "backtest FILE.csv | --service NAME",
		Short: "Run the document's HPA, tuned HPAs and the forecast over a recorded load",
		Long: "Run each autoscaler over a recorded load, step by step. No autoscaler sees later steps. The first\n" +
			"three days are history. A run takes some seconds.\n\n" +
			"A file has the header unix_seconds,load and increasing times. Its largest usual load\n" +
			"is scaled to 30 pods. With --service, the load comes from the stack's Prometheus. A load\n" +
			"of one pod is the capacity that the stack assumes for a pod. The bounds are the HPA's.\n\n" +
			"Exit codes: 0 done, 2 wrong usage or file, 3 the load could not be read from the\n" +
			"stack, or the report could not be written.",
		Example: "  pf forecast backtest web.csv --html report.html\n  pf forecast backtest --service web --days 14 --stack prod --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			var r *backtestReport
			code := exitcode.Usage
			switch {
			case (len(args) == 1) == (service != ""):
				err = errors.New("backtest: must have either a file or --service")
			case service == "":
				r, err = backtestFile(args[0])
			default:
				if err = validateServiceFlags(service, days); err == nil {
					code = exitcode.Incomplete
					r, err = backtestService(c.Context(), readOutputs, service, days, time.Now())
				}
			}
			if err != nil {
				return &exitcode.Error{Code: code, Err: err}
			}
			if err := r.write(c.OutOrStdout(), asJSON, html); err != nil {
				return &exitcode.Error{Code: exitcode.Incomplete, Err: fmt.Errorf("write the report: %w", err)}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "report as JSON")
	c.Flags().StringVar(&html, "html", "", "also write the report with plots to this file")
	c.Flags().StringVar(&service, "service", "", "read the load of this service from the stack's Prometheus: "+strings.Join(serviceNames(), ", "))
	c.Flags().IntVar(&days, "days", maxDays-1, fmt.Sprintf("with --service: how many days back, %d to %d; Prometheus keeps %d", minDays, maxDays, maxDays))
	return c
}

func explainCommand(readOutputs func(context.Context) (stackoutput.Outputs, error)) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "explain",
		Short: "Explain the forecaster's current forecast, or why there is none",
		Long: "Read the metrics of the stack's forecaster through a port-forward and explain them.\n\n" +
			"Exit codes: 0 each service has a forecast, 1 one has none, 2 wrong usage, 3 the\n" +
			"forecaster could not be read.",
		Example: "  pf forecast explain --stack prod",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			services, err := readServices(c.Context(), readOutputs)
			if err != nil {
				return &exitcode.Error{Code: exitcode.Incomplete, Err: err}
			}
			if err := writeServices(c.OutOrStdout(), services, asJSON); err != nil {
				return &exitcode.Error{Code: exitcode.Incomplete, Err: fmt.Errorf("write the report: %w", err)}
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

// writeJSON writes a value as indented JSON.
func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
