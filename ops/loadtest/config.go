package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/load"
)

const (
	maxDuration    = 10 * time.Minute
	maxConnections = 1000
)

// maxRequests is five minutes, the design document's duration, at the web app's
// highest rate, with the same number of requests to the agents.
var maxRequests = 2 * 300 * load.MaxPerSecond()

// config is the validated command line.
type config struct {
	url         *url.URL
	token       token
	duration    time.Duration
	connections int
	// rate and agentsRate are requests per second to the web app, and to all
	// agents together.
	rate, agentsRate float64
	scenarios        []load.Scenario
	uncached, remote bool
	json, strict     bool
}

func readConfig(args []string, getenv func(string) string, stderr io.Writer) (cfg config, err error) {
	flags := flag.NewFlagSet("loadtest", flag.ContinueOnError)
	flags.SetOutput(stderr)
	base := flags.String("url", fmt.Sprintf("http://127.0.0.1:%d", scaling.Web().NodePort), "the stack output url; all requests go there")
	file := flags.String("token-file", "", "a file with the token; the default is the variable TOKEN")
	only := flags.String("only", "", "the scenarios to run: some of main,agents,websocket; the default is all")
	flags.DurationVar(&cfg.duration, "duration", 30*time.Second, "duration, at most 10m; the design document's is 5m")
	flags.IntVar(&cfg.connections, "connections", load.DefaultConnections, "connections to the web app, at most 1000; each agent gets a third, and 50 WebSockets at most")
	flags.Float64Var(&cfg.rate, "rate", 100, fmt.Sprintf("requests per second to the web app, at most %d", load.MaxPerSecond()))
	flags.Float64Var(&cfg.agentsRate, "agents-rate", 0, "requests per second to the agents, a third to each; 0 means the value of -rate")
	flags.BoolVar(&cfg.uncached, "uncached", false, "send each agent a different request each time, so that no response is cached")
	flags.BoolVar(&cfg.remote, "allow-remote", false, "allow a url that is not a loopback address; you must be permitted to load the host")
	flags.BoolVar(&cfg.strict, "strict", false, "exit with 1 if a limit is not met")
	flags.BoolVar(&cfg.json, "json", false, "report as JSON")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if flags.NArg() > 0 {
		return cfg, fmt.Errorf("%q is not a flag: see -help", flags.Arg(0))
	}
	if cfg.agentsRate == 0 {
		cfg.agentsRate = cfg.rate
	}
	if cfg.url, err = readURL(*base, cfg.remote); err != nil {
		return cfg, err
	}
	if cfg.scenarios, err = readScenarios(*only); err != nil {
		return cfg, err
	}
	if err := cfg.validate(); err != nil {
		return cfg, err
	}
	text := getenv("TOKEN")
	if *file != "" {
		content, err := os.ReadFile(*file)
		if err != nil {
			return cfg, err
		}
		text = string(content)
	}
	cfg.token, err = readToken(strings.TrimSpace(text), time.Now())
	return cfg, err
}

// validate bounds the load, so that it ends.
func (c config) validate() error {
	if c.duration <= 0 || c.duration > maxDuration {
		return fmt.Errorf("-duration is %s, must be above 0 and at most %s", c.duration, maxDuration)
	}
	if c.connections < 1 || c.connections > maxConnections {
		return fmt.Errorf("-connections is %d, must be from 1 to %d", c.connections, maxConnections)
	}
	for _, rate := range []struct {
		flag  string
		value float64
	}{{"-rate", c.rate}, {"-agents-rate", c.agentsRate}} {
		if !(rate.value > 0 && rate.value <= float64(load.MaxPerSecond())) { // rejects NaN too
			return fmt.Errorf("%s is %g, must be above 0 and at most %d, the design document's requests_per_second_max", rate.flag, rate.value, load.MaxPerSecond())
		}
	}
	if requests := (c.rate + c.agentsRate) * c.duration.Seconds(); requests > float64(maxRequests) {
		return fmt.Errorf("-duration %s at %g requests per second makes %.0f requests, must be at most %d: lower -duration, -rate or -agents-rate",
			c.duration, c.rate+c.agentsRate, requests, maxRequests)
	}
	return nil
}

// readURL rejects a host that may not be the caller's, and one that would get
// the token unencrypted. A host name is resolved later, and must then have a
// loopback address.
func readURL(text string, remote bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("-url is %q, must be http:// or https:// and a host without a path", text)
	}
	address, err := netip.ParseAddr(u.Hostname())
	switch loopback := err == nil && address.IsLoopback() || u.Hostname() == "localhost"; {
	case loopback:
		return u, nil
	case !remote:
		return nil, fmt.Errorf("-url is %s, must be a loopback address: set -allow-remote if you are permitted to load the host", text)
	case u.Scheme != "https":
		return nil, errors.New("-url must be https:// for a remote host, because the token would be sent unencrypted")
	}
	return u, nil
}

// readScenarios parses the flag -only; an empty flag means all scenarios.
func readScenarios(only string) ([]load.Scenario, error) {
	if only == "" {
		return load.Scenarios, nil
	}
	var scenarios []load.Scenario
	for name := range strings.SplitSeq(only, ",") {
		if !slices.Contains(load.Scenarios, load.Scenario(name)) {
			return nil, fmt.Errorf("-only has %q, must be some of %v, separated by commas", name, load.Scenarios)
		}
		scenarios = append(scenarios, load.Scenario(name))
	}
	return scenarios, nil
}
