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
// highest rate, and as many requests to the agents.
var maxRequests = 2 * 300 * load.MaxPerSecond()

// config is the validated command line.
type config struct {
	url         *url.URL
	token       token
	duration    time.Duration
	connections int
	// rate and agentsRate are requests per second to the web app and to all
	// agents together.
	rate, agentsRate float64
	parts            []load.Part
	uncached, remote bool
	json, strict     bool
}

func readConfig(args []string, getenv func(string) string, errs io.Writer) (cfg config, err error) {
	flags := flag.NewFlagSet("loadtest", flag.ContinueOnError)
	flags.SetOutput(errs)
	base := flags.String("url", fmt.Sprintf("http://127.0.0.1:%d", scaling.Web().NodePort), "the stack output url; all requests go there")
	file := flags.String("token-file", "", "a file with the token; without it the variable TOKEN holds it")
	only := flags.String("only", "", "some parts of main,agents,websocket; all where empty")
	flags.DurationVar(&cfg.duration, "duration", 30*time.Second, "duration, at most 10m; the document's is 5m")
	flags.IntVar(&cfg.connections, "connections", load.DefaultConnections, "connections to the web app, at most 1000; each agent gets a third, and 50 WebSockets at most")
	flags.Float64Var(&cfg.rate, "rate", 100, fmt.Sprintf("requests per second to the web app, at most %d", load.MaxPerSecond()))
	flags.Float64Var(&cfg.agentsRate, "agents-rate", 0, "requests per second to the agents, a third to each; as many as -rate where 0")
	flags.BoolVar(&cfg.uncached, "uncached", false, "send each agent a different request each time, so that no cache has the answer")
	flags.BoolVar(&cfg.remote, "allow-remote", false, "allow a url beyond this machine's loopback; the host must be yours to load")
	flags.BoolVar(&cfg.strict, "strict", false, "exit with 1 when a limit is missed")
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
	if cfg.parts, err = readParts(*only); err != nil {
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

// validate bounds the load, so that it ends by itself.
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
		if !(rate.value > 0 && rate.value <= float64(load.MaxPerSecond())) { // refuses NaN too
			return fmt.Errorf("%s is %g, must be above 0 and at most %d, the document's requests_per_second_max", rate.flag, rate.value, load.MaxPerSecond())
		}
	}
	if requests := (c.rate + c.agentsRate) * c.duration.Seconds(); requests > float64(maxRequests) {
		return fmt.Errorf("-duration %s at %g requests per second makes %.0f requests, must be at most %d: lower -duration, -rate or -agents-rate",
			c.duration, c.rate+c.agentsRate, requests, maxRequests)
	}
	return nil
}

// readURL refuses a host that may not be the caller's, and one to which the
// token would travel unencrypted. A name is resolved later, and must then be
// an address of the loopback.
func readURL(text string, remote bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("-url is %q, must be http:// or https:// and a host, and no more", text)
	}
	address, err := netip.ParseAddr(u.Hostname())
	switch loopback := err == nil && address.IsLoopback() || u.Hostname() == "localhost"; {
	case loopback:
		return u, nil
	case !remote:
		return nil, fmt.Errorf("-url is %s, must be on this machine's loopback: give -allow-remote if the host is yours and may be loaded", text)
	case u.Scheme != "https":
		return nil, errors.New("-url must be https:// beyond this machine, or the token can be read on the way")
	}
	return u, nil
}

func readParts(only string) ([]load.Part, error) {
	if only == "" {
		return load.Parts, nil
	}
	var parts []load.Part
	for name := range strings.SplitSeq(only, ",") {
		if !slices.Contains(load.Parts, load.Part(name)) {
			return nil, fmt.Errorf("-only has %q, must be some of %v, separated by commas", name, load.Parts)
		}
		parts = append(parts, load.Part(name))
	}
	return parts, nil
}
