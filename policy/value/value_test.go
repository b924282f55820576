package value

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var answers = []Truth{False, Unknown, True}

// With two answers the operators are those of Go; an unknown one may be either.
func TestTruthTables(t *testing.T) {
	both := func(t Truth) []bool {
		if t == Unknown {
			return []bool{false, true}
		}
		return []bool{t == True}
	}
	// want is what all possible pairs of two-valued answers agree on.
	want := func(a, b Truth, op func(x, y bool) bool) Truth {
		seen := map[bool]bool{}
		for _, x := range both(a) {
			for _, y := range both(b) {
				seen[op(x, y)] = true
			}
		}
		if len(seen) == 2 {
			return Unknown
		}
		return Of(seen[true])
	}
	for _, a := range answers {
		require.Equal(t, a, Not(Not(a)))
		for _, b := range answers {
			require.Equal(t, want(a, b, func(x, y bool) bool { return x && y }), All(a, b), "%s and %s", a, b)
			require.Equal(t, want(a, b, func(x, y bool) bool { return x || y }), Any(a, b), "%s or %s", a, b)
			require.Equal(t, want(a, b, func(x, y bool) bool { return !x || y }), Implies(a, b), "%s implies %s", a, b)
		}
	}
	require.Equal(t, True, All(), "of no answer none is false")
	require.Equal(t, False, Any())
}

func TestMembers(t *testing.T) {
	n := New(map[string]any{
		"name": "x", "empty": "", "later": Undetermined{}, "hidden": Secret{"s"}, "list": []any{"a", Undetermined{}},
		"made": Provenance{Undetermined{}}, "document": `{"a": {"b": true}}`, "broken": "{",
	})
	text := func(path string) String { return As[String](n.At(path)) }
	for _, tc := range []struct {
		reason string
		got    Truth
		want   Truth
	}{
		{"a known text", text("name").Is("x"), True},
		{"another text", text("name").Is("y"), False},
		{"absent is no text", text("absent").Is("x"), False},
		{"a member of what is absent is absent", text("absent.deeper").Set(), False},
		{"a member of what is unknown is unknown", text("later.deeper").Is("x"), Unknown},
		{"a member of a text is absent", text("name.deeper").Set(), False},
		{"an empty text is not set", text("empty").Set(), False},
		{"an unknown value may turn out to be absent", text("later").Set(), Unknown},
		{"the output of a resource is set", text("made").Set(), True},
		{"and still unknown", text("made").Is("x"), Unknown},
		{"a list with an unknown element may have it", HasText(As[List[String]](n.Get("list")), "b"), Unknown},
		{"and has what is known", HasText(As[List[String]](n.Get("list")), "a"), True},
		{"a default replaces the absent", text("absent").Or("d").Is("d"), True},
		{"and nothing else", text("later").Or("d").Is("d"), Unknown},
		{"a document in a text", As[Bool](n.Get("document").JSON().At("a.b")).IsTrue(), True},
		{"what is no document is absent", n.Get("broken").JSON().Set(), False},
		{"a value of another type", As[Number](n.Get("name")).AtLeast(0), False},
	} {
		require.Equal(t, tc.want, tc.got, tc.reason)
	}
	require.True(t, n.Get("hidden").IsSecret())
	require.False(t, n.Get("list").Known())
	require.True(t, n.Get("name").Known())
}

// Information is monotone: a value that becomes known decides an answer, and
// never turns one around.
func TestUnknownNeverContradicts(t *testing.T) {
	questions := []func(Node) Truth{
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
			return Not(Both(As[String](n.Get("a")), As[String](n.Get("c")), strings.HasPrefix))
		},
		func(n Node) Truth { return n.Get("o").Set() },
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
		before := New(object)
		hidden := map[string]any{}
		for name, v := range object {
			hidden[name] = v
			if rapid.Bool().Draw(t, "hide "+name) {
				hidden[name] = Undetermined{}
			}
		}
		for i, q := range questions {
			if was, is := q(before), q(New(hidden)); is != Unknown && is != was {
				t.Fatalf("question %d: %s when known, %s when partly unknown", i, was, is)
			}
		}
	})
}

func TestOverlay(t *testing.T) {
	in := New(map[string]any{"a": Undetermined{}, "b": "program", "c": []any{Undetermined{}}, "d": Undetermined{}})
	out := New(map[string]any{"a": "provider", "b": "other", "c": []any{"k"}})
	got := Overlay(in, out)
	require.Equal(t, map[string]any{"a": "provider", "b": "program", "c": []any{"k"}, "d": Undetermined{}}, got.Raw())
}
