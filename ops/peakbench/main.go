// Command peakbench replays a daily peak on the sandbox, once with the forecast and once with the
// design document's HPA. It prints both results as a table of docs/prediction.md. KEDA, the HPA and the
// pods are real. peakbench writes a history of two weeks into the volume of Prometheus, so that the
// replay begins just before the peak of the next day. It asserts nothing, because the figures
// depend on the machine.
//
// It runs in the environment of a running sandbox of this machine (make bench-prediction-live). It
// changes Pulumi.sandbox.yaml, and restores the file at the end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/progressive-framework/platform/forecast/backtest"
)

// maxDuration is the longest duration of the whole run.
const maxDuration = 40 * time.Minute

// restoreTimeout is the longest duration of restore after the run. A make up without new images takes
// half a minute.
const restoreTimeout = 3 * time.Minute

func main() {
	faults := flag.Bool("faults", false, "after the peak with the forecast, take the forecaster away under load, and freeze it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	defer cancel()
	if err := runBenchmark(ctx, *faults); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// runBenchmark runs both replays and prints the table. If faults is true, it also prints the faults
// of the forecaster. At the end it restores the sandbox.
func runBenchmark(ctx context.Context, faults bool) (err error) {
	s := &sandbox{}
	scratch, err := os.MkdirTemp("", "peak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	s.scratch = scratch
	committedConfig, err := os.ReadFile(stackFile)
	if err != nil {
		return err
	}
	var resources string // of the main application before limitPods; empty before they are read
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTimeout)
		defer cancel()
		err = errors.Join(err, s.restore(ctx, committedConfig, resources))
	}()

	if err := s.deploy(ctx, string(committedConfig), predictiveOn); err != nil {
		return err
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	if resources, err = s.readResources(ctx); err != nil {
		return err
	}
	if err := s.limitPods(ctx); err != nil {
		return err
	}
	if err := s.waitForMinPods(ctx); err != nil {
		return err
	}
	begin, err := s.writeHistory(ctx, filepath.Join(scratch, "history"))
	if err != nil {
		return err
	}
	predicted, err := s.replay(ctx, begin)
	if err != nil {
		return err
	}
	printTableHeader()
	if err := s.printResult(ctx, backtest.Predictive, predicted); err != nil {
		return err
	}
	if faults {
		if err := s.injectFaults(ctx); err != nil {
			return err
		}
	}
	if err := s.deploy(ctx, string(committedConfig), predictiveShadow); err != nil {
		return err
	}
	if err := s.waitForMinPods(ctx); err != nil {
		return err
	}
	reactive, err := s.replay(ctx, time.Now())
	if err != nil {
		return err
	}
	if err := s.printResult(ctx, backtest.Document, reactive); err != nil {
		return err
	}
	return s.printForecasterUsage(ctx, predicted)
}
