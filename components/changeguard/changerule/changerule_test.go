package changerule

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAcceptAppliesTheRule(t *testing.T) {
	zones := []string{"b", "c", "d"}
	for _, tc := range []struct {
		reason   string
		field    Field
		recorded string
		want     string // empty: refused
	}{
		{"the same block", Field{Rule: Fixed, Value: "10.0.0.0/16"}, "10.0.0.0/16", "10.0.0.0/16"},
		{"another block", Field{Rule: Fixed, Value: "10.1.0.0/16"}, "10.0.0.0/16", ""},
		{"a list in another order", Field{Rule: Fixed, Value: List([]string{"b", "a"})}, "a, b", "a, b"},
		{"recorded items stay while the list has them", Field{Rule: Kept, Value: "b, c", From: zones}, "c, d", "c, d"},
		{"a recorded item is no longer in the list", Field{Rule: Kept, Value: "b, c", From: zones}, "a, b", ""},
		{"a preferred item stays while the list has it", Field{Rule: Preferred, Value: "b", From: zones}, "d", "d"},
		{"a preferred item that left the list is chosen again", Field{Rule: Preferred, Value: "b", From: zones}, "a", "b"},
		{"a volume grows", Field{Rule: Grows, Value: "10"}, "9", "10"},
		{"a volume does not shrink (the rule compares numbers: 9 is less than 10)", Field{Rule: Grows, Value: "9"}, "10", ""},
		{"a later stage", Field{Rule: Forward, Value: "b", From: []string{"a", "b"}}, "a", "b"},
		{"an earlier stage", Field{Rule: Forward, Value: "a", From: []string{"a", "b"}}, "b", ""},
		{"an unknown stage", Field{Rule: Forward, Value: "c", From: []string{"a", "b"}}, "a", ""},
		{"the next minor", Field{Rule: OneMinor, Value: "1.10"}, "1.9", "1.10"},
		{"two minors at once", Field{Rule: OneMinor, Value: "1.35"}, "1.33", ""},
		{"a downgrade", Field{Rule: OneMinor, Value: "1.33"}, "1.34", ""},
		{"another major", Field{Rule: OneMinor, Value: "2.34"}, "1.34", ""},
		{"the next generation", Field{Rule: Counter, Value: "1"}, "0", "1"},
		{"a generation is skipped", Field{Rule: Counter, Value: "2"}, "0", ""},
		{"an earlier generation", Field{Rule: Counter, Value: "0"}, "1", ""},
		{"a value that the program chose stays", Field{Rule: Chosen, Value: "new"}, "old", "old"},
		{"a value that the configuration names", Field{Rule: Free, Value: "new"}, "old", "new"},
		{"an unknown rule", Field{Rule: "?", Value: "a"}, "a", ""},
		{"a text instead of a number", Field{Rule: Grows, Value: "x"}, "1", ""},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			accepted, err := tc.field.Accept(tc.recorded)
			require.Equal(t, tc.want, accepted)
			require.Equal(t, tc.want == "", err != nil)
		})
	}
}

func TestFieldsOfAGroupChangeOneAtATime(t *testing.T) {
	field := func(path, value, group string) Field {
		return Field{Path: path, Value: value, Rule: Free, Group: group, Reason: "both tiers would replace their nodes at once", Fix: "Change one"}
	}
	recorded := map[string]string{"web": "1", "app": "1", "other": "1"}
	fields := map[string]Field{"web": field("tiers.web", "2", "nodes"), "app": field("tiers.application", "2", "nodes"), "other": field("other", "2", "")}
	errs := CheckOneAtATime(fields, recorded)
	require.Len(t, errs, 1)
	require.EqualError(t, errs[0], "tiers.application and tiers.web can't change in one update: both tiers would replace their nodes at once. Change one")
	fields["app"] = field("tiers.application", "1", "nodes")
	require.Empty(t, CheckOneAtATime(fields, recorded), "only one field of the group changes")
	require.Empty(t, CheckOneAtATime(fields, nil), "a new stack has no recorded values")
}

func TestRefusalHasKeyValuesReasonAndFix(t *testing.T) {
	_, err := Field{
		Path: "network.cidr", Value: "10.1.0.0/16", Rule: Fixed,
		Reason: "AWS can't change the block of a VPC", Fix: "Set it back",
	}.Accept("10.0.0.0/16")
	require.EqualError(t, err, `network.cidr: "10.0.0.0/16" can't become "10.1.0.0/16": AWS can't change the block of a VPC. Set it back`)
}

// Accept must accept the value that it returned before. Otherwise an update could succeed,
// and the next update with the same configuration would fail.
func TestAcceptedValueIsAcceptedAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := []string{"a", "b", "c", "d"}
		subset := func(label string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(letters), 1, 4, rapid.ID).Draw(t, label)
		}
		number := func(label string) string { return strconv.Itoa(rapid.IntRange(0, 4).Draw(t, label)) }
		f := Field{Rule: rapid.SampledFrom([]Rule{Fixed, Kept, Preferred, Forward, Grows, OneMinor, Counter, Chosen, Free}).Draw(t, "rule"), From: subset("from")}
		var recorded string
		switch f.Rule {
		case Grows, Counter:
			f.Value, recorded = number("value"), number("recorded")
		case OneMinor:
			f.Value, recorded = "1."+number("value"), "1."+number("recorded")
		default:
			f.Value, recorded = f.From[0], List(subset("recorded"))
		}
		accepted, err := f.Accept(recorded)
		if err != nil {
			return
		}
		again, err := f.Accept(accepted)
		if err != nil || again != accepted {
			t.Fatalf("%+v: %q was accepted as %q, then as %q: %v", f, recorded, accepted, again, err)
		}
	})
}
