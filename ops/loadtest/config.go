package loadtest

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/progressive-framework/platform/ops/load"
)

const (
	maxDuration = 10 * time.Minute
	// maxLongDuration is the longest duration of soak and replay.
	maxLongDuration = 4 * time.Hour
	maxConnections  = 1000
)

// The default durations. The design document's is five minutes.
const (
	defaultDuration     = 30 * time.Second
	defaultSoakDuration = 30 * time.Minute
)

// maxRequests is the highest number of requests of a test: five minutes, the design document's
// duration, at the web app's highest rate, and as many requests to the agents.
var maxRequests = 2 * 300 * load.MaxPerSecond()

// flags is the command line as the user wrote it.
type flags struct {
	url, tokenFile, only          string
	duration                      time.Duration
	connections                   int
	rate, agentsRate              float64
	uncached, remote              bool
	json, strict, progress        bool
	htmlFile, compareFile         string
	durationWasSet, rateWasSet    bool
	profile, replayFile, envTOKEN string
}

// register defines the flags.
func (f *flags) register(set *pflag.FlagSet) {
	set.StringVar(&f.url, "url", "", "the platform's url; the default is the stack's output")
	set.StringVar(&f.tokenFile, "token-file", "", "a file with the token; the default is the variable TOKEN")
	set.StringVar(&f.only, "only", "", "the scenarios to run: some of main,agents,websocket; the default is all")
	set.DurationVar(&f.duration, "duration", defaultDuration, "duration, at most 10m, of soak 4h; the design document's is 5m, the default of soak 30m")
	set.IntVar(&f.connections, "connections", load.DefaultConnections, "connections to the web app, at most 1000; each agent gets a third, and 50 WebSockets at most")
	set.Float64Var(&f.rate, "rate", 100, fmt.Sprintf("highest rate of requests per second to the web app, at most %d", load.MaxPerSecond()))
	set.Float64Var(&f.agentsRate, "agents-rate", 0, "highest rate of requests per second to the agents, a third to each; 0 means the value of --rate")
	set.BoolVar(&f.uncached, "uncached", false, "send each agent a different request each time, so that no response is cached")
	set.BoolVar(&f.remote, "allow-remote", false, "allow a url that is not a loopback address; you must be permitted to load the host")
	set.BoolVar(&f.strict, "strict", false, "exit with 1 if a limit is not met")
	set.BoolVar(&f.json, "json", false, "report as JSON (docs/load.md)")
	set.StringVar(&f.htmlFile, "html", "", "write the report as an HTML page to this file, too")
	set.StringVar(&f.compareFile, "compare", "", "compare with the JSON report of an earlier run in this file")
	set.BoolVar(&f.progress, "progress", false, "show a line of progress; the default is on a terminal only")
}

// config is the validated command line.
type config struct {
	url         *url.URL
	token       token
	profile     string
	curve       load.Curve
	duration    time.Duration
	connections int
	// rate is the highest rate to the web app, in requests per second. agentsRate is the highest rate
	// to all agents together.
	rate, agentsRate float64
	scenarios        []load.Scenario
	uncached, remote bool
	oldReport        *report // the report of --compare; nil: none
}

// newConfig checks the flags and returns them as a config. platform is the URL of --url, or the URL
// in the stack's outputs.
func (f *flags) newConfig(platform string, now time.Time) (cfg config, err error) {
	cfg = config{profile: f.profile, duration: f.duration, connections: f.connections, rate: f.rate, agentsRate: f.agentsRate, uncached: f.uncached, remote: f.remote}
	if err := f.setCurve(&cfg); err != nil {
		return cfg, err
	}
	if cfg.agentsRate == 0 {
		cfg.agentsRate = cfg.rate
	}
	if cfg.url, err = parseURL(platform, cfg.remote); err != nil {
		return cfg, err
	}
	if cfg.scenarios, err = parseScenarios(f.only); err != nil {
		return cfg, err
	}
	if err := cfg.checkBounds(); err != nil {
		return cfg, err
	}
	if f.compareFile != "" {
		if cfg.oldReport, err = readReport(f.compareFile); err != nil {
			return cfg, fmt.Errorf("--compare: %w", err)
		}
	}
	text := f.envTOKEN
	if f.tokenFile != "" {
		content, err := os.ReadFile(f.tokenFile)
		if err != nil {
			return cfg, err
		}
		text = string(content)
	}
	cfg.token, err = parseToken(strings.TrimSpace(text), now)
	return cfg, err
}

