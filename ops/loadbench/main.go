// Command loadbench measures the load generators pf load, autocannon and wrk against one server in
// one run:
//
//	make bench-load
//
// It prints the requests per second of CPU time of each generator. It also prints the p99 that each
// generator reports for a server that stalls for 500 ms every 2 s. pf load decodes and checks each
// response. The other generators only read the responses.
package main

import (
	"bytes"
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
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/progressive-framework/platform/ops/load"
)

const (
	// connections is the number of connections of each generator.
	connections = 10
	// The stalling server sends no response for the time stall at the start of each stallPeriod.
	stall       = 500 * time.Millisecond
	stallPeriod = 2 * time.Second
	// stalledPerSecond is the request rate of pf load against the stalling server.
	stalledPerSecond = 1000
	maxDuration      = 5 * time.Minute
)

func main() {
	serve := flag.Bool("serve", false, "serve; loadbench starts itself with this flag")
	stalls := flag.Bool("stall", false, "stall; with -serve")
	client := flag.String("client", "", "load this url; loadbench starts itself with this flag")
	rate := flag.Float64("rate", 0, "requests per second; 0 is a closed loop; with -client")
	autocannon := flag.String("autocannon", "autocannon", "the executable of autocannon")
	each := flag.Duration("each", 4*time.Second, "the duration of each measurement, in whole seconds")
	rounds := flag.Int("rounds", 3, "the number of measurements of the rate; the median is printed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	var err error
	switch {
	case *serve:
		err = runServer(ctx, *stalls)
	case *client != "":
		err = runOwnLoad(ctx, *client, *rate, *each)
	default:
		err = runBenchmark(ctx, *autocannon, *each, *rounds)
	}
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// runServer starts a server that responds as /health does, and prints the URL of the server. If
// stalls is true, the server stalls regularly.
func runServer(ctx context.Context, stalls bool) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	start := time.Now()
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if elapsed := time.Since(start) % stallPeriod; stalls && elapsed < stall {
			time.Sleep(stall - elapsed)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"ok"}`)) // fails if the client has disconnected
	})}
	return s.Serve(listener)
}

// figures are the results of one generator.
type figures struct {
	Requests float64 `json:"requests"`
	P99      float64 `json:"p99"` // in milliseconds
	perCPU   float64 // requests per second of CPU time
}

// runOwnLoad runs one stream, as pf load does, and prints its figures.
func runOwnLoad(ctx context.Context, target string, rate float64, duration time.Duration) error {
	base, err := url.Parse(target)
	if err != nil {
		return err
	}
	count := connections
	if rate > 0 {
		count = load.DefaultConnections
	}
	load.ReduceGarbageCollection()
	stream, end := load.NewClient(base, "", "", count, false).NewStream(load.Health, load.Shape{Connections: count, PerSecond: rate, Duration: duration})
	defer end()
	r := stream.Run(ctx)
	if r.Failed.Total() > 0 {
		return errors.New(r.Failed.String())
	}
	return json.NewEncoder(os.Stdout).Encode(figures{float64(r.Sent()), float64(r.Percentile(99).Microseconds()) / 1000, 0})
}

// runBenchmark runs all generators and prints the table.
func runBenchmark(ctx context.Context, autocannon string, each time.Duration, rounds int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	seconds := strconv.Itoa(int(each.Seconds()))
	generators := []struct {
		name string
		// command returns the command line that loads a URL. A rate of 0 means as fast as possible.
		command func(url string, rate float64) []string
		parse   func([]byte) (figures, error)
	}{
		{"pf load", func(url string, rate float64) []string {
			return []string{self, "-client", url, "-rate", fmt.Sprint(rate), "-each", each.String()}
		}, parseOwn},
		{"autocannon", func(url string, _ float64) []string {
			return []string{autocannon, "-j", "-c", strconv.Itoa(connections), "-d", seconds, url + "/health"}
		}, parseAutocannon},
		{"wrk", func(url string, _ float64) []string {
			return []string{"wrk", "--latency", "-t", "1", "-c", strconv.Itoa(connections), "-d", seconds, url + "/health"}
		}, parseWrk},
	}
	fastServer, err := startServer(ctx, self)
	if err != nil {
		return err
	}
	defer fastServer.stop()
	stallingServer, err := startServer(ctx, self, "-stall")
	if err != nil {
		return err
	}
	defer stallingServer.stop()
	fmt.Printf("| generator | requests per second of its CPU time, median of %d | p99 of a server that stalls for %s every %s |\n|---|---:|---:|\n", rounds, stall, stallPeriod)
	for _, g := range generators {
		var samples []float64
		for range rounds {
			f, err := measure(ctx, g.command(fastServer.url, 0), g.parse)
			if err != nil {
				return fmt.Errorf("%s: %w", g.name, err)
			}
			samples = append(samples, f.perCPU)
		}
		slices.Sort(samples)
		f, err := measure(ctx, g.command(stallingServer.url, stalledPerSecond), g.parse)
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		fmt.Printf("| %s | %.0f | %.1f ms |\n", g.name, samples[len(samples)/2], f.P99)
	}
	return nil
}

// measure runs a generator and reads its figures and its CPU time.
func measure(ctx context.Context, command []string, parse func([]byte) (figures, error)) (figures, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1") // the others use one thread, too
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return figures{}, fmt.Errorf("%w\n%s", err, &stderr)
	}
	f, err := parse(out)
	f.perCPU = f.Requests / (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	return f, err
}

// parseOwn parses the output of runOwnLoad.
func parseOwn(out []byte) (f figures, err error) { return f, json.Unmarshal(out, &f) }

// parseAutocannon parses the JSON output of autocannon.
func parseAutocannon(out []byte) (figures, error) {
	var r struct {
		Requests struct{ Total float64 }
		Latency  struct{ P99 float64 }
		Errors   int
	}
	err := json.Unmarshal(out, &r)
	if err == nil && r.Errors > 0 {
		err = fmt.Errorf("%d errors", r.Errors)
	}
	return figures{r.Requests.Total, r.Latency.P99, 0}, err
}

var (
	wrkRequests = regexp.MustCompile(`(\d+) requests in`)
	wrkP99      = regexp.MustCompile(`99%\s+(\S+)`)
)

// parseWrk parses the text output of wrk.
func parseWrk(out []byte) (figures, error) {
	requests, p99 := wrkRequests.FindSubmatch(out), wrkP99.FindSubmatch(out)
	if requests == nil || p99 == nil {
		return figures{}, fmt.Errorf("unexpected output: %s", out)
	}
	count, err := strconv.ParseFloat(string(requests[1]), 64)
	if err != nil {
		return figures{}, err
	}
	latency, err := time.ParseDuration(string(p99[1]))
	return figures{count, float64(latency.Microseconds()) / 1000, 0}, err
}

// process is a child process of this program. It runs a server.
type process struct {
	url  string
	stop func()
}

// startServer starts this program as a server, and returns the process.
func startServer(ctx context.Context, self string, args ...string) (p process, err error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, self, append([]string{"-serve"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return p, fmt.Errorf("start %s: %w", filepath.Base(self), err)
	}
	p.stop = func() {
		cancel()
		_ = cmd.Wait() // it was killed, so its error is expected
	}
	if _, err = fmt.Fscanln(out, &p.url); err != nil {
		p.stop()
		return p, fmt.Errorf("url of the server: %w", err)
	}
	return p, nil
}
