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
	// guardDelay is the time without a forecast after which the guard triggers apply the design document's
	// target. reactionTime is the time that a scrape, KEDA and the period of the HPA need after that.
	guardDelay, reactionTime = 120 * time.Second, 45 * time.Second
	// frozenTime is how long the HPA is watched after the forecaster was frozen. In this time the
	// kubelet restarts the forecaster.
	frozenTime = 75 * time.Second
)

// injectFaults removes the forecaster under the load of the peak, and later freezes the forecaster.
// It prints a table that shows, for each fault, how many pods the HPA requests.
func (s *sandbox) injectFaults(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = s.runPFLoad(ctx, "steady", "--rate", fmt.Sprint(peak*mixedRequests/countedRequests), "--duration", (guardDelay + reactionTime + frozenTime + 90*time.Second).String())
	}()
	defer func() { cancel(); <-ended }()
	time.Sleep(20 * time.Second) // until the load has its full rate

	fmt.Printf("| the forecaster | pods before | fewest meanwhile | the document's HPA | reached after | pf forecast explain |\n|---|---:|---:|---:|---:|---|\n")
	if err := s.injectFault(ctx, "is away", guardDelay+reactionTime, func() error { return s.scaleForecaster(ctx, 0) }); err != nil {
		return err
	}
	if err := s.scaleForecaster(ctx, 1); err != nil {
		return err
	}
	if err := s.waitForForecast(ctx); err != nil {
		return err
	}
	return s.injectFault(ctx, "is frozen (SIGSTOP), until the kubelet restarts it", frozenTime, func() error { return s.freezeForecaster(ctx) })
}

// waitForForecast waits until Prometheus has a forecast, and the HPA has read it from KEDA.
func (s *sandbox) waitForForecast(ctx context.Context) error {
	web := scaling.Web()
	return waitFor(ctx, "the HPA reads a forecast", time.Minute, func() (bool, error) {
		_, found, err := s.prometheus.QueryValue(ctx, promquery.Forecast(web), time.Time{})
		if !found || err != nil {
			return false, err
		}
		read, err := s.runKubectl(ctx, "get", "hpa", web.HPA.Name, "-o", "jsonpath={.status.currentMetrics[*].external.metric.name}")
		return slices.Contains(strings.Fields(read), trigger.ForecastMetric(web)), err
	})
}

// injectFault calls inject to cause one fault, watches the HPA for the duration, and prints a row.
func (s *sandbox) injectFault(ctx context.Context, name string, duration time.Duration, inject func() error) error {
	before, err := s.readDesiredPods(ctx)
	if err != nil {
		return err
	}
	logf("the forecaster %s", name)
	if err := inject(); err != nil {
		return err
	}
	start, fewestPods, documentPods, reached := time.Now(), before, 0, "-"
	explanation := ""
	for time.Since(start) < duration {
		pods, err := s.readDesiredPods(ctx)
		if err != nil {
			return err
		}
		load, _, err := s.prometheus.QueryValue(ctx, arrivalsQuery(), time.Time{})
		if err != nil {
			return err
		}
		// The design document's HPA has a target of 100 requests/s for each pod. It rounds up.
		documentPods = min(max(int((load+99)/100), minPods), maxPods)
		fewestPods = min(fewestPods, pods)
		if reached == "-" && pods >= documentPods {
			reached = time.Since(start).Round(time.Second).String()
		}
		if explanation == "" && time.Since(start) > 20*time.Second {
			out, err := s.runCommand(ctx, "pf", "forecast", "explain", "--stack", "sandbox")
			explanation, _, _ = strings.Cut(strings.TrimSpace(out), "\n")
			if err != nil {
				lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
				explanation = lines[len(lines)-1]
			}
		}
		time.Sleep(time.Second)
	}
	fmt.Printf("| %s | %d | %d | %d | %s | %s |\n", name, before, fewestPods, documentPods, reached, explanation)
	return nil
}

// readDesiredPods returns the number of pods that the HPA requests, from the Deployment.
func (s *sandbox) readDesiredPods(ctx context.Context) (int, error) {
	out, err := s.runKubectl(ctx, "get", "deployment", deployment, "-o", "jsonpath={.spec.replicas}")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out)
}

// scaleForecaster sets the number of pods of the forecaster.
func (s *sandbox) scaleForecaster(ctx context.Context, pods int) error {
	_, err := s.runCommand(ctx, "kubectl", "-n", s.prometheusNamespace(), "scale", "deployment", "forecaster", fmt.Sprint("--replicas=", pods))
	return err
}

// freezeForecaster sends SIGSTOP to the process of the forecaster. The process runs on this machine.
func (s *sandbox) freezeForecaster(ctx context.Context) error {
	uid, err := s.runCommand(ctx, "kubectl", "-n", s.prometheusNamespace(), "get", "pods", "-l", "app=forecaster", "-o", "jsonpath={.items[0].metadata.uid}")
	if err != nil {
		return err
	}
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	for _, folder := range folders {
		cgroup, err := os.ReadFile(filepath.Join(folder, "cgroup"))
		if err != nil || !strings.Contains(string(cgroup), uid) {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(folder, "comm"))
		if strings.TrimSpace(string(name)) != "forecaster" {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			return err
		}
		return syscall.Kill(pid, syscall.SIGSTOP)
	}
	return fmt.Errorf("pod %s of the forecaster: has no process on this machine", uid)
}
