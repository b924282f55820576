package backtest

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// String describes the setting in the report.
func (s setting) String() string {
	return fmt.Sprintf("target %.2f, up %s, down %s, tolerance %.1f", s.target, s.up, s.down, s.tolerance)
}

// Print writes the report as Markdown. "The tuned HPA of the goals" is the HPA of isFirstTuned: the
// goals of the design were set in comparison to it.
func (r Report) Print(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| trace | controller | pod_hours | ideal_ratio | overload_share | bad_steps | pod_starts_per_hour |\n|---|---|---:|---:|---:|---:|---:|\n")
	for _, t := range r.Traces {
		for _, c := range Controllers() {
			result := t.Results[c]
			fmt.Fprintf(&b, "| %s | %s | %.0f | %.3f | %.3f %% | %d | %.1f |\n", t.Name, c,
				result.PodHours, result.IdealRatio, 100*result.OverloadShare, result.BadSteps, result.PodStartsPerHour)
		}
	}
	b.WriteString("\n| trace | saving_vs_doc | saving_vs_tuned | saving_vs_hindsight | overload_at_equal_cost | hindsight's setting |\n|---|---:|---:|---:|---:|---|\n")
	for _, t := range r.Traces {
		podHours := t.Results[Predictive].PodHours
		overload := "none"
		if !math.IsNaN(t.OverloadAtEqualCost) {
			overload = formatPercent(t.OverloadAtEqualCost)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", t.Name, formatPercent(1-podHours/t.Results[Document].PodHours), formatPercent(1-podHours/t.Results[Tuned].PodHours),
			formatPercent(1-podHours/t.Results[Hindsight].PodHours), overload, t.HindsightSetting)
	}
	fmt.Fprintf(&b, "\ntuned: %s\nleft out of saving_vs_hindsight: %s\n\n| figure | mean | worst |\n|---|---:|---:|\n", r.TunedSetting, strings.Join(r.LeftOut, ", "))
	for _, figure := range []struct {
		name  string
		value MeanAndWorst
	}{
		{"saving_vs_doc", r.SavingVsDocument},
		{"saving_vs_tuned", r.SavingVsTuned},
		{"saving_vs_tuned of perfect", r.PerfectVsTuned},
		{"saving_vs_tuned, with the tuned HPA of the goals", r.SavingVsFirstTuned},
		{"saving_vs_hindsight", r.SavingVsHindsight},
		{"saving_vs_hindsight of perfect", r.PerfectVsHindsight},
		{"saving_vs_hindsight, with HPAs that have the default tolerance", r.SavingVsHindsightDefaultTolerance},
		{"… of perfect", r.PerfectVsHindsightDefaultTolerance},
		{"saving_vs_doc with the document's policies", r.SavingDocumentPolicies},
		{"overload_at_equal_cost", r.OverloadAtEqualCost},
	} {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", figure.name, formatPercent(figure.value.Mean), formatPercent(figure.value.Worst))
	}
	n := len(r.Traces)
	fmt.Fprintf(&b, "| gap_closed | %s | |\n| gap_closed, from the tuned HPA of the goals | %s | |\n| within_budget | %d of %d | |\n| not_worse | %d of %d | |\n", formatPercent(r.GapClosed), formatPercent(r.FirstGapClosed), r.WithinBudget, n, r.NotWorse, n)
	fmt.Fprintf(&b, "| rerun_identical | %t | |\n| no_lookahead | %t | |\n", r.RerunIdentical, r.NoLookahead)
	_, err := io.WriteString(w, b.String())
	return err
}

// PrintTimes writes the times of a step as rows of the last table of Print. They depend on the
// machine.
func (r Report) PrintTimes(w io.Writer) error {
	_, err := fmt.Fprintf(w, "| train_seconds | | %.3f |\n| tick_microseconds | | %.1f |\n", r.TrainStepTime.Seconds(), float64(r.PlainStepTime)/float64(time.Microsecond))
	return err
}

// formatPercent formats a share as a percentage with one decimal.
func formatPercent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
