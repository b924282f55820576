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
	// scrape is the interval of the samples in the history. It is Prometheus' own.
	scrape = scaling.ScrapeInterval
	// peakLength is how long the peak of each past day lasts.
	peakLength = 40 * time.Minute
	// jitter is the standard deviation of the time at which the peak begins.
	jitter = 8 * time.Second
	// lead is the time between the end of writing the history and the replay. Prometheus searches
	// for new blocks each minute, and the forecaster reads them at its start.
	lead = 125 * time.Second
)

// writeHistory writes two weeks of load into Prometheus. In them the load of each day rises as in
// the replay. Then it restarts the forecaster, which reads them. It returns when the replay must
// begin. A second history in the same Prometheus would add peaks at other times of the day, so it
// is refused.
func (s *sandbox) writeHistory(ctx context.Context, folder string) (begin time.Time, err error) {
	begin = time.Now().Add(lead).Truncate(15 * time.Second)
	yesterday := begin.Add(-24 * time.Hour)
	earlier, err := s.prometheus.Series(ctx, arrivals(), yesterday, yesterday.Add(time.Hour), time.Minute)
	if err != nil {
		return begin, err
	}
	if len(earlier) > 0 {
		return begin, errors.New("history: Prometheus has a load of yesterday, from an earlier run or from real use; remove the sandbox's data first: make down PURGE=1")
	}
	say("two weeks of history until %s", begin.UTC().Format(time.TimeOnly))
	text := folder + ".txt"
	if err := writeMetrics(text, begin); err != nil {
		return begin, err
	}
	if _, err := s.output(ctx, "promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", text, folder); err != nil {
		return begin, err
	}
	volumes, err := s.output(ctx, "kubectl", "get", "pv", "-o", fmt.Sprintf(`jsonpath={.items[?(@.spec.claimRef.namespace==%q)].spec.local.path}`, s.observers()))
	if err != nil {
		return begin, err
	}
	if err := moveBlocks(folder, strings.Fields(volumes)); err != nil {
		return begin, err
	}
	// Samples between now and one hour ago are in a block that Prometheus may not have read yet.
	if err := wait(ctx, "Prometheus reads the history", 110*time.Second, func() (bool, error) {
		values, err := s.prometheus.Series(ctx, arrivals(), begin.Add(-time.Hour), begin.Add(-50*time.Minute), time.Minute)
		return len(values) == 11 && values[begin.Add(-time.Hour).Unix()] > 0.8*base, err
	}); err != nil {
		return begin, err
	}
	if _, err := s.output(ctx, "kubectl", "-n", s.observers(), "delete", "pod", "-l", "app=forecaster"); err != nil {
		return begin, err
	}
	if err := wait(ctx, "the forecaster reads the history", 40*time.Second, func() (bool, error) {
		days, _, err := s.prometheus.Value(ctx, `max(history_days{job="forecaster",service="web"})`, time.Time{})
		return days > historyDays-0.1, err
	}); err != nil {
		return begin, err
	}
	return begin, s.waitForForecast(ctx)
}

// arrivals returns the query with which the forecaster reads the load.
func arrivals() string {
	web := scaling.Web()
	prediction, _ := web.Prediction()
	return promquery.Arrivals(web, prediction.Load)
}

// writeMetrics writes a counter of requests in OpenMetrics' format, for the two weeks before a
// replay that begins at begin. Each day the rate follows the curve of the replay, with Poisson
// arrivals and 3 % of noise that changes over two minutes. Equal calls write equal files.
func writeMetrics(path string, begin time.Time) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	fmt.Fprintln(out, "# TYPE http_requests counter")
	rng := rand.New(rand.NewPCG(14, 18))
	keep := math.Exp(-scrape.Seconds() / 120)
	noise, total, late := 0.0, 0.0, time.Duration(0)
	for at := begin.Add(-historyDays * 24 * time.Hour); !at.After(begin); at = at.Add(scrape) {
		ahead := begin.Sub(at) % (24 * time.Hour) // the time from at to the next moment with begin's time of day, less than 24 h
		if ahead == 12*time.Hour {
			late = time.Duration(rng.NormFloat64() * float64(jitter))
		}
		since := -ahead
		if ahead > 12*time.Hour {
			since += 24 * time.Hour
		}
		noise = keep*noise + 0.03*math.Sqrt(1-keep*keep)*rng.NormFloat64()
		mean := pastRate(since-late) * (1 + noise) * scrape.Seconds()
		total += math.Round(max(0, mean+math.Sqrt(mean)*rng.NormFloat64()))
		fmt.Fprintf(out, "http_requests_total{job=%q,pod=\"history\",method=\"GET\",route=\"GET /api/v1/users/profile\",status=\"200\"} %.0f %d\n", deployment, total, at.Unix())
	}
	fmt.Fprintln(out, "# EOF")
	return out.Flush()
}

// pastRate returns the load of a past day in counted requests/s. since is the time since the
// replay's time of day.
func pastRate(since time.Duration) float64 {
	if since > riseAt+riseLength+peakLength {
		return base
	}
	return rate(since)
}

// moveBlocks copies the blocks into the volume of Prometheus, with the owner of its files.
func moveBlocks(from string, volumes []string) error {
	var found []string
	for _, v := range volumes {
		for _, pattern := range []string{"wal", "*/wal"} {
			logs, err := filepath.Glob(filepath.Join(v, pattern))
			if err != nil {
				return err
			}
			found = append(found, logs...)
		}
	}
	if len(found) != 1 {
		return fmt.Errorf("volumes %v: %d have the folder wal of Prometheus, must be one on this machine", volumes, len(found))
	}
	target := filepath.Dir(found[0])
	info, err := os.Stat(found[0])
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("owner of %s: not known on this system", target)
	}
	blocks, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		staged := filepath.Join(target, b.Name()+".tmp-for-creation") // Prometheus ignores it
		if err := os.CopyFS(staged, os.DirFS(filepath.Join(from, b.Name()))); err != nil {
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
		if err := os.Rename(staged, filepath.Join(target, b.Name())); err != nil {
			return err
		}
	}
	return nil
}
