package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// newReport returns the report of a stack with up to three resources: a, b and c. okValues has, by
// the name of a resource, the value of its property ok: true, false or unknown.
func newReport(t *testing.T, okValues map[string]any, config string) *Report {
	t.Helper()
	var resources []*graph.Resource
	for _, name := range []string{"a", "b", "c"} {
		if ok, found := okValues[name]; found {
			r := graph.New("urn:pulumi:prod::p::t:t:T::" + name)
			r.Inputs = value.New(map[string]any{"ok": ok})
			if name == "a" {
				r.Source = graph.Source{File: "components/t/t.go", Line: 7}
			}
			resources = append(resources, r)
		}
	}
	r := &rule.Rule{
		ID: "t-ok", Title: "t is ok", Why: "it breaks | else", Fix: "set ok", Standards: []string{"WA"}, Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(value.As[value.Bool](s.View().Get("ok")).IsTrue(), "ok is not true")
		}, "t:t:T"),
	}
	e := evaluate.New([]*rule.Rule{r}, "prod", config, time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC))
	g := graph.Build(resources)
	return New("prod", "prod", e, g, e.ApplyToStack(g))
}

const waiverOfB = `{"waivers":[{"rule":"t-ok","resource":"b","reason":"r","owner":"o","until":"2026-12-01"}]}`

const expiredWaiver = `{"waivers":[{"rule":"t-ok","resource":"a","reason":"r","owner":"o","until":"2026-11-01"}]}`

// render returns the report in a format.
func render(t *testing.T, r *Report, format string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Formats[format](r, &out))
	return out.String()
}

func TestTextListsViolationsAndTheSummary(t *testing.T) {
	r := newReport(t, map[string]any{"a": false, "b": false, "c": value.Undetermined{}}, waiverOfB)
	require.Equal(t, Summary{Rules: 1, Resources: 3, Mandatory: 1, Waived: 1, Undecided: 1}, r.Summary)
	require.True(t, r.Fails())
	require.Equal(t, `mandatory  t-ok  a (components/t/t.go:7)
    ok is not true
    fix: set ok
waived  t-ok  b
    ok is not true
    fix: set ok
    waived until 2026-12-01 by o: r
expires soon  waiver of t-ok for b  on 2026-12-01, owner o
prod: 1 rules, 3 resources: 1 mandatory, 0 advisory and 1 waived violations; 1 undecided, 0 hold
`, render(t, r, "text"))
}

func TestOnlyNewViolationsFailAfterCompare(t *testing.T) {
	for _, tc := range []struct {
		reason        string
		before, after map[string]any
		configBefore  string
		config        string
		fails         bool
		added, fixed  []string
	}{
		{"a violation that the earlier state has does not fail", map[string]any{"a": false}, map[string]any{"a": false}, "", "", false, nil, nil},
		{"a new violation fails", map[string]any{"a": true}, map[string]any{"a": false}, "", "", true, []string{"a"}, nil},
		{"a violation of a new resource fails", map[string]any{"a": false}, map[string]any{"a": false, "b": false}, "", "", true, []string{"b"}, nil},
		{"a fixed violation is listed", map[string]any{"a": false}, map[string]any{"a": true}, "", "", false, nil, []string{"a"}},
		{"a violation of a deleted resource is listed as fixed", map[string]any{"a": false, "b": true}, map[string]any{"b": true}, "", "", false, nil, []string{"a"}},
		{"a violation that can't be decided is not fixed", map[string]any{"a": false}, map[string]any{"a": value.Undetermined{}}, "", "", false, nil, nil},
		{"a faulty waiver fails, although the earlier state is evaluated with it", map[string]any{"a": false}, map[string]any{"a": false}, expiredWaiver, expiredWaiver, true, []string{""}, nil},
		{"a removed faulty waiver is not fixed", map[string]any{"a": true}, map[string]any{"a": true}, expiredWaiver, "", false, nil, nil},
	} {
		r := newReport(t, tc.after, tc.config)
		r.Compare(newReport(t, tc.before, tc.configBefore))
		require.Equal(t, tc.fails, r.Fails(), tc.reason)
		var added, fixed []string
		for _, f := range r.Findings {
			if f.New && f.Kind != Undecided {
				added = append(added, f.Resource)
			}
		}
		for _, f := range r.Fixed {
			fixed = append(fixed, f.Resource)
		}
		require.Equal(t, tc.added, added, tc.reason)
		require.Equal(t, tc.fixed, fixed, tc.reason)
	}
}

func TestJSONReportMatchesTheSchema(t *testing.T) {
	raw, err := os.ReadFile("schema.json")
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("schema.json", document))
	schema, err := c.Compile("schema.json")
	require.NoError(t, err)
	for _, r := range []*Report{
		newReport(t, map[string]any{"a": false, "b": false, "c": value.Undetermined{}}, waiverOfB),
		newReport(t, map[string]any{"a": true}, ""),
		newReport(t, map[string]any{"a": true}, "{"),
	} {
		instance, err := jsonschema.UnmarshalJSON(strings.NewReader(render(t, r, "json")))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(instance))
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(render(t, newReport(t, map[string]any{"a": false}, ""), "json"), `"mandatory"`, `"loud"`, 1)))
	require.NoError(t, err)
	require.Error(t, schema.Validate(instance), "the schema refuses an unknown kind")
}

func TestSARIFHasLocationsAndSuppressions(t *testing.T) {
	var doc struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID    string
				Level     string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
				Suppressions  []struct{ Justification string }
				BaselineState string
			}
		}
	}
	r := newReport(t, map[string]any{"a": false, "b": false}, waiverOfB)
	r.Compare(newReport(t, map[string]any{"a": true}, ""))
	require.NoError(t, json.Unmarshal([]byte(render(t, r, "sarif")), &doc))
	require.Equal(t, "2.1.0", doc.Version)
	run := doc.Runs[0]
	require.Equal(t, "t-ok", run.Tool.Driver.Rules[0].ID)
	require.Len(t, run.Results, 2)
	first := run.Results[0]
	require.Equal(t, "error", first.Level)
	require.Equal(t, "new", first.BaselineState)
	require.Equal(t, "components/t/t.go", first.Locations[0].PhysicalLocation.ArtifactLocation.URI)
	require.Equal(t, 7, first.Locations[0].PhysicalLocation.Region.StartLine)
	require.Equal(t, "r", run.Results[1].Suppressions[0].Justification)
	require.Equal(t, "Pulumi.yaml", run.Results[1].Locations[0].PhysicalLocation.ArtifactLocation.URI, "a result without a source has a file, because readers drop a result without one")
}

func TestJUnitSkipsAWaivedViolation(t *testing.T) {
	var suite junitSuite
	require.NoError(t, xml.Unmarshal([]byte(render(t, newReport(t, map[string]any{"a": false, "b": false}, waiverOfB), "junit")), &suite))
	require.Equal(t, 2, suite.Tests)
	require.Equal(t, 1, suite.Failures)
	require.Equal(t, "mandatory: ok is not true", suite.Cases[0].Failure.Message)
	require.NotNil(t, suite.Cases[1].Skipped)
}

func TestMarkdownListsNewMandatoryViolations(t *testing.T) {
	r := newReport(t, map[string]any{"a": false}, "")
	r.Compare(newReport(t, map[string]any{"a": true}, ""))
	require.Contains(t, render(t, r, "markdown"), "**New mandatory (1)**\n\n| rule | resource | what | fix |\n|---|---|---|---|\n| `t-ok` | a (components/t/t.go:7) | ok is not true | set ok |\n")
}
