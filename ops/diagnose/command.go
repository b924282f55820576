package diagnose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// schemaVersion is that of the report of --json.
const schemaVersion = 1

// report is the output of --json.
type report struct {
	Schema   int       `json:"schema"`
	URL      string    `json:"url"`
	At       time.Time `json:"at"`
	Checks   []Check   `json:"checks"`
	Findings []Finding `json:"findings"`
	// Missing is what could not be read.
	Missing []Missing `json:"missing"`
}

// platform is what the checks read.
type platform struct {
	url     *url.URL
	token   string
	objects func(context.Context) (objects, []Missing)
	scrape  scrape
}

// Command returns the subcommand. outputs reads the stack's outputs.
func Command(outputs func(context.Context) (stackoutput.Outputs, error)) *cobra.Command {
	var asJSON bool
	var tokenFile string
	names := []string{"all"}
	for _, check := range Checks {
		names = append(names, string(check))
	}
	c := &cobra.Command{
		Use:   "diagnose [" + strings.Join(names, "|") + "]",
		Short: "Say what is wrong with the platform, why, and what to do",
		Long: "Read the platform of the stack and say what is wrong. Nothing is changed. Each\n" +
			"finding has its evidence, the threshold, the likely cause, the fix and the next\n" +
			"command.\n\n" +
			"The token for the check app is in the variable TOKEN or in --token-file.\n\n" +
			"Exit codes: 0 healthy, 1 findings, 2 wrong usage, 3 nothing found but something\n" +
			"could not be read.",
		Example:   "  TOKEN=\"$(make token)\" pf diagnose\n  pf diagnose resources --json",
		ValidArgs: names,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		RunE: func(c *cobra.Command, args []string) error {
			checks := Checks
			if len(args) == 1 && args[0] != "all" {
				checks = []Check{Check(args[0])}
			}
			token, err := readToken(tokenFile)
			if err != nil {
				return err
			}
			stack, err := outputs(c.Context())
			if err != nil {
				return &exitcode.Error{Code: exitcode.NotLooked, Err: err}
			}
			p, err := connect(stack, token, time.Now())
			if err != nil {
				return &exitcode.Error{Code: exitcode.NotLooked, Err: err}
			}
			return p.diagnose(c.Context(), checks, time.Now()).write(c.OutOrStdout(), asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "report as JSON")
	c.Flags().StringVar(&tokenFile, "token-file", "", "a file with the token; the default is the variable TOKEN")
	return c
}

func readToken(file string) (string, error) {
	if file == "" {
		return os.Getenv("TOKEN"), nil
	}
	content, err := os.ReadFile(file)
	return strings.TrimSpace(string(content)), err
}

// connect prepares to read the platform of a stack. Nothing is sent.
func connect(stack stackoutput.Outputs, token string, now time.Time) (p platform, err error) {
	if p.url, err = url.Parse(stack.URL); err != nil || p.url.Host == "" {
		return p, fmt.Errorf("the stack's output url is %q, must have a host", stack.URL)
	}
	if stack.Namespace == "" || len(stack.KubeconfigFile()) == 0 {
		return p, errors.New("the stack has no output namespace or kubeconfig: run pulumi up first")
	}
	clients, err := kubeclient.New(stack.KubeconfigFile())
	if err != nil {
		return p, err
	}
	p.token, p.scrape = token, proxyScrape(clients, stack.Namespace)
	p.objects = func(ctx context.Context) (objects, []Missing) { return readObjects(ctx, clients, stack.Namespace, now) }
	return p, nil
}

// diagnose reads what the checks need, and judges it.
func (p platform) diagnose(ctx context.Context, checks []Check, now time.Time) *report {
	r := &report{Schema: schemaVersion, URL: p.url.String(), At: now.UTC(), Checks: checks, Findings: []Finding{}, Missing: []Missing{}}
	wants := func(some ...Check) bool {
		return slices.ContainsFunc(some, func(c Check) bool { return slices.Contains(checks, c) })
	}
	var (
		wg        sync.WaitGroup
		responses []response
		absent    []Missing
	)
	if wants(App, Agents) {
		wg.Go(func() { responses, absent = p.requests(ctx) })
	}
	if wants(Resources, Scaling, Agents, Cache) {
		o, missing := p.objects(ctx)
		r.Missing = append(r.Missing, missing...)
		r.Findings = append(r.Findings, resourceFindings(o)...)
		r.Findings = append(r.Findings, scalingFindings(o)...)
		if wants(Agents, Cache) {
			pods, missing := readMetrics(ctx, o, p.scrape)
			r.Missing = append(r.Missing, missing...)
			r.Findings = append(r.Findings, agentFindings(o, pods)...)
			r.Findings = append(r.Findings, cacheFindings(o, pods)...)
		}
	}
	wg.Wait()
	r.Missing = append(r.Missing, absent...)
	r.Findings = append(r.Findings, appFindings(p.url, responses, now)...)
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool { return !wants(f.Check) })
	r.Missing = slices.DeleteFunc(r.Missing, func(m Missing) bool { return !wants(m.Check) })
	sortFindings(r.Findings)
	return r
}

// requests sends each endpoint's request, one after the other: together they
// would slow each other.
func (p platform) requests(ctx context.Context) (list []response, missing []Missing) {
	withoutToken := ""
	switch host := p.url.Hostname(); {
	case p.token == "":
		withoutToken = "no token: set TOKEN or --token-file"
	case p.url.Scheme != "https" && host != "localhost" && !net.ParseIP(host).IsLoopback():
		withoutToken = "the token would be sent unencrypted: the url must be https://"
	}
	for _, e := range endpoints {
		if withoutToken != "" && !e.public {
			for _, check := range []Check{App, Agents} {
				missing = append(missing, Missing{check, e.path, withoutToken})
			}
			continue
		}
		list = append(list, request(ctx, p.url, e, p.token))
	}
	return list, missing
}

// write prints the report. The error has the exit code.
func (r *report) write(out io.Writer, asJSON bool) (err error) {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(r)
	} else {
		err = r.text(out)
	}
	switch {
	case err != nil:
		return &exitcode.Error{Code: exitcode.NotLooked, Err: fmt.Errorf("write the report: %w", err)}
	case len(r.Findings) > 0:
		return &exitcode.Error{Code: exitcode.Found}
	case len(r.Missing) > 0:
		return &exitcode.Error{Code: exitcode.NotLooked}
	}
	return nil
}

