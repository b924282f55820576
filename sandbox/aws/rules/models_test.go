package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/models"
	"github.com/progressive-framework/platform/sandbox/aws/schema"
)

// Each value of a row's Enum must be in AWS's API model. If the Enum had all values of the
// model, the row would not need it, because checkText uses the values of the model.
func TestRowEnumIsProperSubsetOfModelValues(t *testing.T) {
	table := models.Load()
	for _, token := range Tokens() {
		for path, p := range rows[token].Props {
			limit, ok := table.Limit(token, path)
			values := table.Values(limit)
			if !ok || values == nil || len(p.Enum) == 0 {
				continue
			}
			var unknown []string
			for _, v := range p.Enum {
				if !slices.Contains(values, v) {
					unknown = append(unknown, v)
				}
			}
			if len(unknown) > 0 {
				t.Errorf("%s %s: %s is not in AWS's model %s: %s", token, path, strings.Join(unknown, ", "), limit.From, strings.Join(values, ", "))
			} else if len(p.Enum) == len(values) {
				t.Errorf("%s %s: AWS's model has the same values as the Enum of the row; delete the Enum", token, path)
			}
		}
	}
}

// addAcceptedTypes finds the properties that a row accepts, and adds their types to out. out maps
// the path of a property to its type. fields are the properties of the object at path. A row
// accepts a property if the row has a rule without Refuse for the property.
func addAcceptedTypes(s *schema.Resource, fields schema.Fields, path string, row *Row, out map[string]string) {
	for name, typ := range fields {
		rulePath := joinPath(path, name)
		p, ok := row.Props[rulePath]
		if !ok || p.Refuse != "" {
			continue
		}
		out[rulePath] = typ
		inner := strings.Trim(strings.TrimSuffix(typ, "?"), "[]")
		if strings.HasPrefix(inner, "@") {
			addAcceptedTypes(s, s.Object(inner), rulePath, row, out)
		}
	}
}

// The provider sends an empty string to AWS in two cases: in a list, and for a required
// property. AWS refuses an empty string, except for properties with the rule AllowEmpty.
func TestCheckRefusesEmptyTextInListsAndRequiredProperties(t *testing.T) {
	refusedCount := 0
	for _, token := range Tokens() {
		s, row, err := schemaAndRow(token)
		require.NoError(t, err)
		types := map[string]string{}
		addAcceptedTypes(s, s.Inputs, "", row, types)
		for path, typ := range types {
			p := row.Props[path]
			var failures []string
			v := validator{s: s, row: row, fail: func(_, reason string, _ ...any) { failures = append(failures, reason) }}
			required := v.isRequired(p, path) || !strings.HasSuffix(typ, "?")
			name := path[strings.LastIndex(path, ".")+1:]
			parent := strings.TrimSuffix(strings.TrimSuffix(path, name), ".")
			switch {
			case p.AllowEmpty:
				continue
			case strings.TrimSuffix(typ, "?") == "string" && required:
				v.checkObject(schema.Fields{name: typ}, Object{name: ""}, parent, parent)
			case strings.TrimSuffix(typ, "?") == "[string]":
				v.checkObject(schema.Fields{name: typ}, Object{name: []any{""}}, parent, parent)
			default:
				continue
			}
			require.Contains(t, strings.Join(failures, "; "), "is empty", "%s %s", token, path)
			refusedCount++
		}
	}
	require.Greater(t, refusedCount, 250, "the loop must test the properties of all rows")
}

// A panic in a row's code must end only the call, not the plugin.
func TestRecoverPanicReturnsErrorThatNamesTheRow(t *testing.T) {
	const token = "aws:test/panics:Panics"
	registerRows(&Row{Token: token})
	t.Cleanup(func() { delete(rows, token) })
	err := func() (err error) {
		defer recoverPanic(token, &err)
		panic("a row's own fault")
	}()
	require.ErrorContains(t, err, "row of "+token)
	require.ErrorContains(t, err, "sandbox/aws/rules/test*.go") // the files of the token's module, test
	require.ErrorContains(t, err, "a row's own fault")
}
