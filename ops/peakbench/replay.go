package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
)

// The load of the replay: a base that two pods serve easily, and a peak that needs three.
const (
	minPods, maxPods = 2, 8
	// base and peak are in requests/s. Only requests that the HPA's metric counts are included.
	// The peak is 2.45 pods. So neither the floor of 95 % nor a headroom of 20 % requires a
	// fourth pod. At 380 requests/s the noise of the load sometimes required a fourth pod.
	base, peak   = 120.0, 350.0
	riseAt       = 80 * time.Second
	riseLength   = 30 * time.Second
	replayLength = 210 * time.Second
	// The HPA's metric counts countedRequests of every mixedRequests requests that pf load sends. It
	// does not count GET /health.
	mixedRequests, countedRequests = 35.0, 25.0
	// calibration is the load in requests/s with which limitPods measures the CPU time of a request.
	// calibrationTime is the duration of this load.
	calibration     = 200.0
	calibrationTime = 22 * time.Second
)

// rateAt returns the counted requests/s at a time since the replay began.
func rateAt(since time.Duration) float64 {
	return base + (peak-base)*min(max((since-riseAt).Seconds()/riseLength.Seconds(), 0), 1)
}

// capacity returns the counted requests/s that one pod can serve, by the stack's configuration.
func capacity() float64 {
	prediction, _ := scaling.Web().Prediction()
	return prediction.Capacity()
}

// replayResult is the result of one replay.
type replayResult struct {
	begin, end   time.Time
	sent         int
	failed, slow int
	// podMinutes is the number of pods that the HPA requested, integrated over the time.
	podMinutes float64
	// readyAfterRise is the time from the beginning of the rise until enough pods for the peak were
	// ready. It is negative if these pods were ready before the rise. neverReady means that they did
	// not become ready.
	readyAfterRise time.Duration
	neverReady     bool
	pods           []replicas
}

// replicas is the number of pods at one time, in pf load's report.
type replicas struct {
	Second  float64
	Desired int `json:"wanted"`
	Ready   int
}

// loadReport is the part of pf load's report that this command uses.
type loadReport struct {
	Answers, Refusals struct{ Wrong []string }
	Replicas          map[string][]replicas
	Load              []struct {
		Name       string
		Sent, Slow int
		Failed     map[string]int
	}
}

// writeToken writes a token for pf load to a file, and returns the path.
func (s *sandbox) writeToken(ctx context.Context) (file string, err error) {
	text, err := s.runCommand(ctx, "make", "-s", "token")
	if err != nil {
		return "", err
	}
	file = filepath.Join(s.scratch, "token")
	return file, os.WriteFile(file, []byte(text), 0o600)
}

// runPFLoad runs a profile of pf load on the main application. Wrong responses under load are
// counted, and do not cause an error.
func (s *sandbox) runPFLoad(ctx context.Context, args ...string) (report loadReport, err error) {
	token, err := s.writeToken(ctx)
	if err != nil {
		return report, err
	}
	out, runErr := s.runCommand(ctx, "pf", append([]string{"load", "--stack", "sandbox", "--only", "main", "--json", "--token-file", token}, args...)...)
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		return report, errors.Join(runErr, fmt.Errorf("report of pf load: %w", err))
	}
	if len(report.Load) == 0 {
		return report, fmt.Errorf("pf load sent no load: %v %v", report.Answers.Wrong, report.Refusals.Wrong)
	}
	return report, nil
}

