package value

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// results are the three possible results of a comparison.
var results = []Truth{False, Unknown, True}

// For True and False, All, Any and Implies have the same results as Go's operators. Unknown means
// that the value may be True or False.
func TestOperatorsTreatUnknownAsTrueOrFalse(t *testing.T) {
	possibleValues := func(t Truth) []bool {
		isTrue, known := t.Known()
		if !known {
			return []bool{false, true}
		}
		return []bool{isTrue}
	}
	// expected is the result if all possible pairs of bools agree, else Unknown.
	expected := func(a, b Truth, op func(x, y bool) bool) Truth {
		seen := map[bool]bool{}
		for _, x := range possibleValues(a) {
			for _, y := range possibleValues(b) {
				seen[op(x, y)] = true
			}
		}
		if len(seen) == 2 {
			return Unknown
		}
		return FromBool(seen[true])
	}
	for _, a := range results {
		require.Equal(t, a, Not(Not(a)))
		for _, b := range results {
			require.Equal(t, expected(a, b, func(x, y bool) bool { return x && y }), All(a, b), "%s and %s", a, b)
			require.Equal(t, expected(a, b, func(x, y bool) bool { return x || y }), Any(a, b), "%s or %s", a, b)
			require.Equal(t, expected(a, b, func(x, y bool) bool { return !x || y }), Implies(a, b), "%s implies %s", a, b)
		}
	}
	require.Equal(t, True, All(), "no term is False")
	require.Equal(t, False, Any())
}

// isEqualTo returns a comparison of the first number with want.
func isEqualTo(want float64) func(part, total float64) bool {
	return func(part, _ float64) bool { return part == want }
}

func TestComparisonsOfAbsentUnknownAndKnownProperties(t *testing.T) {
	n := New(map[string]any{
		"name": "x", "empty": "", "later": Undetermined{}, "hidden": Secret{"s"}, "list": []any{"a", Undetermined{}},
		"output": Undetermined{}, "document": `{"a": {"b": true}}`, "invalid": "{", "half": "50%", "three": 3.0,
	}).WithReferences(map[string][]string{"output": {"urn"}})
	stringAt := func(path string) String { return As[String](n.At(path)) }
	for _, tc := range []struct {
		reason string
		result Truth
		want   Truth
	}{
		{"a known text", stringAt("name").Is("x"), True},
		{"another text", stringAt("name").Is("y"), False},
		{"an absent value equals no text", stringAt("absent").Is("x"), False},
		{"a property of an output that is unknown may be absent", stringAt("output.deeper").IsSet(), Unknown},
		{"a property of an absent value is absent", stringAt("absent.deeper").IsSet(), False},
		{"a property of an unknown value is unknown", stringAt("later.deeper").Is("x"), Unknown},
		{"a property of a text is absent", stringAt("name.deeper").IsSet(), False},
		{"an empty text is not set", stringAt("empty").IsSet(), False},
		{"an unknown value may turn out to be absent", stringAt("later").IsSet(), Unknown},
		{"the output of a resource is set", stringAt("output").IsSet(), True},
		{"the value of a resource's output is unknown", stringAt("output").Is("x"), Unknown},
		{"the unknown element of a list may be the text", HasText(As[List[String]](n.Get("list")), "b"), Unknown},
		{"a list has its known element", HasText(As[List[String]](n.Get("list")), "a"), True},
		{"a default replaces an absent value", stringAt("absent").Or("d").Is("d"), True},
		{"a default does not replace an unknown value", stringAt("later").Or("d").Is("d"), Unknown},
		{"a JSON document in a text", As[Bool](n.Get("document").JSON().At("a.b")).IsTrue(), True},
		{"a text that is not JSON is absent", n.Get("invalid").JSON().IsSet(), False},
		{"half of three pods is two pods", As[IntOrPercent](n.Get("half")).Compare(As[Number](n.Get("three")), isEqualTo(2)), True},
		{"a number of pods stays", As[IntOrPercent](n.Get("three")).Compare(As[Number](n.Get("three")), isEqualTo(3)), True},
		{"half of an unknown number of pods", As[IntOrPercent](n.Get("half")).Compare(As[Number](n.Get("later")), isEqualTo(2)), Unknown},
		{"a text that is no share", As[IntOrPercent](n.Get("name")).Compare(As[Number](n.Get("three")), isEqualTo(2)), False},
		{"half is not zero", As[IntOrPercent](n.Get("half")).IsZero(), False},
		{"a text is not at least 0", As[Number](n.Get("name")).AtLeast(0), False},
	} {
		require.Equal(t, tc.want, tc.result, tc.reason)
	}
	require.True(t, n.Get("hidden").IsSecret())
	require.False(t, n.Get("list").Known())
	require.True(t, n.Get("name").Known())
}

