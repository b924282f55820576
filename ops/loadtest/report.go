package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/progressive-framework/platform/ops/load"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// schemaVersion is the version of report.schema.json. Reports with another version are refused.
const schemaVersion = 1

// report is the JSON report. Times are in milliseconds, unless the name contains "seconds".
// docs/load.md documents it.
type report struct {
	Schema      int       `json:"schema"`
	URL         string    `json:"url"`
	User        string    `json:"user"`
	Profile     string    `json:"profile"`
	Uncached    bool      `json:"uncached"`
	Connections int       `json:"connections"`
	Rate        float64   `json:"rate"`       // highest requests per second to the web app
	AgentsRate  float64   `json:"agentsRate"` // highest requests per second to all agents together
	Started     time.Time `json:"started"`
	Seconds     float64   `json:"seconds"`
	Interrupted bool      `json:"interrupted"`
	// Refusals is the result of requests without a valid token.
	Refusals checkResult `json:"refusals"`
	// Responses is the result of one request of each kind with the token.
	Responses checkResult `json:"answers"`
	// Load is absent if Refusals or Responses has an incorrect response.
	Load []row `json:"load,omitempty"`
	// Images are the stack's images, as REPOSITORY@DIGEST by their short names. They are absent
	// with --url, and if they changed during the test or the test was interrupted.
	Images map[string]string `json:"images,omitempty"`
	// Replicas are the pods of each service over time. They are absent without a cluster.
	Replicas map[string][]Replicas `json:"replicas,omitempty"`
	// Bounds are the bounds of the services' autoscalers at the start of the load.
	Bounds map[string]Bounds `json:"bounds,omitempty"`
	// Comparison compares this report with the report of --compare.
	Comparison *comparison `json:"comparison,omitempty"`
	// Notes explain what is missing in the report.
	Notes []string `json:"notes,omitempty"`
}

// addImages adds the images that the stack had before the test, if the stack still has the same
// images. Otherwise it is unknown which images were tested. After an interrupted test it does not
// read the stack again: Pulumi may need seconds, and the report must not wait.
func (r *report) addImages(ctx context.Context, before map[string]string, readOutputs func(context.Context) (stackoutput.Outputs, error)) {
	if len(before) == 0 {
		return
	}
	if r.Interrupted {
		r.Notes = append(r.Notes, "images: not compared with the stack after the test, because it was interrupted")
		return
	}
	after, err := readOutputs(ctx)
	switch {
	case err != nil:
		r.Notes = append(r.Notes, fmt.Sprintf("images: %v", err))
	case !maps.Equal(before, after.Images):
		r.Notes = append(r.Notes, "images: the stack was updated during the test")
	default:
		r.Images = before
	}
}

// readReport reads a JSON report. It returns an error for a report with another schema.
func readReport(file string) (*report, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r report
	if err := json.Unmarshal(content, &r); err != nil {
		return nil, fmt.Errorf("%s is not a report of --json: %w", file, err)
	}
	if r.Schema != schemaVersion {
		return nil, fmt.Errorf("%s has schema %d, must be %d: run the older test again", file, r.Schema, schemaVersion)
	}
	return &r, nil
}

// checkResult is the result of requests that were sent one after the other.
type checkResult struct {
	Sent  int      `json:"sent"`
	Wrong []string `json:"wrong,omitempty"`

	withoutResponse int // requests without a response
}

// maxWithoutResponse is the number of requests without a response after which no more requests are
// sent, because the platform is unreachable.
const maxWithoutResponse = 3

// send calls sendRequest for one request and adds the result, unless ctx ends first. After
// maxWithoutResponse requests without a response it does nothing.
func (r *checkResult) send(ctx context.Context, name string, sendRequest func(context.Context) error) {
	if r.withoutResponse == maxWithoutResponse {
		return
	}
	sendCtx, cancel := context.WithTimeout(ctx, load.Timeout)
	defer cancel()
	err := sendRequest(sendCtx)
	if ctx.Err() != nil {
		return
	}
	r.Sent++
	if err == nil {
		return
	}
	r.Wrong = append(r.Wrong, name+": "+err.Error())
	if _, responded := errors.AsType[load.InvalidResponse](err); !responded {
		r.withoutResponse++
	}
}

