package diagnose

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/exitcode"
)

// newReport returns the report of the checks. It leaves out the items of other checks.
func newReport(url string, now time.Time, checks []Check, r results, missing []Missing, absent []Absent) *report {
	out := &report{Schema: schemaVersion, URL: url, At: now.UTC(), Checks: checks, Findings: []Finding{}, Missing: []Missing{}, Absent: []Absent{}, Figures: []Figure{}}
	out.Findings = append(out.Findings, filterByCheck(checks, r.findings, func(f Finding) Check { return f.Check })...)
	out.Missing = append(out.Missing, filterByCheck(checks, missing, func(m Missing) Check { return m.Check })...)
	out.Absent = append(out.Absent, filterByCheck(checks, absent, func(a Absent) Check { return a.Check })...)
	out.Figures = append(out.Figures, filterByCheck(checks, r.figures, func(f Figure) Check { return f.Check })...)
	for i, f := range out.Findings {
		out.Findings[i].Runbook = scaling.Runbooks + "diagnose.md#" + f.Name
	}
	sortFindings(out.Findings)
	return out
}

// filterByCheck returns the items that belong to the checks, in the order of the checks.
func filterByCheck[T any](checks []Check, list []T, getCheck func(T) Check) (kept []T) {
	for _, c := range checks {
		for _, item := range list {
			if getCheck(item) == c {
				kept = append(kept, item)
			}
		}
	}
	return kept
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// write writes the report to out. If page is not empty, it also writes the HTML page to that file.
// The returned error has the exit code. It is nil if the report is complete and has no finding.
func (r *report) write(out io.Writer, asJSON bool, page string) (err error) {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(r)
	} else {
		err = r.writeText(out)
	}
	if page != "" {
		err = errors.Join(err, r.writePage(page))
	}
	switch {
	case err != nil:
		return &exitcode.Error{Code: exitcode.Incomplete, Err: fmt.Errorf("write the report: %w", err)}
	case len(r.Findings) > 0:
		return &exitcode.Error{Code: exitcode.Found}
	case len(r.Missing) > 0:
		return &exitcode.Error{Code: exitcode.Incomplete}
	}
	return nil
}

// writePage writes the HTML page to a file that only its owner can read, because the page has names
// of pods and statements.
func (r *report) writePage(name string) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(r.writeHTML(file), file.Close())
}

//go:embed report.html.tmpl
var pageSource string

var pageTemplate = template.Must(template.New("report").Parse(pageSource))

// writeHTML writes the report as one page. The page needs no script and no other file. It has links
// to the runbook.
func (r *report) writeHTML(out io.Writer) error { return pageTemplate.Execute(out, r) }

// Items returns the findings, missing items, absent items and figures of one check. The template of
// the page calls it.
func (r *report) Items(check Check) any {
	return struct {
		Findings []Finding
		Missing  []Missing
		Absent   []Absent
		Figures  []Figure
	}{
		filterByCheck([]Check{check}, r.Findings, func(f Finding) Check { return f.Check }), filterByCheck([]Check{check}, r.Missing, func(m Missing) Check { return m.Check }),
		filterByCheck([]Check{check}, r.Absent, func(a Absent) Check { return a.Check }), filterByCheck([]Check{check}, r.Figures, func(f Figure) Check { return f.Check }),
	}
}

// writeText writes the report as text.
func (r *report) writeText(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %s\n", r.URL, r.At.Format(time.RFC3339))
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n%s: %s: %s\n  evidence   %s\n", f.Check, f.Name, f.Where, f.Evidence)
		if f.Threshold != "" {
			fmt.Fprintf(&b, "  threshold  %s\n", f.Threshold)
		}
		fmt.Fprintf(&b, "  cause      %s\n  fix        %s\n  next       %s\n  more       %s\n", f.Cause, f.Fix, f.Next, f.Runbook)
	}
	if len(r.Figures) > 0 {
		fmt.Fprintln(&b, "\nmeasured:")
	}
	for _, f := range r.Figures {
		fmt.Fprintf(&b, "  %s: %s: %s\n", f.Check, f.Name, f.Value)
	}
	if len(r.Absent) > 0 {
		fmt.Fprintln(&b, "\nnot in this platform:")
	}
	for _, a := range r.Absent {
		fmt.Fprintf(&b, "  %s: %s: %s\n", a.Check, a.What, a.Why)
	}
	if len(r.Missing) > 0 {
		fmt.Fprintln(&b, "\nnot read:")
	}
	for _, m := range r.Missing {
		fmt.Fprintf(&b, "  %s: %s: %s\n", m.Check, m.What, m.Reason)
	}
	fmt.Fprintln(&b)
	for _, check := range r.Checks {
		incomplete := ""
		if slices.ContainsFunc(r.Missing, func(m Missing) bool { return m.Check == check }) {
			incomplete = ", incomplete"
		}
		fmt.Fprintf(&b, "%s: %d findings%s\n", check, len(filterByCheck([]Check{check}, r.Findings, func(f Finding) Check { return f.Check })), incomplete)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