// A value that becomes known may change Unknown to True or False. It never changes True to False, or
// False to True.
func TestUnknownNeverContradictsAKnownResult(t *testing.T) {
	tests := []func(Node) Truth{
		func(n Node) Truth { return As[String](n.Get("a")).Is("x") },
		func(n Node) Truth { return Not(As[String](n.Get("a")).In("x", "y")) },
		func(n Node) Truth { return As[Bool](n.Get("b")).Or(true).IsFalse() },
		func(n Node) Truth { return As[List[String]](n.Get("l")).Len().AtLeast(2) },
		func(n Node) Truth { return HasText(As[List[String]](n.Get("l")), "x") },
		func(n Node) Truth {
			return As[List[String]](n.Get("l")).All(func(s String) Truth { return s.HasPrefix("x") })
		},
		func(n Node) Truth {
			return As[Number](n.Get("m")).Compare(As[Number](n.Get("n")), func(a, b float64) bool { return a < b })
		},
		func(n Node) Truth { return As[String](n.Get("a")).Equals(As[String](n.Get("c"))) },
		func(n Node) Truth {
			return As[Number](n.Get("m")).Compare(As[Number](n.Get("n")), func(a, b float64) bool { return a > b })
		},
		func(n Node) Truth {
			return Not(CompareStrings(As[String](n.Get("a")), As[String](n.Get("c")), strings.HasPrefix))
		},
		func(n Node) Truth { return n.Get("o").IsSet() },
	}
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"x", "y", "xz"})
		object := map[string]any{
			"a": word.Draw(t, "a"), "c": word.Draw(t, "c"), "b": rapid.Bool().Draw(t, "b"),
			"m": rapid.Float64Range(0, 3).Draw(t, "m"), "n": rapid.Float64Range(0, 3).Draw(t, "n"), "o": map[string]any{"p": "q"},
		}
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, word.Draw(t, "element"))
		}
		object["l"] = list
		knownObject := New(object)
		hidden := map[string]any{}
		for name, v := range object {
			hidden[name] = v
			if rapid.Bool().Draw(t, "hide "+name) {
				hidden[name] = Undetermined{}
			}
		}
		for i, test := range tests {
			if knownResult, partialResult := test(knownObject), test(New(hidden)); partialResult.t != Unknown.t && partialResult.t != knownResult.t {
				t.Fatalf("test %d: %s when known, %s when partly unknown", i, knownResult, partialResult)
			}
		}
	})
}

func TestOverlayReplacesOnlyUnknownInputs(t *testing.T) {
	inputs := New(map[string]any{"a": Undetermined{}, "b": "program", "c": []any{Undetermined{}}, "d": Undetermined{}})
	outputs := New(map[string]any{"a": "provider", "b": "other", "c": []any{"k"}})
	overlaid := Overlay(inputs, outputs)
	require.Equal(t, map[string]any{"a": "provider", "b": "program", "c": []any{"k"}, "d": Undetermined{}}, overlaid.Raw())
}
