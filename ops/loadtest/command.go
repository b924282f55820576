// Package loadtest is the subcommand load: it runs the design document's load test against a
// platform and checks every response.
//
//	TOKEN="$(make token)" pf load
//	TOKEN="$(make token)" pf load spike --rate 400 --duration 5m --html report.html
//
// First it sends each request without a token, with the design document's test-token, and with a token
// of another issuer. All responses must have the status 401, except of public requests. Then it
// sends each request once with the token and checks the response. The load begins only if all these
// responses are correct. The limits are in components/scaling.
//
// Exit codes: 0 when everything was correct; 1 when a response was incorrect or, with --strict, a
// limit was not met; 2 when the command line is wrong; 130 when it was interrupted without an
// incorrect response.
//
// The services allow one client 1000 requests a second, with the same burst, and respond 429 to
// more. If the agents' rate is not set, --rate 580 reaches this limit. The web app's highest rate,
// with uncached requests to the agents, is possible for half a minute:
//
//	pf load --rate 1000 --agents-rate 15 --uncached --strict
//
// This package owns the flags, the order of the steps and the report. Package load owns the
// requests and the schedule.
package loadtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/load"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// Command returns the subcommand load. The command calls readOutputs, which reads the stack's
// outputs, only if --url is not set.
func Command(readOutputs func(context.Context) (stackoutput.Outputs, error)) *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use:   "load [steady|ramp|spike|soak|replay FILE.csv]",
		Short: "Run the design document's load test and check every response",
		Long: "Run the design document's load test and check every response. The profile is the\n" +
			"rate over time: steady has the highest rate all the time, ramp grows to it, spike\n" +
			"has it for the middle fifth of the duration, soak is a long steady. replay reads\n" +
			"lines of seconds,requests/s; the last line ends the load. Ctrl-C ends the load\n" +
			"with its report.\n\n" +
			"The token is in the variable TOKEN or in --token-file; make token prints one.",
		Example: "  TOKEN=\"$(make token)\" pf load --duration 1m\n" +
			"  TOKEN=\"$(make token)\" pf load spike --rate 400 --html spike.html\n" +
			"  pf load --token-file token --json > new.json --compare old.json",
		Args:      newArgsReader(&f),
		ValidArgs: []string{load.Steady, load.Ramp, load.Spike, load.Soak, load.Replay},
		RunE: func(c *cobra.Command, _ []string) error {
			f.durationWasSet, f.rateWasSet = c.Flags().Changed("duration"), c.Flags().Changed("rate")
			f.envTOKEN = os.Getenv("TOKEN")
			if file, ok := c.ErrOrStderr().(*os.File); ok && !c.Flags().Changed("progress") {
				f.progress = term.IsTerminal(int(file.Fd()))
			}
			return f.run(c.Context(), readOutputs, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f.register(c.Flags())
	return c
}

// newArgsReader returns a function that stores the profile and the file of a replay in f.
func newArgsReader(f *flags) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		f.profile = load.Steady
		if len(args) > 0 {
			f.profile = args[0]
		}
		switch {
		case f.profile == load.Replay && len(args) == 2:
			f.replayFile = args[1]
		case f.profile == load.Replay:
			return errors.New("replay needs one file: pf load replay FILE.csv")
		case len(args) > 1:
			return fmt.Errorf("unexpected argument %q", args[1])
		}
		return nil
	}
}

// run runs the test and prints the report.
func (f *flags) run(ctx context.Context, readOutputs func(context.Context) (stackoutput.Outputs, error), stdout, stderr io.Writer) error {
	platform := f.url
	var (
		stackCluster *cluster
		stackImages  map[string]string
	)
	if platform == "" {
		stack, err := readOutputs(ctx)
		if err != nil {
			return fmt.Errorf("%w; or set --url", err)
		}
		platform, stackCluster, stackImages = stack.URL, newCluster(stack), stack.Images
	}
	cfg, err := f.newConfig(platform, time.Now())
	if err != nil {
		return err
	}
	if err := checkReachable(ctx, cfg.url); err != nil {
		return &exitcode.Error{Code: exitcode.Found, Err: err}
	}
	t := newTest(cfg)
	t.cluster = stackCluster
	if f.progress {
		t.progress = stderr
	}
	r, err := t.run(ctx)
	if err != nil {
		return &exitcode.Error{Code: exitcode.Found, Err: err}
	}
	r.addImages(ctx, stackImages, readOutputs)
	if cfg.oldReport != nil {
		r.Comparison = compareReports(cfg.oldReport, r)
	}
	if err := f.write(r, stdout); err != nil {
		return &exitcode.Error{Code: exitcode.Incomplete, Err: fmt.Errorf("write the report: %w", err)}
	}
	switch {
	case r.hasErrors(), f.strict && r.hasMissedLimit():
		return &exitcode.Error{Code: exitcode.Found}
	case r.Interrupted:
		return &exitcode.Error{Code: exitcode.Interrupted}
	}
	return nil
}

// write writes the report in each form that the flags select.
func (f *flags) write(r *report, stdout io.Writer) error {
	writeReport := r.writeText
	if f.json {
		writeReport = r.writeJSON
	}
	err := writeReport(stdout)
	if f.htmlFile == "" {
		return err
	}
	file, createErr := os.Create(f.htmlFile)
	if createErr != nil {
		return errors.Join(err, createErr)
	}
	return errors.Join(err, r.writeHTML(file), file.Close())
}

// connectTimeout limits the first connection to the platform.
const connectTimeout = 5 * time.Second

// checkReachable returns an error if nothing listens at the platform's address. Without this check,
// every request of the test would fail for this reason.
func checkReachable(ctx context.Context, platform *url.URL) error {
	port := cmp.Or(platform.Port(), map[string]string{"http": "80", "https": "443"}[platform.Scheme])
	dialer := net.Dialer{Timeout: connectTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(platform.Hostname(), port))
	if err != nil {
		return fmt.Errorf("no platform at %s: %w; run make up, or set --url to the stack output url", platform, err)
	}
	return conn.Close()
}
