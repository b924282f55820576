package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// connections is the number of wrk's connections. Each sends its next request when
// it has the response to the last one.
const connections = 16

// sample is the result of one run of wrk.
type sample struct {
	PerSecond float64
	// P50, P95 and P99 are in microseconds.
	P50, P95, P99 int64
	Failed        int

	coreUse float64 // the CPU use of the server as a share of its core
	ratio   float64 // the rate divided by the rate of the echo server in the same round
}

// printSaturation prints the throughput of each endpoint. The process of the
// endpoint has its own core; wrk and all other processes share the other cores. Each
// round also measures the echo server, because the machine's speed varies. A result
// is only valid if the server used nearly all of its core. Otherwise wrk was the
// bottleneck.
func printSaturation(ctx context.Context, token string, duration time.Duration, rounds int, echo endpoint, endpoints []endpoint) error {
	c, err := newCores()
	if err != nil {
		return err
	}
	fmt.Printf("| at saturation, median of %d | requests/s | of its core | to the echo | p50 | p95 | p99 | failed | goal |\n", rounds)
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|---:|---|")
	var echoSamples []sample
	for _, e := range endpoints {
		// Send checks the response. The response also fills the cache.
		if err := e.newClient(token).Send(ctx, e.request, 0); err != nil {
			return fmt.Errorf("send the first request of %s: %w", e.name, err)
		}
		var samples []sample
		for range rounds {
			echoSample, err := c.saturate(ctx, echo, token, duration)
			if err != nil {
				return err
			}
			endpointSample, err := c.saturate(ctx, e, token, duration)
			if err != nil {
				return err
			}
			echoSample.ratio, endpointSample.ratio = 1, endpointSample.PerSecond/echoSample.PerSecond
			samples, echoSamples = append(samples, endpointSample), append(echoSamples, echoSample)
		}
		goal := ""
		middle := median(samples, func(s sample) float64 { return s.ratio })
		if e.ratioGoal > 0 {
			goal = fmt.Sprintf("at least %.2f", e.ratioGoal) + missedNote(middle.ratio >= e.ratioGoal)
		}
		if middle.coreUse < 0.9 {
			goal += " (less than 90 % of its core: the server was not the bottleneck)"
		}
		middle.print(e.name, goal)
	}
	median(echoSamples, func(s sample) float64 { return s.PerSecond }).print(echo.name, "")
	return nil
}

// median sorts the samples by key, and returns the one in the middle.
func median(samples []sample, key func(sample) float64) sample {
	slices.SortFunc(samples, func(a, b sample) int { return cmp.Compare(key(a), key(b)) })
	return samples[len(samples)/2]
}

// print prints the sample as a row of the table.
func (s sample) print(name, goal string) {
	microseconds := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	fmt.Printf("| %s | %.0f | %.0f %% | %.2f | %s | %s | %s | %d | %s |\n",
		name, s.PerSecond, 100*s.coreUse, s.ratio, microseconds(s.P50), microseconds(s.P95), microseconds(s.P99), s.Failed, goal)
}

// wrkScript is a Lua program for wrk. It defines the request that wrk repeats, and
// prints a sample in JSON as wrk's last line.
const wrkScript = `wrk.method, wrk.body = %q, %q
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept-Encoding"] = "gzip" -- as browsers send
wrk.headers["Authorization"] = %q
function done(s, latency)
  local e = s.errors
  io.write(string.format('{"PerSecond":%%f,"P50":%%d,"P95":%%d,"P99":%%d,"Failed":%%d}\n', s.requests / s.duration * 1e6,
    latency:percentile(50), latency:percentile(95), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
`

// saturate binds the endpoint's process to the first core, and measures it with wrk.
func (c cores) saturate(ctx context.Context, e endpoint, token string, duration time.Duration) (s sample, err error) {
	if err := c.isolate(e.process.PID); err != nil {
		return s, err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(dir)
	var body []byte
	if e.request.Body != nil {
		if body, err = json.Marshal(e.request.Body(user, 0)); err != nil {
			return s, err
		}
	}
	scriptFile := filepath.Join(dir, "request.lua")
	if err := os.WriteFile(scriptFile, fmt.Appendf(nil, wrkScript, e.request.Method, body, "Bearer "+token), 0o600); err != nil {
		return s, err
	}
	cpuBefore, err := readCPUSeconds(e.process.PID)
	if err != nil {
		return s, err
	}
	out, err := exec.CommandContext(ctx, "wrk", "-t", "1", "-c", strconv.Itoa(connections), "-d", strconv.Itoa(int(duration.Seconds())),
		"-s", scriptFile, e.process.URL+e.request.Path).CombinedOutput()
	if err != nil {
		return s, fmt.Errorf("run wrk: %w: install Debian's wrk if it is missing\n%s", err, out)
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if err := json.Unmarshal(lines[len(lines)-1], &s); err != nil {
		return s, fmt.Errorf("decode wrk's last line: %w\n%s", err, out)
	}
	cpuAfter, err := readCPUSeconds(e.process.PID)
	s.coreUse = (cpuAfter - cpuBefore) / duration.Seconds()
	return s, err
}
