package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/progressive-framework/platform/components/podscaling/trigger"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

const (
	// silence is the time without a forecast after which the guard triggers apply the document's
	// target. react is the time that a scrape, KEDA and the HPA's period then take.
	silence, react = 120 * time.Second, 45 * time.Second
	// frozen is how long the HPA is watched after the forecaster was frozen. In this time the
	// kubelet restarts the forecaster.
	frozen = 75 * time.Second
)

// faults removes the forecaster under the load of the peak, and then freezes it. It prints how many
// pods the HPA requested.
func (s *sandbox) faults(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = s.pfLoad(ctx, "steady", "--rate", fmt.Sprint(peak*mixed/counted), "--duration", (silence + react + frozen + 90*time.Second).String())
	}()
	defer func() { cancel(); <-ended }()
	time.Sleep(20 * time.Second) // until the load has its full rate

	fmt.Printf("| the forecaster | pods before | fewest meanwhile | the document's HPA | reached after | pf forecast explain |\n|---|---:|---:|---:|---:|---|\n")
	if err := s.fault(ctx, "is away", silence+react, func() error { return s.scaleForecaster(ctx, 0) }); err != nil {
		return err
	}
	if err := s.scaleForecaster(ctx, 1); err != nil {
		return err
	}
	if err := s.waitForForecast(ctx); err != nil {
		return err
	}
	return s.fault(ctx, "is frozen (SIGSTOP), until the kubelet restarts it", frozen, func() error { return s.freezeForecaster(ctx) })
}

// waitForForecast waits until Prometheus has a forecast, and the HPA has read it from KEDA.
func (s *sandbox) waitForForecast(ctx context.Context) error {
	web := scaling.Web()
	return wait(ctx, "the HPA reads a forecast", time.Minute, func() (bool, error) {
		_, found, err := s.prometheus.Value(ctx, promquery.Forecast(web), time.Time{})
		if !found || err != nil {
			return false, err
		}
		read, err := s.kubectl(ctx, "get", "hpa", web.HPA.Name, "-o", "jsonpath={.status.currentMetrics[*].external.metric.name}")
		return slices.Contains(strings.Fields(read), trigger.ForecastMetric(web)), err
	})
}

// fault causes one fault, watches the HPA for the time length, and prints a row.
func (s *sandbox) fault(ctx context.Context, name string, length time.Duration, cause func() error) error {
	before, err := s.wanted(ctx)
	if err != nil {
		return err
	}
	say("the forecaster %s", name)
	if err := cause(); err != nil {
		return err
	}
	began, fewest, document, reached := time.Now(), before, 0, "-"
	says := ""
	for time.Since(began) < length {
		pods, err := s.wanted(ctx)
		if err != nil {
			return err
		}
		load, _, err := s.prometheus.Value(ctx, arrivals(), time.Time{})
		if err != nil {
			return err
		}
		fewest, document = min(fewest, pods), min(max(int((load+99)/100), minPods), maxPods)
		if reached == "-" && pods >= document {
			reached = time.Since(began).Round(time.Second).String()
		}
		if says == "" && time.Since(began) > 20*time.Second {
			out, err := s.output(ctx, "pf", "forecast", "explain", "--stack", "sandbox")
			says, _, _ = strings.Cut(strings.TrimSpace(out), "\n")
			if err != nil {
				lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
				says = lines[len(lines)-1]
			}
		}
		time.Sleep(time.Second)
	}
	fmt.Printf("| %s | %d | %d | %d | %s | %s |\n", name, before, fewest, document, reached, says)
	return nil
}

// wanted returns the number of pods that the HPA requests.
func (s *sandbox) wanted(ctx context.Context) (int, error) {
	out, err := s.kubectl(ctx, "get", "deployment", deployment, "-o", "jsonpath={.spec.replicas}")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out)
}

func (s *sandbox) scaleForecaster(ctx context.Context, pods int) error {
	_, err := s.output(ctx, "kubectl", "-n", s.observers(), "scale", "deployment", "forecaster", fmt.Sprint("--replicas=", pods))
	return err
}

// freezeForecaster stops the process of the forecaster's pod, which runs on this machine.
func (s *sandbox) freezeForecaster(ctx context.Context) error {
	uid, err := s.output(ctx, "kubectl", "-n", s.observers(), "get", "pods", "-l", "app=forecaster", "-o", "jsonpath={.items[0].metadata.uid}")
	if err != nil {
		return err
	}
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	for _, f := range folders {
		groups, err := os.ReadFile(filepath.Join(f, "cgroup"))
		if err != nil || !strings.Contains(string(groups), uid) {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(f, "comm"))
		if strings.TrimSpace(string(name)) != "forecaster" {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(f))
		if err != nil {
			return err
		}
		return syscall.Kill(pid, syscall.SIGSTOP)
	}
	return fmt.Errorf("pod %s of the forecaster: has no process on this machine", uid)
}
