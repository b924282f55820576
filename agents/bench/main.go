// Command bench measures the services. In the same run it measures the echo server: a
// minimal net/http server that echoes 40 bytes of JSON.
//
//	go run ./agents/bench
//
// It prints the three tables of docs/performance.md:
//   - the latency of uncached responses,
//   - the load test at the web app's highest rate,
//   - the throughput of cached responses at saturation, relative to the echo server.
//
// Every server is a process with GOMAXPROCS=1. Debian's wrk generates the load at
// saturation. It uses a fraction of the CPU time that a Go client would use.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"time"

	"github.com/progressive-framework/platform/agents/internal/testplatform"
	"github.com/progressive-framework/platform/ops/load"
)

const (
	// maxDuration bounds the whole run, which takes about 3 minutes with the default flags.
	maxDuration = 15 * time.Minute
	// user is the user of the design document's load test.
	user = "test-user-123"
)

func main() {
	echo := flag.Bool("echo", false, "run the echo server; bench starts itself with this flag")
	duration := flag.Duration("each", 3*time.Second, "the duration of each measurement, in whole seconds")
	rounds := flag.Int("rounds", 7, "the number of measurements of each ratio; the median is reported")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	var err error
	if *echo {
		err = serveEcho(ctx)
	} else {
		err = measureServices(ctx, *duration, *rounds)
	}
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// serveEcho runs the echo server: it decodes the JSON of each request and sends it
// back. It logs its address as the services do.
func serveEcho(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("{\"msg\":\"listening\",\"address\":%q}\n", listener.Addr())
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body) // fails if the client has disconnected
	})}
	return server.Serve(listener)
}

// endpoint is a measured request of one process.
type endpoint struct {
	name    string
	process testplatform.Process
	request load.Request
	// ratioGoal is the goal for the rate at saturation: the endpoint's requests per
	// second, divided by those of the echo server. Zero means no goal.
	ratioGoal float64
	// p95Goal is the goal for the 95th percentile of the latency at uncachedPerSecond.
	// Zero means no goal.
	p95Goal time.Duration
}

// newClient returns a load client that sends the token.
func (e endpoint) newClient(token string) *load.Client {
	base, _ := url.Parse(e.process.URL) // a URL of testplatform is valid
	const remote = false                // the server is on this machine
	return load.NewClient(base, user, token, uncachedConnections, remote)
}

// measureServices starts the services and the echo server, and prints the three
// tables.
func measureServices(ctx context.Context, duration time.Duration, rounds int) (err error) {
	env, err := testplatform.New(ctx, "ops/pf")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, env.Close()) }()
	token, err := env.Token(user)
	if err != nil {
		return err
	}
	const oneCore = "GOMAXPROCS=1"
	// All requests are of one user. The limit of requests per user must not slow them down.
	platform, err := env.StartPlatform(ctx, oneCore, "USER_RATE=1000000", "USER_BURST=1000000")
	if err != nil {
		return err
	}
	benchProgram, err := os.Executable()
	if err != nil {
		return err
	}
	echo, err := env.Run(ctx, benchProgram, []string{oneCore}, "-echo")
	if err != nil {
		return err
	}
	if err := printLatencies(ctx, token, duration, []endpoint{
		{name: "npa POST plan of 7 days", process: platform.NPA, request: load.Plan.WithUncachedBody(), p95Goal: 30 * time.Millisecond},
		{name: "wpa POST generate", process: platform.WPA, request: load.Generate.WithUncachedBody(), p95Goal: 5 * time.Millisecond},
		{name: "mca POST coordinate", process: platform.MCA, request: load.Coordinate.WithUncachedBody()},
	}); err != nil {
		return err
	}
	if err := runLoadTest(ctx, env.Executable("pf"), platform.Web.URL, token, 3*duration); err != nil {
		return err
	}
	echoRequest := load.Request{Method: http.MethodPost, Path: "/", Body: load.Preferences.Body}
	return printSaturation(ctx, token, duration, rounds, endpoint{name: "bare net/http JSON echo", process: echo, request: echoRequest}, []endpoint{
		{name: "web GET profile, cached in Redis", process: platform.Web, request: load.GetProfile, ratioGoal: 0.45},
		{name: "npa POST plan of 7 days, cached", process: platform.NPA, request: load.Plan, ratioGoal: 0.45},
		{name: "mca POST coordinate, cached", process: platform.MCA, request: load.Coordinate},
	})
}

const (
	// uncachedPerSecond is the rate of uncached requests.
	uncachedPerSecond = 100
	// uncachedConnections is so large that no request waits for a connection.
	uncachedConnections = 200
)

// printLatencies sends requests at a fixed rate and prints their latency. The latency
// of a request counts from the time at which it was due, even if it was sent later.
func printLatencies(ctx context.Context, token string, duration time.Duration, endpoints []endpoint) error {
	fmt.Printf("| uncached, at %d requests/s | p50 | p95 | p99 | failed | goal of the p95 |\n|---|---:|---:|---:|---:|---|\n", uncachedPerSecond)
	for _, e := range endpoints {
		shape := load.Shape{Connections: uncachedConnections, PerSecond: uncachedPerSecond, WarmUp: time.Second, Duration: duration}
		stream, closeStream := e.newClient(token).NewStream(e.request, shape)
		measurement := stream.Run(ctx)
		closeStream()
		if err := ctx.Err(); err != nil {
			return err
		}
		goal := ""
		if e.p95Goal > 0 {
			reached := len(measurement.Latencies) > 0 && measurement.Percentile(95) < e.p95Goal
			goal = "under " + e.p95Goal.String() + missedNote(reached)
		}
		percentile := func(p int) time.Duration { return measurement.Percentile(p).Round(10 * time.Microsecond) }
		fmt.Printf("| %s | %s | %s | %s | %s | %s |\n", e.name, percentile(50), percentile(95), percentile(99), cmp.Or(measurement.Failed.String(), "0"), goal)
	}
	fmt.Println()
	return nil
}

// missedNote returns the text that follows a goal in a table cell: ": missed", or "" if
// the goal is reached.
func missedNote(reached bool) string {
	if reached {
		return ""
	}
	return ": missed"
}

// runLoadTest runs the design document's load test at the highest rate of the web app.
// It also sends 15 uncached requests a second through web: five to each of the
// three agents.
func runLoadTest(ctx context.Context, executable, url, token string, duration time.Duration) error {
	cmd := exec.CommandContext(ctx, executable, "load", "--url", url, "--duration", duration.String(),
		"--rate", strconv.Itoa(load.MaxPerSecond()), "--agents-rate", "15", "--uncached", "--strict")
	cmd.Env = []string{"TOKEN=" + token}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run the load test: %w", err)
	}
	fmt.Println()
	return nil
}
