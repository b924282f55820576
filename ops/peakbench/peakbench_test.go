package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The counter of the history grows as in the replay, at the same time of each day.
func TestHistoryHasThePeakOfEachDay(t *testing.T) {
	begin := time.Unix(1_800_000_000, 0)
	path := filepath.Join(t.TempDir(), "history.txt")
	require.NoError(t, writeMetrics(path, begin))
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	totals := map[int64]float64{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		words := strings.Fields(lines.Text()[strings.Index(lines.Text(), "}"):])
		at, err := strconv.ParseInt(words[2], 10, 64)
		require.NoError(t, err)
		totals[at], err = strconv.ParseFloat(words[1], 64)
		require.NoError(t, err)
	}
	require.Len(t, totals, historyDays*86400/int(scrapeInterval.Seconds())+1)
	mean := func(from, to time.Duration) float64 {
		sum := 0.0
		for day := 1; day <= historyDays; day++ {
			start := begin.Add(-time.Duration(day) * 24 * time.Hour)
			increase := totals[start.Add(to).Unix()] - totals[start.Add(from).Unix()]
			require.Positive(t, increase)
			sum += increase / (to - from).Seconds()
		}
		return sum / historyDays
	}
	require.InDelta(t, base, mean(0, riseAt-30*time.Second), 0.05*base, "before the peak")
	require.InDelta(t, peak, mean(riseAt+riseLength+30*time.Second, riseAt+peakLength), 0.05*peak, "in the peak")
	require.InDelta(t, base, mean(2*time.Hour, 23*time.Hour), 0.05*base, "the rest of the day")
}

func TestReplayResultHasPodMinutesAndReadiness(t *testing.T) {
	r := replayResult{}
	r.setPodFigures([]replicas{{0, 2, 2}, {60, 2, 2}, {riseAt.Seconds() - 10, 3, 2}, {riseAt.Seconds() - 4, 3, 3}, {150, 3, 3}})
	require.False(t, r.neverReady)
	require.Equal(t, -4*time.Second, r.readyAfterRise)
	thirdPodAt := riseAt.Seconds() - 10
	require.InDelta(t, 2*thirdPodAt/60+3*(150-thirdPodAt)/60, r.podMinutes, 1e-9)
	late := replayResult{}
	late.setPodFigures([]replicas{{0, 2, 2}, {300, 3, 2}})
	require.True(t, late.neverReady)
	require.Equal(t, "4 s before the rise began", r.formatReadiness())
	require.Equal(t, "never", late.formatReadiness())
}

// Two pods can't serve the peak, and three can.
func TestPeakNeedsOnePodMore(t *testing.T) {
	require.Less(t, base, 0.7*minPods*capacity())
	require.Greater(t, peak, 1.2*minPods*capacity())
	require.Less(t, peak, 0.95*(minPods+1)*capacity())
	require.InDelta(t, base, rateAt(riseAt), 0)
	require.InDelta(t, peak, rateAt(riseAt+riseLength), 0)
	require.Equal(t, minPods, documentHPA().Min)
}
