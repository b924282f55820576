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
	base, peak = 120.0, 350.0
	riseAt     = 80 * time.Second
	riseLength = 30 * time.Second
	length     = 210 * time.Second
	// Of mixed requests, the HPA's metric counts counted. pf load also sends GET /health, which the
	// metric leaves out.
	mixed, counted = 35.0, 25.0
	// calibration is the load, and calibrationTime the time, in which the CPU time of a request is
	// measured.
	calibration     = 200.0
	calibrationTime = 22 * time.Second
)

// rate returns the counted load at a time since the replay began.
func rate(since time.Duration) float64 {
	return base + (peak-base)*min(max((since-riseAt).Seconds()/riseLength.Seconds(), 0), 1)
}

// capacity returns the counted requests/s that one pod serves by the stack's configuration.
func capacity() float64 {
	prediction, _ := scaling.Web().Prediction()
	return prediction.Capacity()
}

// run is the result of one replay.
type run struct {
	begin, end   time.Time
	sent         int
	failed, slow int
	// podMinutes is the number of pods that the HPA requested, integrated over the time.
	podMinutes float64
	// ready is the time from the beginning of the rise until the pods that the peak needs were
	// ready. It is negative if they were ready before the rise. never means that they did not
	// become ready.
	ready time.Duration
	never bool
	pods  []replicas
}

// replicas is the number of pods at one time, in pf load's report.
type replicas struct {
	Second        float64
	Wanted, Ready int
}

// load is the part of pf load's report that this command uses.
type load struct {
	Answers, Refusals struct{ Wrong []string }
	Replicas          map[string][]replicas
	Load              []struct {
		Name       string
		Sent, Slow int
		Failed     map[string]int
	}
}

// token writes a token for pf load to a file.
func (s *sandbox) token(ctx context.Context) (file string, err error) {
	text, err := s.output(ctx, "make", "-s", "token")
	if err != nil {
		return "", err
	}
	file = filepath.Join(s.scratch, "token")
	return file, os.WriteFile(file, []byte(text), 0o600)
}

// pfLoad runs a profile of pf load on the main application. Wrong responses under load are counted,
// and do not cause an error.
func (s *sandbox) pfLoad(ctx context.Context, args ...string) (report load, err error) {
	token, err := s.token(ctx)
	if err != nil {
		return report, err
	}
	out, runErr := s.output(ctx, "pf", append([]string{"load", "--stack", "sandbox", "--only", "main", "--json", "--token-file", token}, args...)...)
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		return report, errors.Join(runErr, fmt.Errorf("report of pf load: %w", err))
	}
	if len(report.Load) == 0 {
		return report, fmt.Errorf("pf load sent no load: %v %v", report.Answers.Wrong, report.Refusals.Wrong)
	}
	return report, nil
}

// limitPods sets the CPU limit of a pod, and its request, to what the pod's capacity costs. Without
// a limit one pod of this machine serves many times its capacity, and no request is slow.
func (s *sandbox) limitPods(ctx context.Context) error {
	say("measuring the cost of a request")
	const cpu = `sum(rate(process_cpu_seconds_total{job="` + deployment + `"}[20s]))`
	idle, _, err := s.prometheus.Value(ctx, cpu, time.Time{})
	if err != nil {
		return err
	}
	began := time.Now()
	if _, err := s.pfLoad(ctx, "steady", "--rate", fmt.Sprint(calibration*mixed/counted), "--duration", calibrationTime.String()); err != nil {
		return err
	}
	used, most := 0.0, 0.0
	values, err := s.prometheus.Series(ctx, cpu, began.Add(15*time.Second), time.Now(), 5*time.Second)
	if err != nil {
		return err
	}
	for _, v := range values {
		most = max(most, v)
	}
	used = most - idle
	if !(used > 0) {
		return errors.New("the CPU of the main application has no measurement")
	}
	limit := math.Ceil(1000 * (idle/minPods + used/calibration*capacity()))
	say("%.0f requests/s cost %.0f thousandths of a core: the limit of a pod is %.0fm", calibration, 1000*used, limit)
	amount := fmt.Sprintf("cpu=%.0fm", limit)
	if _, err := s.kubectl(ctx, "set", "resources", "deployment", deployment, "--requests="+amount, "--limits="+amount); err != nil {
		return err
	}
	_, err = s.kubectl(ctx, "rollout", "status", "deployment", deployment, "--timeout=180s")
	return err
}

// waitForFewestPods waits until the number of pods is the HPA's minimum.
func (s *sandbox) waitForFewestPods(ctx context.Context) error {
	return wait(ctx, "the fewest pods", 15*time.Minute, func() (bool, error) {
		out, err := s.kubectl(ctx, "get", "deployment", deployment, "-o", "jsonpath={.spec.replicas} {.status.replicas} {.status.readyReplicas}")
		return out == strings.TrimSpace(strings.Repeat(fmt.Sprint(minPods)+" ", 3)), err
	})
}

// replay runs pf load replay. It starts at begin.
func (s *sandbox) replay(ctx context.Context, begin time.Time) (r run, err error) {
	file := filepath.Join(s.scratch, "peak.csv")
	var text strings.Builder
	text.WriteString("seconds,requests/s\n")
	for at := time.Duration(0); at <= length; at += 5 * time.Second {
		fmt.Fprintf(&text, "%.0f,%.1f\n", at.Seconds(), rate(at+2500*time.Millisecond)*mixed/counted)
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
	r.begin, r.end = time.Now(), time.Now().Add(length)
	say("pf load replay, a rise after %s", riseAt)
	report, err := s.pfLoad(ctx, "replay", file)
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
	r.count(report.Replicas["web"])
	say("%d requests, %d failed, %d slow; %.1f pod-minutes", r.sent, r.failed, r.slow, r.podMinutes)
	return r, nil
}

// count computes podMinutes and ready.
func (r *run) count(pods []replicas) {
	r.pods, r.never = pods, true
	needed := int(math.Ceil(peak / capacity()))
	for i, p := range pods {
		if i+1 < len(pods) {
			r.podMinutes += float64(p.Wanted) * (pods[i+1].Second - p.Second) / 60
		}
		if r.never && p.Ready >= needed {
			r.never, r.ready = false, time.Duration(p.Second*float64(time.Second))-riseAt
		}
	}
}
