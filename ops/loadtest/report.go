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

// report is the output of -json. Times are in milliseconds.
type report struct {
	URL         string    `json:"url"`
	User        string    `json:"user"`
	Connections int       `json:"connections"`
	Rate        float64   `json:"rate"` // requests per second to the web app
	Started     time.Time `json:"started"`
	Seconds     float64   `json:"seconds"`
	Interrupted bool      `json:"interrupted"`
	// Refusals is the result of requests without a valid token.
	Refusals checkResult `json:"refusals"`
	// Answers is the result of one request of each kind with the token.
	Answers checkResult `json:"answers"`
	// Load is absent if Refusals or Answers has an incorrect response.
	Load []row `json:"load,omitempty"`
}

// checkResult is the result of requests that were sent one after the other.
type checkResult struct {
	Sent  int      `json:"sent"`
	Wrong []string `json:"wrong,omitempty"`

	unanswered int // requests without a response
}

// maxUnanswered is the number of requests without a response after which no more
// are sent, because the platform is unreachable.
const maxUnanswered = 3

// do sends one request and adds its result, unless ctx ends meanwhile.
func (p *checkResult) do(ctx context.Context, name string, send func(context.Context) error) {
	if p.unanswered == maxUnanswered {
		return
	}
	sendCtx, cancel := context.WithTimeout(ctx, load.Timeout)
	defer cancel()
	err := send(sendCtx)
	if ctx.Err() != nil {
		return
	}
	p.Sent++
	if err == nil {
		return
	}
	p.Wrong = append(p.Wrong, name+": "+err.Error())
	if _, responded := errors.AsType[load.InvalidAnswer](err); !responded {
		p.unanswered++
	}
}

// row is the result of one request under load.
type row struct {
	Name      string       `json:"name"`
	Sent      int          `json:"sent"`
	PerSecond float64      `json:"perSecond"` // of correct responses
	Failed    load.Reasons `json:"failed,omitempty"`
	P50       float64      `json:"p50"`
	P95       float64      `json:"p95"`
	P99       float64      `json:"p99"`
	Limit     float64      `json:"limit"` // of the p95
	// Kept is true if the p95 is within the limit. It is false without a
	// correct response.
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

// hasErrors reports whether any response was incorrect or missing.
func (r *report) hasErrors() bool {
	return len(r.Refusals.Wrong)+len(r.Answers.Wrong) > 0 ||
		slices.ContainsFunc(r.Load, func(r row) bool { return r.Failed.Total() > 0 })
}

// missedLimit reports whether the p95 of any request is above its limit.
func (r *report) missedLimit() bool {
	return slices.ContainsFunc(r.Load, func(r row) bool { return !r.Kept })
}

func (r *report) json(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// text writes the report as tables.
func (r *report) text(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s as %s\n", r.URL, r.User)
	r.Refusals.text(w, "without a valid token", "got 401, or are public")
	r.Answers.text(w, "with the token", "got a correct response")
	if len(r.Load) > 0 {
		fmt.Fprintln(w, "\nrequest\tsent\tgood/s\tfailed\tp50 ms\tp95 ms\tp99 ms\tlimit of p95")
	}
	for _, row := range r.Load {
		verdict := "kept"
		if !row.Kept {
			verdict = "missed"
		}
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%d\t%.2f\t%.2f\t%.2f\t%.0f %s\n",
			row.Name, row.Sent, row.PerSecond, row.Failed.Total(), row.P50, row.P95, row.P99, row.Limit, verdict)
	}
	for _, row := range r.Load {
		if len(row.Failed) > 0 {
			fmt.Fprintf(w, "wrong: %s: %s\n", row.Name, row.Failed)
		}
	}
	if r.Interrupted {
		fmt.Fprintf(w, "interrupted after %.1f s\n", r.Seconds)
	}
	return w.Flush()
}

func (p checkResult) text(w io.Writer, name, result string) {
	fmt.Fprintf(w, "%s: %d requests, %d %s\n", name, p.Sent, p.Sent-len(p.Wrong), result)
	for _, wrong := range p.Wrong {
		fmt.Fprintf(w, "wrong: %s\n", wrong)
	}
}
