package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/progressive-framework/platform/ops/load"
)

// report is what -json prints; times are in milliseconds.
type report struct {
	URL         string    `json:"url"`
	User        string    `json:"user"`
	Connections int       `json:"connections"`
	Rate        float64   `json:"rate"` // requests per second to the web app
	Started     time.Time `json:"started"`
	Seconds     float64   `json:"seconds"`
	Interrupted bool      `json:"interrupted"`
	// Refusals are of requests without a valid token.
	Refusals pass `json:"refusals"`
	// Answers are of one request of each kind with the token.
	Answers pass `json:"answers"`
	// Load is absent when a refusal or an answer was wrong.
	Load []row `json:"load,omitempty"`
}

// pass is the result of requests that were sent one by one.
type pass struct {
	Sent  int      `json:"sent"`
	Wrong []string `json:"wrong,omitempty"`

	unanswered int
}

// maxUnanswered is how many requests may go without any answer. Then the rest
// of a pass is not sent: the platform is not there.
const maxUnanswered = 3

// do sends one request, which is not counted if ctx ends meanwhile.
func (p *pass) do(ctx context.Context, name string, send func(context.Context) error) {
	if p.unanswered == maxUnanswered {
		return
	}
	within, cancel := context.WithTimeout(ctx, load.Timeout)
	defer cancel()
	err := send(within)
	if ctx.Err() != nil {
		return
	}
	p.Sent++
	if err == nil {
		return
	}
	p.Wrong = append(p.Wrong, name+": "+err.Error())
	if _, answered := errors.AsType[load.InvalidAnswer](err); !answered {
		p.unanswered++
	}
}

// row is one request under load.
type row struct {
	Name      string       `json:"name"`
	Sent      int          `json:"sent"`
	PerSecond float64      `json:"perSecond"` // of good answers
	Failed    load.Reasons `json:"failed,omitempty"`
	P50       float64      `json:"p50"`
	P95       float64      `json:"p95"`
	P99       float64      `json:"p99"`
	Limit     float64      `json:"limit"` // of the p95
	// Kept is whether the p95 is within the limit; without a good answer it is
	// not.
	Kept bool `json:"kept"`
}

func newRow(s load.Stream, r load.Result) row {
	return row{
		Name: s.Name, Sent: r.Sent(), PerSecond: r.PerSecond(), Failed: r.Failed,
		P50: ms(r.Percentile(50)), P95: ms(r.Percentile(95)), P99: ms(r.Percentile(99)), Limit: ms(s.Limit),
		Kept: len(r.Latencies) > 0 && r.Percentile(95) <= s.Limit,
	}
}

func ms(d time.Duration) float64 { return float64(d.Round(10*time.Microsecond).Microseconds()) / 1000 }

func (r *report) wrong() bool {
	return len(r.Refusals.Wrong)+len(r.Answers.Wrong) > 0 ||
		slices.ContainsFunc(r.Load, func(one row) bool { return one.Failed.Total() > 0 })
}

func (r *report) missed() bool {
	return slices.ContainsFunc(r.Load, func(one row) bool { return !one.Kept })
}

func (r *report) json(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

func (r *report) text(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s as %s\n", r.URL, r.User)
	r.Refusals.text(w, "without a valid token", "refused with 401, or public")
	r.Answers.text(w, "with the token", "answered correctly")
	if len(r.Load) > 0 {
		fmt.Fprintln(w, "\nrequest\tsent\tgood/s\tfailed\tp50 ms\tp95 ms\tp99 ms\tlimit of p95")
	}
	for _, one := range r.Load {
		verdict := "kept"
		if !one.Kept {
			verdict = "missed"
		}
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%d\t%.2f\t%.2f\t%.2f\t%.0f %s\n",
			one.Name, one.Sent, one.PerSecond, one.Failed.Total(), one.P50, one.P95, one.P99, one.Limit, verdict)
	}
	for _, one := range r.Load {
		if len(one.Failed) > 0 {
			fmt.Fprintf(w, "wrong: %s: %s\n", one.Name, one.Failed)
		}
	}
	if r.Interrupted {
		fmt.Fprintf(w, "interrupted after %.1f s\n", r.Seconds)
	}
	return w.Flush()
}

func (p pass) text(w io.Writer, what, good string) {
	fmt.Fprintf(w, "%s: %d requests, %d %s\n", what, p.Sent, p.Sent-len(p.Wrong), good)
	for _, wrong := range p.Wrong {
		fmt.Fprintf(w, "wrong: %s\n", wrong)
	}
}