// limitPods sets the CPU request and the CPU limit of a pod to the CPU that it uses under the load
// capacity(). Without a limit, one pod on this machine serves many times this load, so the replay
// would have no slow requests.
func (s *sandbox) limitPods(ctx context.Context) error {
	logf("measuring the cost of a request")
	const cpuQuery = `sum(rate(process_cpu_seconds_total{job="` + deployment + `"}[20s]))`
	idleCPU, _, err := s.prometheus.QueryValue(ctx, cpuQuery, time.Time{})
	if err != nil {
		return err
	}
	start := time.Now()
	if _, err := s.runPFLoad(ctx, "steady", "--rate", fmt.Sprint(calibration*mixedRequests/countedRequests), "--duration", calibrationTime.String()); err != nil {
		return err
	}
	maxCPU := 0.0
	values, err := s.prometheus.QuerySeries(ctx, cpuQuery, start.Add(15*time.Second), time.Now(), 5*time.Second)
	if err != nil {
		return err
	}
	for _, v := range values {
		maxCPU = max(maxCPU, v)
	}
	requestCPU := maxCPU - idleCPU // of all requests in a second
	if !(requestCPU > 0) {
		return errors.New("the CPU of the main application has no measurement")
	}
	limitMillicores := math.Ceil(1000 * (idleCPU/minPods + requestCPU/calibration*capacity()))
	logf("%.0f requests/s cost %.0f thousandths of a core: the limit of a pod is %.0fm", calibration, 1000*requestCPU, limitMillicores)
	amount := fmt.Sprintf("cpu=%.0fm", limitMillicores)
	if _, err := s.runKubectl(ctx, "set", "resources", "deployment", deployment, "--requests="+amount, "--limits="+amount); err != nil {
		return err
	}
	_, err = s.runKubectl(ctx, "rollout", "status", "deployment", deployment, "--timeout=180s")
	return err
}

// waitForMinPods waits until the number of pods is the minimum of the HPA.
func (s *sandbox) waitForMinPods(ctx context.Context) error {
	want := fmt.Sprintf("%[1]d %[1]d %[1]d", minPods)
	return waitFor(ctx, "the minimum of pods", 15*time.Minute, func() (bool, error) {
		out, err := s.runKubectl(ctx, "get", "deployment", deployment, "-o", "jsonpath={.spec.replicas} {.status.replicas} {.status.readyReplicas}")
		return out == want, err
	})
}

// replay waits until begin, runs pf load replay, and returns the result.
func (s *sandbox) replay(ctx context.Context, begin time.Time) (r replayResult, err error) {
	file := filepath.Join(s.scratch, "peak.csv")
	var text strings.Builder
	text.WriteString("seconds,requests/s\n")
	// pf load keeps the rate of a line for the whole interval. So each line has the rate at the
	// middle of its interval.
	const interval = 5 * time.Second
	for at := time.Duration(0); at <= replayLength; at += interval {
		fmt.Fprintf(&text, "%.0f,%.1f\n", at.Seconds(), rateAt(at+interval/2)*mixedRequests/countedRequests)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return r, err
	}
	if late := time.Since(begin); late > 30*time.Second {
		return r, fmt.Errorf("the replay begins %s late: this machine is too busy", late.Round(time.Second))
	}
	select {
	case <-ctx.Done():
		return r, ctx.Err()
	case <-time.After(time.Until(begin)):
	}
	r.begin, r.end = time.Now(), time.Now().Add(replayLength)
	logf("pf load replay, a rise after %s", riseAt)
	report, err := s.runPFLoad(ctx, "replay", file)
	if err != nil {
		return r, err
	}
	for _, row := range report.Load {
		r.sent += row.Sent
		r.slow += row.Slow
		for _, n := range row.Failed {
			r.failed += n
		}
	}
	r.setPodFigures(report.Replicas["web"])
	logf("%d requests, %d failed, %d slow; %.1f pod-minutes", r.sent, r.failed, r.slow, r.podMinutes)
	return r, nil
}

// setPodFigures computes podMinutes, readyAfterRise and neverReady from the numbers of pods.
func (r *replayResult) setPodFigures(pods []replicas) {
	r.pods, r.neverReady = pods, true
	needed := int(math.Ceil(peak / capacity()))
	for i, p := range pods {
		if i+1 < len(pods) {
			r.podMinutes += float64(p.Desired) * (pods[i+1].Second - p.Second) / 60
		}
		if r.neverReady && p.Ready >= needed {
			r.neverReady, r.readyAfterRise = false, time.Duration(p.Second*float64(time.Second))-riseAt
		}
	}
}
