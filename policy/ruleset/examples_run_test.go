package ruleset_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/ruleset"
	"github.com/progressive-framework/platform/policy/value"
)

// example is one edit of compliantProd that breaks one requirement of a rule. It also has the outcomes
// of the rule while the edited value is absent and while it is unknown.
type example struct {
	// rule is the ID of the broken rule.
	rule string
	// resource and path name the edited resource and input. bad is the value that breaks
	// the rule; nil removes the input.
	resource, path string
	bad            any
	// subject is the resource that breaks the rule. If subject is empty, the edited resource breaks
	// it.
	subject string
	// edits replace the edit of resource and path. They are for a change that is more than
	// a new value of one input.
	edits []edit
	// preparation are edits that are applied first, in each of the three cases.
	preparation []edit
	// alsoBroken are the other rules that the edit breaks, as "rule @ resource".
	alsoBroken []string
	// ifAbsent is the outcome without the value. If it is empty, the expected outcome is
	// Broken.
	ifAbsent evaluate.Outcome
	// ifUnknown is the outcome while the value is unknown. If it is empty, the expected
	// outcome is Undecided.
	ifUnknown evaluate.Outcome
	// without are the edits that remove the value, and hiding the edits that make it unknown. They
	// are for a value that path can't name, because it is not an input.
	without, hiding []edit
}

// subjectName returns the name of the resource that breaks the rule.
func (e example) subjectName() string { return cmp.Or(e.subject, e.resource) }

// breakingEdits returns the edits that break the rule.
func (e example) breakingEdits() []edit {
	if e.edits != nil {
		return e.edits
	}
	return []edit{set(e.resource, e.path, e.bad)}
}

// newEnvironment returns compliantProd after the edits of preparation, and then edits.
func (e example) newEnvironment(t *testing.T, edits ...edit) *environment {
	t.Helper()
	env := compliantProd(t)
	for _, apply := range append(slices.Clone(e.preparation), edits...) {
		apply(t, env)
	}
	return env
}

// allExamples returns the examples of all rules.
func allExamples() []example {
	return slices.Concat(networkExamples, nodeExamples, eksExamples, postgresExamples, mongoExamples, redisExamples,
		edgeExamples, bucketExamples, keyExamples, iamExamples, podExamples, podObjectExamples, callExamples, workloadExamples, clusterExamples, storeExamples, stackExamples, spendingExamples)
}

// Each example breaks its own rule and the rules in alsoBroken, and no other rule. Without the
// value, and while the value is unknown, its own rule has the expected outcome.
func TestExamplesBreakTheExpectedRules(t *testing.T) {
	unedited := compliantProd(t).evaluateRules(nil)
	for _, e := range allExamples() {
		t.Run(e.rule+" "+e.resource+" "+e.path, func(t *testing.T) {
			key := e.rule + " @ " + e.subjectName()
			before := unedited
			if len(e.preparation) > 0 {
				before = e.newEnvironment(t).evaluateRules(nil)
			}
			require.Equal(t, evaluate.Holds, before[key].Outcome, "the rule holds before the edit: %v", before[key].Messages)

			broken := newResults(before, e.newEnvironment(t, e.breakingEdits()...).evaluateRules(nil), evaluate.Broken)
			want := append([]string{key}, e.alsoBroken...)
			slices.Sort(want)
			require.Equal(t, want, broken, "the rules that the edit breaks")

			without, hiding := e.without, e.hiding
			if e.path != "" {
				without, hiding = []edit{set(e.resource, e.path, nil)}, []edit{hide(e.resource, e.path)}
			}
			if hiding == nil {
				return
			}
			absent := e.newEnvironment(t, without...).evaluateRules(nil)[key]
			assert.Equal(t, cmp.Or(e.ifAbsent, evaluate.Broken), absent.Outcome, "without %s: %v", e.path, absent.Messages)
			unknown := e.newEnvironment(t, hiding...).evaluateRules(nil)[key]
			assert.Equal(t, cmp.Or(e.ifUnknown, evaluate.Undecided), unknown.Outcome, "while %s is unknown: %v", e.path, unknown.Messages)
		})
	}
}

// hide returns an edit that makes an input unknown and removes the input's references.
func hide(name, path string) edit {
	return func(t testing.TB, env *environment) {
		t.Helper()
		set(name, path, value.Undetermined{})(t, env)
		top, _, _ := strings.Cut(path, ".")
		change(name, func(r *graph.Resource) { delete(r.References, top) })(t, env)
	}
}

// rulesWithLoops are the rules that make the same check for several constants. Each text of such a
// requirement counts as a requirement of its own.
var rulesWithLoops = map[string]bool{
	"eks-control-plane-logs": true, "network-acl-no-admin-ports": true, "rbac-not-aggregated": true, "tags-of-stack": true,
	"vpa-hpa-conflict": true, "waf-log-redacted": true,
}

// neverUnknown are the rules that read only an option of Pulumi, which is always known.
var neverUnknown = map[string]bool{"store-protected": true}

// Each requirement of each rule has an example that breaks the requirement. Each rule has an example with
// the outcomes while its value is absent and while it is unknown.
func TestEveryRequirementHasAnExample(t *testing.T) {
	requirements, broken := map[string]bool{}, map[string]bool{}
	ids, hasUnknownCase := map[string]bool{}, map[string]bool{}
	watch := func(id, format, text string, result value.Truth) {
		requirement := id + ": " + format
		if rulesWithLoops[id] {
			requirement = id + ": " + text
		}
		requirements[requirement] = true
		if holds, known := result.Known(); known && !holds {
			broken[requirement] = true
		}
	}
	compliantProd(t).evaluateRules(watch)
	clear(broken)
	for _, e := range allExamples() {
		ids[e.rule] = true
		hasUnknownCase[e.rule] = hasUnknownCase[e.rule] || e.path != "" || e.hiding != nil
		e.newEnvironment(t, e.breakingEdits()...).evaluateRules(func(id, format, text string, result value.Truth) {
			if id == e.rule {
				watch(id, format, text, result)
			}
		})
	}
	for id := range rulesWithLoops {
		assert.True(t, ids[id], "rulesWithLoops: there is no rule %s", id)
	}
	for _, requirement := range slices.Sorted(maps.Keys(requirements)) {
		assert.True(t, broken[requirement], "no example breaks %s", requirement)
	}
	for _, r := range ruleset.All() {
		assert.True(t, ids[r.ID], "%s has no example", r.ID)
		assert.NotEqual(t, neverUnknown[r.ID], hasUnknownCase[r.ID], "%s: an example with a path, or a row of neverUnknown", r.ID)
	}
}
