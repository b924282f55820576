package evaluate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

var now = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

// newRule returns a rule that requires that the property ok is true. The rule panics if the
// resource has the property panic.
func newRule(id string, levels rule.Levels, cross bool) *rule.Rule {
	c := rule.OnTypes(func(s *rule.Subject) {
		if panics, _ := s.View().Get("panic").IsSet().Known(); panics {
			panic("no")
		}
		s.Must(value.As[value.Bool](s.View().Get("ok")).IsTrue(), "ok is not true")
	}, "t:t:T")
	c.Cross = cross
	return &rule.Rule{ID: id, Title: id, Fix: "set ok", Levels: levels, Check: c}
}

func resource(name string, inputs map[string]any) *graph.Resource {
	r := graph.New("urn:pulumi:s::p::t:t:T::" + name)
	r.Inputs = value.New(inputs)
	return r
}

// outcomes returns the outcome of each result. A key is "RULE RESOURCE".
func outcomes(results []Result) map[string]Outcome {
	byKey := map[string]Outcome{}
	for _, r := range results {
		byKey[r.Rule.ID+" "+r.Resource.Name] = r.Outcome
	}
	return byKey
}

func TestEachResourceHasItsOwnOutcomes(t *testing.T) {
	e := New([]*rule.Rule{newRule("one", rule.Everywhere, false), newRule("two", rule.Advice, true)}, "prod", "", now)
	g := graph.Build([]*graph.Resource{
		resource("good", map[string]any{"ok": true}), resource("bad", map[string]any{"ok": false}),
		resource("later", map[string]any{"ok": value.Undetermined{}}), resource("panics", map[string]any{"panic": true}),
	})
	require.Equal(t, map[string]Outcome{
		"one good": Holds, "two good": Holds, "one bad": Broken, "two bad": Broken,
		"one later": Undecided, "two later": Undecided, "one panics": Broken, "two panics": Broken,
	}, outcomes(e.ApplyToStack(g)), "a rule that panics is broken, and all others are evaluated")
	require.Equal(t, map[string]Outcome{"one bad": Broken}, outcomes(e.ApplyToResource(g.All()[1])), "ApplyToResource applies only rules that need no other resource")
	for _, r := range e.ApplyToStack(g) {
		require.Equal(t, r.Outcome == Broken && r.Rule.ID == "one", r.Fails(), "a broken advisory rule does not fail the operation")
	}
}

func TestUnusedAndFaultyWaiversAreViolations(t *testing.T) {
	rules := []*rule.Rule{newRule("one", rule.Everywhere, false)}
	g := graph.Build([]*graph.Resource{resource("bad", map[string]any{"ok": false}), resource("good", map[string]any{"ok": true})})
	waiverConfig := func(resource, until string) string {
		return `{"waivers":[{"rule":"one","resource":"` + resource + `","reason":"r","owner":"o","until":"` + until + `"}]}`
	}
	for _, tc := range []struct {
		reason, config string
		fails          int
		want           string
	}{
		{"without a waiver, the violation fails", "", 1, "ok is not true"},
		{"a valid waiver accepts the violation", waiverConfig("bad", "2027-01-01"), 0, ""},
		{"an expired waiver: the violation and the waiver fail", waiverConfig("bad", "2026-01-01"), 2, "it expired"},
		{"an unused waiver: the violation and the waiver fail", waiverConfig("good", "2027-01-01"), 2, "nothing breaks the rule any more"},
		{"an unreadable configuration: the violation and the configuration fail", "{", 2, "progressive-framework:policy"},
	} {
		e := New(rules, "prod", tc.config, now)
		fails, text := 0, ""
		for _, r := range e.ApplyToStack(g) {
			if r.Fails() {
				fails++
				text += r.Text()
			}
		}
		require.Equal(t, tc.fails, fails, tc.reason)
		require.Contains(t, text, tc.want, tc.reason)
	}
}

func TestWaiverOfAnUndecidedResultIsNotReportedAsUnused(t *testing.T) {
	e := New([]*rule.Rule{newRule("one", rule.Everywhere, false)}, "prod", `{"waivers":[{"rule":"one","resource":"later","reason":"r","owner":"o","until":"2027-01-01"}]}`, now)
	for _, r := range e.ApplyToStack(graph.Build([]*graph.Resource{resource("later", map[string]any{"ok": value.Undetermined{}})})) {
		require.NotEqual(t, Broken, r.Outcome, "in a preview it is not known whether the waiver is needed")
	}
}
