package diagnose

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
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

// schemaVersion is the version of the JSON report. Version 2 has the runbook of each finding.
const schemaVersion = 2

// report is the JSON report.
type report struct {
	Schema   int       `json:"schema"`
	URL      string    `json:"url"`
	At       time.Time `json:"at"`
	Checks   []Check   `json:"checks"`
	Findings []Finding `json:"findings"`
	// Missing lists what could not be read.
	Missing []Missing `json:"missing"`
	// Absent lists what this platform does not have.
	Absent []Absent `json:"absent"`
	// Figures lists every measured value.
	Figures []Figure `json:"figures"`
}

// CloudReader reads from AWS the groups, targets and databases of a stack. Package cloudview
// implements it.
type CloudReader func(context.Context, stackoutput.Outputs) (Cloud, []Missing, []Absent)

// platform is the stack under diagnosis, with the clients that read it.
type platform struct {
	url   *url.URL
	token string
	// roots are the trusted authorities of the platform's certificate. nil means the authorities
	// of the system.
	roots       *x509.CertPool
	readObjects func(context.Context) (objects, []Missing, []Absent)
	clients     kubeclient.Clients
	readCloud   func(context.Context) (Cloud, []Missing, []Absent)
	outputs     stackoutput.Outputs
}

// Command returns the subcommand diagnose. readOutputs reads the stack's outputs, and readCloud reads
// AWS.
func Command(readOutputs func(context.Context) (stackoutput.Outputs, error), readCloud CloudReader) *cobra.Command {
	var asJSON bool
	var tokenFile, page string
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
			"Exit codes: 0 healthy, 1 findings, 2 wrong usage, 3 no finding, but something\n" +
			"could not be read.",
		Example:   "  TOKEN=\"$(make token)\" pf diagnose\n  pf diagnose resources --json\n  pf diagnose --report report.html",
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
			stack, err := readOutputs(c.Context())
			if err != nil {
				return &exitcode.Error{Code: exitcode.Incomplete, Err: err}
			}
			p, err := newPlatform(stack, token, readCloud)
			if err != nil {
				return &exitcode.Error{Code: exitcode.Incomplete, Err: err}
			}
			return p.diagnose(c.Context(), checks, time.Now()).write(c.OutOrStdout(), asJSON, page)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "report as JSON")
	c.Flags().StringVar(&page, "report", "", "also write the report as an HTML page to this file")
	c.Flags().StringVar(&tokenFile, "token-file", "", "a file with the token; the default is the variable TOKEN")
	return c
}

// readToken returns the token in a file. If file is empty, it returns the variable TOKEN.
func readToken(file string) (string, error) {
	if file == "" {
		return os.Getenv("TOKEN"), nil
	}
	content, err := os.ReadFile(file)
	return strings.TrimSpace(string(content)), err
}

// newPlatform creates the clients for a stack's platform. It sends no request.
func newPlatform(stack stackoutput.Outputs, token string, readCloud CloudReader) (p platform, err error) {
	if p.url, err = url.Parse(stack.URL); err != nil || p.url.Host == "" {
		return p, fmt.Errorf("the stack's output url is %q, must have a host", stack.URL)
	}
	if stack.Namespace == "" || len(stack.KubeconfigContent()) == 0 {
		return p, errors.New("the stack has no output namespace or kubeconfig: run pulumi up first")
	}
	clients, err := kubeclient.New(stack.KubeconfigContent())
	if err != nil {
		return p, err
	}
	p.token, p.clients, p.outputs = token, clients, stack
	p.readObjects = func(ctx context.Context) (objects, []Missing, []Absent) {
		return readObjects(ctx, clients, stack.Namespace, time.Now())
	}
	p.readCloud = func(ctx context.Context) (Cloud, []Missing, []Absent) { return readCloud(ctx, stack) }
	return p, nil
}

// diagnose reads the data that the checks need, and returns the report.
func (p platform) diagnose(ctx context.Context, checks []Check, now time.Time) *report {
	includesAny := func(wanted ...Check) bool {
		return slices.ContainsFunc(wanted, func(c Check) bool { return slices.Contains(checks, c) })
	}
	var (
		wg                                     sync.WaitGroup
		responses                              []response
		cloud                                  Cloud
		missing, requestsMissing, cloudMissing []Missing
		absent, cloudAbsent                    []Absent
		r                                      results
	)
	if includesAny(App, Agents) {
		wg.Go(func() { responses, requestsMissing = p.sendRequests(ctx) })
	}
	if includesAny(App, Scaling, Database) {
		wg.Go(func() { cloud, cloudMissing, cloudAbsent = p.readCloud(ctx) })
	}
	if includesAny(Resources, Database, Scaling, Agents, Cache) {
		var (
			o objects
			m metrics
		)
		o, missing, absent = p.readObjects(ctx)
		o.databaseHost = p.outputs.Postgres.Host
		r.add(resourceFindings(o), o.usageFigures())
		r.add(scalingFindings(o))
		if includesAny(Database, Agents, Cache) {
			var metricsMissing []Missing
			var metricsAbsent []Absent
			m, metricsMissing, metricsAbsent = readMetrics(ctx, o, p.clients)
			missing, absent = append(missing, metricsMissing...), append(absent, metricsAbsent...)
			r.add(databaseFindings(o, m))
			r.add(agentFindings(o, m))
			r.add(cacheFindings(o, m))
			absent = append(absent, absentStores(p.outputs, o)...)
		}
	}
	wg.Wait()
	r.add(appFindings(p.url, responses, now), responseFigures(responses))
	r.add(cloudFindings(cloud, now))
	return newReport(p.url.String(), now, checks, dropRepeatedBreakers(r), slices.Concat(missing, requestsMissing, cloudMissing), append(absent, cloudAbsent...))
}

// dropRepeatedBreakers drops the open breakers that mca's status reports, if mca's metrics also
// report an open breaker. The findings from the metrics are better, because they name the pod.
func dropRepeatedBreakers(r results) results {
	metricsReportBreaker := slices.ContainsFunc(r.findings, func(f Finding) bool { return f.Name == "breaker-open" && strings.HasPrefix(f.Where, "pod/") })
	if metricsReportBreaker {
		r.findings = slices.DeleteFunc(r.findings, func(f Finding) bool { return f.Name == "breaker-open" && !strings.HasPrefix(f.Where, "pod/") })
	}
	return r
}

// sendRequests sends one request to each endpoint. It sends the requests one after the other,
// because concurrent requests would slow each other. missing has the endpoints that need a token,
// if the token is missing or must not be sent.
func (p platform) sendRequests(ctx context.Context) (responses []response, missing []Missing) {
	tokenFault := ""
	switch host := p.url.Hostname(); {
	case p.token == "":
		tokenFault = "no token: set TOKEN or --token-file"
	case p.url.Scheme != "https" && host != "localhost" && !net.ParseIP(host).IsLoopback():
		tokenFault = "the token would be sent unencrypted: the url must be https://"
	}
	for _, e := range endpoints {
		if tokenFault != "" && !e.public {
			for _, check := range []Check{App, Agents} {
				missing = append(missing, Missing{check, e.path, tokenFault})
			}
			continue
		}
		responses = append(responses, sendRequest(ctx, p.url, e, p.token, p.roots))
	}
	return responses, missing
}