// text prints the report for people.
func (r *report) text(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %s\n", r.URL, r.At.Format(time.RFC3339))
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n%s: %s: %s\n  evidence   %s\n", f.Check, f.Name, f.Where, f.Evidence)
		if f.Threshold != "" {
			fmt.Fprintf(&b, "  threshold  %s\n", f.Threshold)
		}
		fmt.Fprintf(&b, "  cause      %s\n  fix        %s\n  next       %s\n", f.Cause, f.Fix, f.Next)
	}
	if len(r.Findings) > 0 {
		fmt.Fprintln(&b, "\ndocs/runbooks/diagnose.md has each finding.")
	}
	if len(r.Missing) > 0 {
		fmt.Fprintln(&b, "\nnot read:")
	}
	for _, m := range r.Missing {
		fmt.Fprintf(&b, "  %s: %s: %s\n", m.Check, m.What, m.Reason)
	}
	fmt.Fprintln(&b)
	for _, check := range r.Checks {
		count, incomplete := 0, ""
		for _, f := range r.Findings {
			if f.Check == check {
				count++
			}
		}
		if slices.ContainsFunc(r.Missing, func(m Missing) bool { return m.Check == check }) {
			incomplete = ", incomplete"
		}
		fmt.Fprintf(&b, "%s: %d findings%s\n", check, count, incomplete)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