// row is the result of one request under load.
type row struct {
	Name      string       `json:"name"`
	Sent      int          `json:"sent"`
	PerSecond float64      `json:"perSecond"` // of correct responses
	Slow      int          `json:"slow"`      // correct responses that took longer than Limit
	Failed    load.Reasons `json:"failed,omitempty"`
	P50       float64      `json:"p50"`
	P95       float64      `json:"p95"`
	P99       float64      `json:"p99"`
	Limit     float64      `json:"limit"` // of the p95
	// WithinLimit means that the p95 is within the limit. It is false without a correct response.
	WithinLimit bool `json:"kept"`
	// Seconds are the results by the second in which a request was due.
	Seconds []second `json:"seconds,omitempty"`
}

// second is one second of a row. It has the result of the requests that were due in that second.
type second struct {
	Correct int     `json:"correct"`
	Failed  int     `json:"failed,omitempty"`
	P50     float64 `json:"p50"`
	P95     float64 `json:"p95"`
	P99     float64 `json:"p99"`
}

// newRow returns the row of a stream.
func newRow(s load.Stream, r load.Result) row {
	var seconds []second
	for _, s := range r.Seconds {
		seconds = append(seconds, second{len(s.Latencies), s.Failed, toMilliseconds(s.Percentile(50)), toMilliseconds(s.Percentile(95)), toMilliseconds(s.Percentile(99))})
	}
	return row{
		Name: s.Name, Sent: r.Sent(), PerSecond: r.PerSecond(), Slow: r.CountSlower(s.Limit), Failed: r.Failed,
		P50: toMilliseconds(r.Percentile(50)), P95: toMilliseconds(r.Percentile(95)), P99: toMilliseconds(r.Percentile(99)), Limit: toMilliseconds(s.Limit),
		WithinLimit: len(r.Latencies) > 0 && r.Percentile(95) <= s.Limit, Seconds: seconds,
	}
}

// toMilliseconds returns a duration in milliseconds, rounded to 0.01.
func toMilliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond).Microseconds()) / 1000
}

// hasErrors reports whether any response was incorrect or missing.
func (r *report) hasErrors() bool {
	return len(r.Refusals.Wrong)+len(r.Responses.Wrong) > 0 ||
		slices.ContainsFunc(r.Load, func(r row) bool { return r.Failed.Total() > 0 })
}

// hasMissedLimit reports whether the p95 of any request is above its limit.
func (r *report) hasMissedLimit() bool {
	return slices.ContainsFunc(r.Load, func(r row) bool { return !r.WithinLimit })
}

// writeJSON writes the report as JSON.
func (r *report) writeJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// writeText writes the report as tables.
func (r *report) writeText(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s as %s, profile %s\n", r.URL, r.User, r.Profile)
	r.Refusals.writeText(w, "without a valid token", "got 401, or are public")
	r.Responses.writeText(w, "with the token", "got a correct response")
	if len(r.Load) > 0 {
		fmt.Fprintln(w, "\nrequest\tsent\tgood/s\tfailed\tp50 ms\tp95 ms\tp99 ms\tlimit of p95")
	}
	for _, row := range r.Load {
		verdict := "kept"
		if !row.WithinLimit {
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
	for _, name := range slices.Sorted(maps.Keys(r.Replicas)) {
		first, last, maxReady := r.Replicas[name][0], r.Replicas[name][len(r.Replicas[name])-1], int32(0)
		for _, replicas := range r.Replicas[name] {
			maxReady = max(maxReady, replicas.Ready)
		}
		fmt.Fprintf(w, "pods of %s: %d ready at the start, at most %d, %d in the end\n", name, first.Ready, maxReady, last.Ready)
	}
	r.Comparison.writeText(w)
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	if r.Interrupted {
		fmt.Fprintf(w, "interrupted after %.1f s\n", r.Seconds)
	}
	return w.Flush()
}

// writeText writes the result as lines. result is the text for correct responses.
func (r checkResult) writeText(w io.Writer, name, result string) {
	fmt.Fprintf(w, "%s: %d requests, %d %s\n", name, r.Sent, r.Sent-len(r.Wrong), result)
	for _, wrong := range r.Wrong {
		fmt.Fprintf(w, "wrong: %s\n", wrong)
	}
}
