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

	"github.com/progressive-framework/platform/agents/internal/load/traffic"
)

const (
	maxDuration    = 10 * time.Minute
	maxConnections = 1000
	// maxRequests is the document's five minutes at the most that its web tier
	// is to take, and as many to the agents.
	maxRequests = 2 * 300 * traffic.MaxPerSecond
)

// config is the command line, checked.
type config struct {
	url          *url.URL
	token        token
	duration     time.Duration
	connections  int
	rate         float64
	parts        []traffic.Part
	remote       bool
	json, strict bool
}

func readConfig(args []string, getenv func(string) string, errs io.Writer) (cfg config, err error) {
	flags := flag.NewFlagSet("loadtest", flag.ContinueOnError)
	flags.SetOutput(errs)
	base := flags.String("url", "http://127.0.0.1:30080", "the stack output url; all requests go there")
	file := flags.String("token-file", "", "a file with the token; without it the variable TOKEN holds it")
	only := flags.String("only", "", "some parts of main,agents,websocket; all where empty")
	flags.DurationVar(&cfg.duration, "duration", 30*time.Second, "how long, at most 10m; the document's is 5m")
	flags.IntVar(&cfg.connections, "connections", traffic.Connections, "connections to the web app, at most 1000; each agent gets a third, and 50 WebSockets at most")
	flags.Float64Var(&cfg.rate, "rate", 100, "requests per second to the web app, at most 1000; each agent gets a third")
	flags.BoolVar(&cfg.remote, "allow-remote", false, "the url is a host of yours that may be loaded, not this machine's loopback")
	flags.BoolVar(&cfg.strict, "strict", false, "a missed limit is a failure")
	flags.BoolVar(&cfg.json, "json", false, "report as JSON")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if flags.NArg() > 0 {
		return cfg, fmt.Errorf("%q is not a flag: see -help", flags.Arg(0))
	}
	if cfg.url, err = readURL(*base, cfg.remote); err != nil {
		return cfg, err
	}
	if cfg.parts, err = readParts(*only); err != nil {
		return cfg, err
	}
	if err := cfg.bounded(); err != nil {
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

// bounded: a load ends by itself.
func (c config) bounded() error {
	switch requests := c.rate * 2 * c.duration.Seconds(); {
	case c.duration <= 0 || c.duration > maxDuration:
		return fmt.Errorf("-duration is %s, must be above 0 and at most %s", c.duration, maxDuration)
	case c.connections < 1 || c.connections > maxConnections:
		return fmt.Errorf("-connections is %d, must be from 1 to %d", c.connections, maxConnections)
	// As a condition to keep, so that NaN does not.
	case !(c.rate > 0 && c.rate <= traffic.MaxPerSecond):
		return fmt.Errorf("-rate is %g, must be above 0 and at most %d, the document's requests_per_second_max", c.rate, traffic.MaxPerSecond)
	case requests > maxRequests:
		return fmt.Errorf("-rate %g for -duration %s makes %.0f requests, must be at most %d: lower one", c.rate, c.duration, requests, maxRequests)
	}
	return nil
}

// readURL refuses hosts that may be somebody else's, and to send a token over
// a network in clear. A name is looked up later, and held to loopback then.
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

func readParts(only string) ([]traffic.Part, error) {
	if only == "" {
		return traffic.Parts, nil
	}
	var parts []traffic.Part
	for word := range strings.SplitSeq(only, ",") {
		if !slices.Contains(traffic.Parts, traffic.Part(word)) {
			return nil, fmt.Errorf("-only has %q, must be some of %v with commas between", word, traffic.Parts)
		}
		parts = append(parts, traffic.Part(word))
	}
	return parts, nil
}
