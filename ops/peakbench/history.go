package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/promquery"
)

const (
	historyDays = 14
	// scrapeInterval is the interval of the samples in the history. Prometheus has the same interval.
	scrapeInterval = scaling.ScrapeInterval
	// peakLength is how long the peak of each past day lasts.
	peakLength = 40 * time.Minute
	// peakJitter is the standard deviation of the time at which the peak begins.
	peakJitter = 8 * time.Second
	// replayDelay is the time between the end of writing the history and the replay. Prometheus
	// searches for new blocks each minute, and the forecaster reads them at its start.
	replayDelay = 125 * time.Second
)

// writeHistory writes two weeks of load into Prometheus, and restarts the forecaster, which reads
// the load. The load of each day rises as in the replay. writeHistory returns the time at which the
// replay must start. It returns an error if Prometheus already has a load of yesterday: a second
// history would add peaks at other times of the day.
func (s *sandbox) writeHistory(ctx context.Context, folder string) (begin time.Time, err error) {
	begin = time.Now().Add(replayDelay).Truncate(15 * time.Second)
	yesterday := begin.Add(-24 * time.Hour)
	yesterdayLoad, err := s.prometheus.QuerySeries(ctx, arrivalsQuery(), yesterday, yesterday.Add(time.Hour), time.Minute)
	if err != nil {
		return begin, err
	}
	if len(yesterdayLoad) > 0 {
		return begin, errors.New("history: Prometheus has a load of yesterday, from an earlier run or from real use; remove the sandbox's data first: make down PURGE=1")
	}
	logf("two weeks of history until %s", begin.UTC().Format(time.TimeOnly))
	metricsFile := folder + ".txt"
	if err := writeMetrics(metricsFile, begin); err != nil {
		return begin, err
	}
	if _, err := s.runCommand(ctx, "promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", metricsFile, folder); err != nil {
		return begin, err
	}
	volumes, err := s.runCommand(ctx, "kubectl", "get", "pv", "-o", fmt.Sprintf(`jsonpath={.items[?(@.spec.claimRef.namespace==%q)].spec.local.path}`, s.prometheusNamespace()))
	if err != nil {
		return begin, err
	}
	if err := copyBlocks(folder, strings.Fields(volumes)); err != nil {
		return begin, err
	}
	// Samples between now and one hour ago are in a block that Prometheus may not have read yet.
	// Prometheus searches for new blocks each minute, so 110 s are enough. The range of ten minutes
	// has 11 samples: one for each minute, and one at the end. The load before a peak is base, with
	// noise of a few percent.
	if err := waitFor(ctx, "Prometheus reads the history", 110*time.Second, func() (bool, error) {
		values, err := s.prometheus.QuerySeries(ctx, arrivalsQuery(), begin.Add(-time.Hour), begin.Add(-50*time.Minute), time.Minute)
		return len(values) == 11 && values[begin.Add(-time.Hour).Unix()] > 0.8*base, err
	}); err != nil {
		return begin, err
	}
	if _, err := s.runCommand(ctx, "kubectl", "-n", s.prometheusNamespace(), "delete", "pod", "-l", "app=forecaster"); err != nil {
		return begin, err
	}
	if err := waitFor(ctx, "the forecaster reads the history", 40*time.Second, func() (bool, error) {
		days, _, err := s.prometheus.QueryValue(ctx, `max(history_days{job="forecaster",service="web"})`, time.Time{})
		return days > historyDays-0.1, err
	}); err != nil {
		return begin, err
	}
	return begin, s.waitForForecast(ctx)
}

// arrivalsQuery returns the query that the forecaster uses to read the load.
func arrivalsQuery() string {
	web := scaling.Web()
	prediction, _ := web.Prediction()
	return promquery.Arrivals(web, prediction.Load)
}

// writeMetrics writes a counter of requests in OpenMetrics' format, for the two weeks before a
// replay that begins at begin. Each day the rate follows the curve of the replay, with Poisson
// arrivals and 3 % of noise that changes over two minutes. The curve of each day is early or late by
// a random time, the jitter. Equal arguments give equal files.
func writeMetrics(path string, begin time.Time) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	fmt.Fprintln(out, "# TYPE http_requests counter")
	rng := rand.New(rand.NewPCG(14, 18))
	decay := math.Exp(-scrapeInterval.Seconds() / 120)
	noise, total, jitter := 0.0, 0.0, time.Duration(0)
	for at := begin.Add(-historyDays * 24 * time.Hour); !at.After(begin); at = at.Add(scrapeInterval) {
		untilBegin := begin.Sub(at) % (24 * time.Hour) // the time until the next moment with the time of day of begin
		if untilBegin == 12*time.Hour {                // no peak is near
			jitter = time.Duration(rng.NormFloat64() * float64(peakJitter))
		}
		sinceBegin := -untilBegin // the time since the nearest such moment; negative before it
		if untilBegin > 12*time.Hour {
			sinceBegin += 24 * time.Hour
		}
		noise = decay*noise + 0.03*math.Sqrt(1-decay*decay)*rng.NormFloat64()
		mean := pastRate(sinceBegin-jitter) * (1 + noise) * scrapeInterval.Seconds()
		total += math.Round(max(0, mean+math.Sqrt(mean)*rng.NormFloat64()))
		fmt.Fprintf(out, "http_requests_total{job=%q,pod=\"history\",method=\"GET\",route=\"GET /api/v1/users/profile\",status=\"200\"} %.0f %d\n", deployment, total, at.Unix())
	}
	fmt.Fprintln(out, "# EOF")
	return out.Flush()
}

// pastRate returns the load of a past day in counted requests/s. since is the time since the start of
// the replay on that day.
func pastRate(since time.Duration) float64 {
	if since > riseAt+riseLength+peakLength {
		return base
	}
	return rateAt(since)
}

// copyBlocks copies the blocks in blocksFolder into the volume of Prometheus. The copies have the
// owner of the other files of Prometheus.
func copyBlocks(blocksFolder string, volumes []string) error {
	var walFolders []string
	for _, v := range volumes {
		for _, pattern := range []string{"wal", "*/wal"} {
			matches, err := filepath.Glob(filepath.Join(v, pattern))
			if err != nil {
				return err
			}
			walFolders = append(walFolders, matches...)
		}
	}
	if len(walFolders) != 1 {
		return fmt.Errorf("volumes %v: %d have the folder wal of Prometheus, must be one on this machine", volumes, len(walFolders))
	}
	dataFolder := filepath.Dir(walFolders[0])
	info, err := os.Stat(walFolders[0])
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("owner of %s: not known on this system", dataFolder)
	}
	blocks, err := os.ReadDir(blocksFolder)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		staged := filepath.Join(dataFolder, b.Name()+".tmp-for-creation") // Prometheus ignores folders with this ending
		if err := os.CopyFS(staged, os.DirFS(filepath.Join(blocksFolder, b.Name()))); err != nil {
			return err
		}
		if err := filepath.WalkDir(staged, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chown(path, int(owner.Uid), int(owner.Gid))
		}); err != nil {
			return err
		}
		if err := os.Rename(staged, filepath.Join(dataFolder, b.Name())); err != nil {
			return err
		}
	}
	return nil
}
