// Package driftreport finds drift in the differences that a refresh shows, and renders the drift for
// an issue. Changes by autoscalers and controllers are not drift: owned.go lists the fields that these
// programs own. The package does no I/O.
package driftreport

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
)

// Drift is a resource that differs from the state.
type Drift struct {
	URN string `json:"urn"`
	// Gone is true if the resource does not exist any more.
	Gone bool `json:"gone,omitempty"`
	// Paths are the properties that differ, without the properties in OwnedFields.
	Paths []string `json:"paths,omitempty"`
	// Source is the Go line that registered the resource, if it is known.
	Source string `json:"source,omitempty"`
}

// Report is the drift of one stack.
type Report struct {
	Stack string `json:"stack"`
	// Checked is the number of resources that the refresh read.
	Checked int     `json:"checked"`
	Drifts  []Drift `json:"drifts"`
	// Owned is the number of differences in the fields of an owner, by the name of the owner.
	Owned map[string]int `json:"owned,omitempty"`
}

// New returns a report of the drift in the output of a refresh.
func New(stack string, refresh *canonicalplan.Preview) *Report {
	r := &Report{Stack: stack, Drifts: []Drift{}, Owned: map[string]int{}}
	sources := refresh.Sources()
	for _, s := range refresh.Steps {
		if canonicalplan.IsGrouping(s.URN) {
			continue
		}
		r.Checked++
		d := Drift{URN: s.URN, Gone: s.Op == "delete", Source: sources[s.URN]}
		for _, property := range s.DifferingPaths() {
			if field := findOwnedField(canonicalplan.Type(s.URN), property); field != nil {
				r.Owned[field.By]++
				continue
			}
			d.Paths = append(d.Paths, property)
		}
		if d.Gone {
			d.Paths = nil
		}
		if d.Gone || len(d.Paths) > 0 {
			r.Drifts = append(r.Drifts, d)
		}
	}
	slices.SortFunc(r.Drifts, func(a, b Drift) int { return strings.Compare(a.URN, b.URN) })
	return r
}

// JSON returns the report as JSON.
func (r *Report) JSON() ([]byte, error) {
	raw, err := json.MarshalIndent(r, "", "  ")
	return append(raw, '\n'), err
}

// Marker returns the first line of a stack's issue. The next run finds the issue by this line.
func Marker(stack string) string { return "<!-- progressive-framework: drift of " + stack + " -->" }

// Title returns the title of a stack's issue.
func Title(stack string) string { return "Drift of " + stack }

// maxRows limits the rows of the issue, so that the issue is shorter than the 65,536 characters that
// GitHub accepts.
const maxRows = 200

// Markdown returns the body of the issue. The body has no values, because a value may be a secret
// that somebody set by mistake.
func (r *Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%d of %d resources of `%s` are not as the state has them.\n\n", Marker(r.Stack), len(r.Drifts), r.Checked, r.Stack)
	b.WriteString("| resource | what | registered at |\n|---|---|---|\n")
	for i, d := range r.Drifts {
		if i == maxRows {
			fmt.Fprintf(&b, "| %d more | | |\n", len(r.Drifts)-maxRows)
			break
		}
		what := "**gone**"
		if !d.Gone {
			what = "differs: " + pathsCell(d.Paths)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", codeCell(canonicalplan.Type(d.URN)+" "+canonicalplan.Name(d.URN)), what, d.Source)
	}
	fmt.Fprintf(&b, "\nNext: `pulumi refresh --preview-only --diff --stack %s` shows the values. "+
		"Then `pulumi up --refresh` sets them back, or a commit makes them the program's.\n", r.Stack)
	return b.String()
}

// maxPaths limits the paths in one row.
const maxPaths = 8

// pathsCell returns the first maxPaths paths as code, for a table cell.
func pathsCell(all []string) string {
	var shown []string
	for i, p := range all {
		if i == maxPaths {
			shown = append(shown, fmt.Sprintf("%d more", len(all)-maxPaths))
			break
		}
		shown = append(shown, codeCell(p))
	}
	return strings.Join(shown, ", ")
}

// codeCell formats a text as code in a table cell. It replaces the characters that would end the
// code or the cell.
func codeCell(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", `\|`, "\n", " ", "\r", " ").Replace(s) + "`"
}

// Text returns the report for a terminal.
func (r *Report) Text() string {
	var b strings.Builder
	for _, d := range r.Drifts {
		what := "gone"
		if !d.Gone {
			what = strings.Join(d.Paths, ", ")
		}
		fmt.Fprintf(&b, "%s %s: %s\n", canonicalplan.Type(d.URN), canonicalplan.Name(d.URN), what)
	}
	owned := 0
	for _, n := range r.Owned {
		owned += n
	}
	fmt.Fprintf(&b, "%s: %d resources, %d drifted; %d differences belong to autoscalers and controllers\n", r.Stack, r.Checked, len(r.Drifts), owned)
	return b.String()
}
