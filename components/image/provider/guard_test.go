package provider

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/changeguard"
	"github.com/progressive-framework/platform/components/changeguard/changerule"
)

// guardField returns one input of a guard: a value with its rule.
func guardField(rule changerule.Rule, value string, from ...string) property.Value {
	return property.New(map[string]property.Value{
		"path": property.New("network.zones"), "value": property.New(value), "from": propertyList(from...), "rule": property.New(string(rule)),
		"reason": property.New("EKS keeps them"), "fix": property.New("Set it back"),
	})
}

// guardInputs returns the inputs of a guard with these fields.
func guardInputs(fields map[string]property.Value) map[string]property.Value {
	return map[string]property.Value{"fields": property.New(fields)}
}

// newGuard returns a stack with a guard as its only resource.
func newGuard(t *testing.T) *stack {
	t.Helper()
	s := newStack(t, "unused")
	s.urn = resource.NewURN("test", "shop", "", changeguard.Token, "guard")
	return s
}

// recordedValues returns the values in the outputs of a guard, by id.
func recordedValues(t *testing.T, outputs property.Map) map[string]string {
	t.Helper()
	values := map[string]string{}
	for id, v := range outputs.Get("values").AsMap().All {
		values[id] = v.AsString()
	}
	return values
}

func TestGuardRefusesAChangeInCheck(t *testing.T) {
	s := newGuard(t)
	require.True(t, s.up(guardInputs(map[string]property.Value{"block": guardField(changerule.Fixed, "10.0.0.0/16"), "disk": guardField(changerule.Grows, "2")})))
	_, failures := s.check(guardInputs(map[string]property.Value{"block": guardField(changerule.Fixed, "10.1.0.0/16"), "disk": guardField(changerule.Grows, "1")}))
	require.Equal(t, map[string]string{"": `network.zones: "10.0.0.0/16" can't become "10.1.0.0/16": EKS keeps them. Set it back` +
		`network.zones: "2" can't become "1": EKS keeps them. Set it back`}, failures, "every refusal at once")
	require.False(t, s.up(guardInputs(map[string]property.Value{"block": guardField(changerule.Fixed, "10.0.0.0/16"), "disk": guardField(changerule.Grows, "2")})),
		"the refused change left nothing behind")
}

func TestGuardRefusesTwoChangesInAGroup(t *testing.T) {
	s := newGuard(t)
	tiers := func(web, app string) map[string]property.Value {
		grouped := func(path, value string) property.Value {
			return property.New(map[string]property.Value{
				"path": property.New(path), "value": property.New(value), "rule": property.New(string(changerule.Free)), "group": property.New("nodes"),
				"reason": property.New("both tiers would replace their nodes"), "fix": property.New("Change one"),
			})
		}
		return guardInputs(map[string]property.Value{"web": grouped("tiers.web.release", web), "app": grouped("tiers.application.release", app)})
	}
	require.True(t, s.up(tiers("1", "1")))
	_, failures := s.check(tiers("2", "2"))
	require.Equal(t, map[string]string{
		"": "tiers.application.release and tiers.web.release can't change in one update: both tiers would replace their nodes. Change one",
	}, failures)
	require.True(t, s.up(tiers("2", "1")))
	require.True(t, s.up(tiers("2", "2")), "the other tier in the next update")
}

// A preview already has the values that the guard will record. The arguments of guardField are the rule,
// the configured value and the allowed items. Kept keeps a recorded value that is still allowed.
func TestGuardValuesAreKnownInAPreview(t *testing.T) {
	s := newGuard(t)
	_, outputs := s.preview(guardInputs(map[string]property.Value{"zone": guardField(changerule.Kept, "a", "a", "b")}))
	require.Equal(t, map[string]string{"zone": "a"}, recordedValues(t, outputs), "before the guard exists")
	require.True(t, s.up(guardInputs(map[string]property.Value{"zone": guardField(changerule.Kept, "b", "b", "c")})))

	twoFields := guardInputs(map[string]property.Value{"zone": guardField(changerule.Kept, "a", "a", "b", "c"), "disk": guardField(changerule.Grows, "1")})
	_, outputs = s.preview(twoFields)
	require.Equal(t, map[string]string{"zone": "b", "disk": "1"}, recordedValues(t, outputs), "a recorded value stays, and a new field is recorded")
	require.True(t, s.up(twoFields))
	require.False(t, s.up(twoFields))
}

func TestRemovedFieldIsNoLongerRecorded(t *testing.T) {
	s := newGuard(t)
	disk := guardInputs(map[string]property.Value{"disk": guardField(changerule.Grows, "4")})
	require.True(t, s.up(disk))
	require.True(t, s.up(guardInputs(map[string]property.Value{})), "the store was removed")
	require.True(t, s.up(guardInputs(map[string]property.Value{"disk": guardField(changerule.Grows, "2")})), "a new store begins anew")
}

func TestGuardIgnoresAnotherWordingOfAReason(t *testing.T) {
	s := newGuard(t)
	require.True(t, s.up(guardInputs(map[string]property.Value{"disk": guardField(changerule.Grows, "4")})))
	reworded := guardField(changerule.Grows, "4").AsMap().Set("reason", property.New("Volumes can't shrink"))
	require.False(t, s.up(guardInputs(map[string]property.Value{"disk": property.New(reworded)})))
}

// The guard also records an empty value. So a store that was created without a snapshot refuses a
// snapshot later.
func TestGuardRecordsAnEmptyValue(t *testing.T) {
	s := newGuard(t)
	empty := guardInputs(map[string]property.Value{"snapshot": guardField(changerule.Fixed, "")})
	_, outputs := s.preview(empty)
	require.Equal(t, map[string]string{"snapshot": ""}, recordedValues(t, outputs))
	require.True(t, s.up(empty))
	require.False(t, s.up(empty))
	_, failures := s.check(guardInputs(map[string]property.Value{"snapshot": guardField(changerule.Fixed, "last")}))
	require.Contains(t, failures[""], `"" can't become "last"`)
}
