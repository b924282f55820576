package loadtest

import (
	"fmt"
	"io"
	"math"

	"gonum.org/v1/gonum/stat"
)

// comparison is the difference of two runs.
type comparison struct {
	// OldStarted is the start of the older run in RFC 3339.
	OldStarted string `json:"oldStarted"`
	// Different lists the settings that differ. If there are any, the runs had different loads, so
	// Changes does not show a difference of the platforms.
	Different []string `json:"different,omitempty"`
	Changes   []change `json:"changes,omitempty"`
}

// change is the difference of one figure of one request.
type change struct {
	Name   string  `json:"name"`
	Figure string  `json:"figure"`
	Old    float64 `json:"old"`
	New    float64 `json:"new"`
	// Verdict is better, worse, noise, or too short.
	Verdict verdict `json:"verdict"`
}

// verdict is the result of a comparison.
type verdict string

const (
	better   verdict = "better"
	worse    verdict = "worse"
	noise    verdict = "noise"
	tooShort verdict = "too short"
)

// A difference counts if the mean of the differences in each second exceeds two limits:
// maxStandardErrors standard errors, and minShare of the older figure. By chance, three of 1,000
// comparisons exceed three standard errors. With fewer than minSeconds seconds, the standard error
// is not reliable.
const (
	maxStandardErrors = 3
	minShare          = 0.05
	minSeconds        = 10
)

// figures are the compared figures of a row. They are compared second by second, because the rate
// of a profile changes over time in both runs.
var figures = []struct {
	name         string
	moreIsBetter bool
	value        func(second) (value float64, exists bool)
}{
	{"p50", false, func(s second) (float64, bool) { return s.P50, s.Correct > 0 }},
	{"p95", false, func(s second) (float64, bool) { return s.P95, s.Correct > 0 }},
	{"p99", false, func(s second) (float64, bool) { return s.P99, s.Correct > 0 }},
	{"correct/s", true, func(s second) (float64, bool) { return float64(s.Correct), true }},
	{"failed/s", false, func(s second) (float64, bool) { return float64(s.Failed), true }},
}

// compareReports compares the figures of each request that is in both reports.
func compareReports(old, current *report) *comparison {
	result := &comparison{OldStarted: old.Started.Format("2006-01-02T15:04:05Z07:00")}
	for _, setting := range []struct {
		name         string
		old, current any
	}{
		{"url", old.URL, current.URL}, {"profile", old.Profile, current.Profile}, {"rate", old.Rate, current.Rate},
		{"agents' rate", old.AgentsRate, current.AgentsRate}, {"connections", old.Connections, current.Connections}, {"uncached", old.Uncached, current.Uncached},
	} {
		if setting.old != setting.current {
			result.Different = append(result.Different, fmt.Sprintf("%s: %v, now %v", setting.name, setting.old, setting.current))
		}
	}
	oldRows := map[string]row{}
	for _, row := range old.Load {
		oldRows[row.Name] = row
	}
	for _, row := range current.Load {
		oldRow, exists := oldRows[row.Name]
		if !exists || len(row.Seconds) == 0 {
			continue
		}
		for _, figure := range figures {
			ch := change{Name: row.Name, Figure: figure.name}
			ch.setVerdict(oldRow.Seconds, row.Seconds, figure.value, figure.moreIsBetter)
			result.Changes = append(result.Changes, ch)
		}
	}
	return result
}

// setVerdict sets the means and the verdict from the seconds in which both runs have the figure.
func (c *change) setVerdict(old, current []second, figure func(second) (float64, bool), moreIsBetter bool) {
	var oldValues, newValues, differences []float64
	for i := range min(len(old), len(current)) {
		oldValue, inOld := figure(old[i])
		newValue, inCurrent := figure(current[i])
		if inOld && inCurrent {
			oldValues, newValues, differences = append(oldValues, oldValue), append(newValues, newValue), append(differences, newValue-oldValue)
		}
	}
	c.Verdict = tooShort
	if len(differences) == 0 {
		return
	}
	c.Old, c.New = roundToThousandths(stat.Mean(oldValues, nil)), roundToThousandths(stat.Mean(newValues, nil))
	if len(differences) < minSeconds {
		return
	}
	mean, deviation := stat.MeanStdDev(differences, nil)
	standardError := stat.StdErr(deviation, float64(len(differences)))
	switch {
	case math.Abs(mean) <= maxStandardErrors*standardError || math.Abs(mean) <= minShare*stat.Mean(oldValues, nil):
		c.Verdict = noise
	case (mean > 0) == moreIsBetter:
		c.Verdict = better
	default:
		c.Verdict = worse
	}
}

// roundToThousandths rounds to three decimals.
func roundToThousandths(x float64) float64 { return math.Round(1000*x) / 1000 }

// writeText writes the differences that count. A nil comparison writes nothing.
func (c *comparison) writeText(w io.Writer) {
	if c == nil {
		return
	}
	fmt.Fprintf(w, "\ncompared with the run of %s, means over the seconds\n", c.OldStarted)
	for _, different := range c.Different {
		fmt.Fprintf(w, "not the same load: %s\n", different)
	}
	counts := map[verdict]int{}
	for _, ch := range c.Changes {
		counts[ch.Verdict]++
		if ch.Verdict == better || ch.Verdict == worse {
			fmt.Fprintf(w, "%s: %s %s: %.3g, now %.3g\n", ch.Verdict, ch.Name, ch.Figure, ch.Old, ch.New)
		}
	}
	fmt.Fprintf(w, "%d figures are better, %d worse, %d equal within noise, %d have less than %d seconds\n",
		counts[better], counts[worse], counts[noise], counts[tooShort], minSeconds)
}
