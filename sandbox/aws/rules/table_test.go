package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/layout"
)

// The rows are written by hand. The tests in this file compare them with the schema, which is
// generated from the SDK.

func TestEveryRowHasAGeneratedSchema(t *testing.T) {
	resources, functionTokens, err := schema.Tokens()
	require.NoError(t, err)
	resources = slices.DeleteFunc(resources, func(token string) bool { return token == schema.ProviderToken })
	require.Equal(t, Tokens(), resources, "a row without a generated schema, or a schema without a row: run `go generate ./aws/schema` in sandbox/")
	require.Equal(t, FunctionTokens(), functionTokens, "a function without a generated schema, or a schema without a function")
}

func TestRowsHaveSourcesAndRequiredFields(t *testing.T) {
	for token, row := range rows {
		require.Regexp(t, `^[a-z0-9]+/[a-z0-9_]+\.go$`, row.Source, "%s: Source is a file below internal/service of terraform-provider-aws", token)
		require.Regexp(t, `^[A-Za-z0-9-]+/latest/.+\.html$`, row.Page, "%s: Page is a page of docs.aws.amazon.com", token)
		require.NotEmpty(t, row.Label, token)
		require.NotEmpty(t, row.NotFound, token)
		require.True(t, (row.ID == "") != (row.NewID == nil), "%s: the row must have exactly one of ID and NewID", token)
		if row.ExistsCode != "" {
			require.NotEmpty(t, row.ExistsText, token)
		}
	}
}

func TestEveryPropertyHasARule(t *testing.T) {
	for token, row := range rows {
		s, ok, err := schema.LookupResource(token)
		require.NoError(t, err)
		require.True(t, ok)
		types := map[string]string{}
		addInputTypes(s, row, s.Inputs, "", types)
		if supportsTags(s) {
			delete(types, "tags")
		}
		for path := range row.Props {
			require.Contains(t, types, path, "%s: a rule for a property that does not exist", token)
		}
		for path := range types {
			require.Contains(t, row.Props, path, "%s: a property without a rule; a property that must not be used has Refuse", token)
		}
		for path, p := range row.Props {
			requireRuleFitsType(t, token, path, types[path], p)
		}
	}
}

// addInputTypes adds the types of all input properties to out. out maps the path of a property
// to its type. fields are the properties of the block at path. Properties inside refused blocks
// are left out, because they need no rules.
func addInputTypes(s *schema.Resource, row *Row, fields schema.Fields, path string, out map[string]string) {
	for name, typ := range fields {
		rulePath := joinPath(path, name)
		out[rulePath] = strings.TrimSuffix(typ, "?")
		inner := strings.Trim(out[rulePath], "[]{}")
		if strings.HasPrefix(inner, "@") && row.Props[rulePath].Refuse == "" {
			addInputTypes(s, row, s.Object(inner), rulePath, out)
		}
	}
}

// requireRuleFitsType asserts that a rule fits the type of its property.
func requireRuleFitsType(t *testing.T, token, path, typ string, p Prop) {
	t.Helper()
	property := token + " " + path
	for _, value := range []any{p.Default, p.Preset} {
		switch value.(type) {
		case nil: // the rule has no default
		case string:
			require.Equal(t, "string", typ, property)
		case bool:
			require.Equal(t, "bool", typ, property)
		case float64:
			require.Equal(t, "int", typ, property)
		default:
			t.Errorf("%s: a default of type %T", property, value)
		}
	}
	if p.Set || p.Min > 0 || p.Max > 0 {
		require.True(t, strings.HasPrefix(typ, "["), "%s: Set, Min and Max are for lists", property)
	}
	if p.PresenceMatters {
		require.True(t, strings.HasPrefix(typ, "@"), "%s: PresenceMatters is for objects", property)
	}
	if p.Ref == nil {
		return
	}
	require.NotEmpty(t, p.Ref.Missing, property)
	require.NotEmpty(t, p.Ref.Noun, property)
	for _, to := range p.Ref.To {
		s, ok, err := schema.LookupResource(to)
		require.NoError(t, err)
		if !ok {
			require.NotNil(t, p.Ref.Predefined, "%s refers to %s, which has no row, and has no Predefined", property, to)
			continue
		}
		for _, by := range p.Ref.byProps() {
			if by != "id" {
				require.Contains(t, s.Outputs, by, "%s refers to %[2]s by an output that %[2]s does not have", property, to)
			}
		}
	}
}

func TestRowsUseOnlyPropertiesThatExist(t *testing.T) {
	for token, row := range rows {
		s, _, err := schema.LookupResource(token)
		require.NoError(t, err)
		for name := range row.Outputs {
			require.Contains(t, s.Outputs, name, token)
		}
		for _, name := range row.Volatile {
			require.Contains(t, s.Outputs, name, token)
		}
		groups := append(slices.Clone(row.ExactlyOne), row.AtMostOne...)
		for name, needs := range row.Requires {
			groups = append(groups, append(needs, name))
		}
		for _, u := range row.Unique {
			groups = append(groups, u.Props)
		}
		if row.Naming != nil {
			groups = append(groups, []string{row.Naming.Prop})
		}
		for _, name := range slices.Concat(groups...) {
			require.Contains(t, s.Inputs, name, "%s: a group names a property that is not an input", token)
		}
	}
}

func TestZonesOfARegionHaveUniqueIDs(t *testing.T) {
	require.GreaterOrEqual(t, len(regionZones("us-east-1", 0)), 6, "the region of the design document has six zones")
	for _, name := range Regions() {
		zones := regionZones(name, 0)
		require.GreaterOrEqual(t, len(zones), 3, name)
		ids := map[string]bool{}
		c := &Cloud{Region: name, Layout: &layout.Layout{}}
		for _, z := range zones {
			ids[z.id] = true
			require.Equal(t, z.id, c.zoneID(z.name))
			require.Equal(t, z.name, c.zoneName(z.id))
		}
		require.Len(t, ids, len(zones), "%s: two zones share an id: %v", name, slices.Sorted(maps.Keys(ids)))
	}
}

// All accounts of AWS have the same zone ids, but the letters of the zones differ.
func TestSeedShufflesTheLettersOfZones(t *testing.T) {
	zonesWithSeed := func(seed uint64) (names, ids []string) {
		for _, z := range regionZones("us-east-1", seed) {
			names, ids = append(names, z.name), append(ids, z.id)
		}
		return names, ids
	}
	names, documentedIDs := zonesWithSeed(0)
	orders := map[string]bool{}
	for seed := range uint64(50) {
		otherNames, ids := zonesWithSeed(seed)
		require.Equal(t, names, otherNames)
		require.ElementsMatch(t, documentedIDs, ids)
		_, sameSeedIDs := zonesWithSeed(seed)
		require.Equal(t, ids, sameSeedIDs, "the same seed must give the same mapping")
		orders[fmt.Sprint(ids)] = true
	}
	require.Greater(t, len(orders), 20, "50 seeds must give many different mappings")
}