// setCurve sets the curve of the profile. For a replay it also sets the rate and the duration of
// the file.
func (f *flags) setCurve(cfg *config) (err error) {
	if f.profile != load.Replay {
		if f.profile == load.Soak && !f.durationWasSet {
			cfg.duration = defaultSoakDuration
		}
		cfg.curve, err = load.NewCurve(f.profile, cfg.duration)
		return err
	}
	if f.rateWasSet || f.durationWasSet {
		return errors.New("--rate and --duration are in the file of replay: leave them out")
	}
	file, err := os.Open(f.replayFile)
	if err != nil {
		return err
	}
	defer file.Close()
	if cfg.curve, cfg.rate, cfg.duration, err = load.ReadReplay(file); err != nil {
		return fmt.Errorf("%s: %w", f.replayFile, err)
	}
	return nil
}

// checkBounds returns an error if the load is too long or has too many requests, so that every load
// ends.
func (c config) checkBounds() error {
	limit := maxDuration
	if c.profile == load.Soak || c.profile == load.Replay {
		limit = maxLongDuration
	}
	if c.duration <= 0 || c.duration > limit {
		return fmt.Errorf("the duration is %s, must be above 0 and at most %s", c.duration, limit)
	}
	if c.connections < 1 || c.connections > maxConnections {
		return fmt.Errorf("--connections is %d, must be from 1 to %d", c.connections, maxConnections)
	}
	for _, rate := range []struct {
		flag  string
		value float64
	}{{"the rate (--rate)", c.rate}, {"--agents-rate", c.agentsRate}} {
		if !(rate.value > 0 && rate.value <= float64(load.MaxPerSecond())) { // rejects NaN too
			return fmt.Errorf("%s is %g, must be above 0 and at most %d, the design document's requests_per_second_max", rate.flag, rate.value, load.MaxPerSecond())
		}
	}
	mean := c.curve.Mean(c.duration)
	if requests := (c.rate + c.agentsRate) * mean * c.duration.Seconds(); requests > float64(maxRequests) {
		return fmt.Errorf("%s for %s at %g requests per second makes %.0f requests, must be at most %d: lower --duration, --rate or --agents-rate",
			c.profile, c.duration, c.rate+c.agentsRate, requests, maxRequests)
	}
	return nil
}

// parseURL parses the URL of the platform. Unless remote is true, the host must be a loopback address
// or localhost, because another host may belong to somebody else. The client later checks the
// address that localhost resolves to. The URL of another host must be https, because the client
// sends the token.
func parseURL(text string, remote bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("the url is %q, must be http:// or https:// and a host without a path: see --url", text)
	}
	address, err := netip.ParseAddr(u.Hostname())
	switch isLoopback := err == nil && address.IsLoopback() || u.Hostname() == "localhost"; {
	case isLoopback:
		return u, nil
	case !remote:
		return nil, fmt.Errorf("the url is %s, must be a loopback address: set --allow-remote if you are permitted to load the host", text)
	case u.Scheme != "https":
		return nil, errors.New("the url must be https:// for a remote host, because the token would be sent unencrypted")
	}
	return u, nil
}

// parseScenarios parses the flag --only. An empty flag means all scenarios.
func parseScenarios(only string) ([]load.Scenario, error) {
	if only == "" {
		return load.Scenarios, nil
	}
	var scenarios []load.Scenario
	for name := range strings.SplitSeq(only, ",") {
		if !slices.Contains(load.Scenarios, load.Scenario(name)) {
			return nil, fmt.Errorf("--only has %q, must be some of %v, separated by commas", name, load.Scenarios)
		}
		scenarios = append(scenarios, load.Scenario(name))
	}
	return scenarios, nil
}
