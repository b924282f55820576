package rules

import (
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// PreviewCreate returns the expected state of a creation: the inputs, the defaults, and
// an unknown value for everything that AWS computes.
func (c *Cloud) PreviewCreate(token string, in Object) (state Object, err error) {
	defer recoverPanic(token, &err)
	s, row, err := schemaAndRow(token)
	if err != nil {
		return nil, err
	}
	call := &Call{Cloud: c, Row: row, schema: s}
	out := call.inputsWithDefaults(in)
	call.markUnknown(s.Outputs, out, "")
	return out, nil
}

// markUnknown sets properties of out to an unknown value, if they have no value and AWS will
// compute them. fields are the properties of the object, and path is its path in the rules.
func (c *Call) markUnknown(fields schema.Fields, out Object, path string) {
	for name, typ := range fields {
		rulePath := joinPath(path, name)
		if v, given := out[name]; given {
			if m, ok := v.(map[string]any); ok && strings.HasPrefix(typ, "@") {
				c.markUnknown(c.schema.Object(typ), m, rulePath)
			}
			continue
		}
		_, isInput := c.schema.Inputs[name]
		isOutput := path == "" && !isInput && name != "tagsAll"
		if isOutput || c.Row.Props[rulePath].Computed {
			out[name] = wire.Unknown{}
		}
	}
}

// PreviewUpdate returns the expected state of an update. Outputs that the update changes
// have an unknown value. The properties at the paths in ignore keep their values.
func (c *Cloud) PreviewUpdate(token string, state, in Object, ignore []string) (updated Object, err error) {
	defer recoverPanic(token, &err)
	s, row, err := schemaAndRow(token)
	if err != nil {
		return nil, err
	}
	call := &Call{Cloud: c, Row: row, schema: s, Old: state}
	call.In = call.inputsWithDefaults(keepIgnored(in, state, ignore))
	out := call.mergeState()
	volatile := row.Volatile
	if row.VolatileIf != nil {
		volatile = append(slices.Clone(volatile), row.VolatileIf(state, call.In)...)
	}
	for _, name := range volatile {
		out[name] = wire.Unknown{}
	}
	return out, nil
}

// ProgramInputs returns the inputs with which a program would have a given state. After a refresh,
// the result has the old inputs with the values of the state. At an import there are no old
// inputs. Then the result has all input properties with a value other than the default.
func (c *Cloud) ProgramInputs(token string, state, oldInputs Object) (Object, error) {
	s, row, err := schemaAndRow(token)
	if err != nil {
		return nil, err
	}
	out := Object{}
	if len(oldInputs) > 0 {
		for name, old := range oldInputs {
			if name == defaultsKey {
				out[name] = old
				continue
			}
			if v, ok := currentValue(s, s.Inputs[name], old, state[name]); ok {
				out[name] = v
			}
		}
		return out, nil
	}
	for name := range s.Inputs {
		p, hasRule := row.Props[name]
		isTags := name == "tags" && supportsTags(s)
		v, ok := state[name]
		if (!hasRule && !isTags) || !ok || p.Refuse != "" || p.isDefault(v) {
			continue
		}
		out[name] = c.importedValue(s, row, s.Inputs[name], v, name)
	}
	// AWS can return one setting in two properties, such as a name and its prefix. A
	// program may set only one of the two, so only the first property is kept.
	for _, group := range row.AtMostOne {
		kept := false
		for _, name := range group {
			if kept {
				delete(out, name)
			}
			kept = kept || out.Has(name)
		}
	}
	return out, nil
}

// isDefault reports whether v is the value that an omitted property has.
func (p Prop) isDefault(v any) bool {
	if p.Default == nil || v == nil {
		return isZero(v)
	}
	return canonicalText(p.Default, p.listOrder()) == canonicalText(v, p.listOrder())
}

// currentValue returns the value in the state for an input. old is the old input, current is
// the value in the state. Inside an object, the result has only the properties that the old
// input has, because AWS may have added others. ok is false if the state has no value.
func currentValue(s *schema.Resource, typ string, old, current any) (value any, ok bool) {
	if current == nil {
		return nil, false
	}
	typ = strings.TrimSuffix(typ, "?")
	oldMap, oldOK := old.(map[string]any)
	currentMap, currentOK := current.(map[string]any)
	if !oldOK || !currentOK || !strings.HasPrefix(typ, "@") {
		return wire.Clone(current), true
	}
	out := map[string]any{}
	for name, item := range oldMap {
		if v, ok := currentValue(s, s.Object(typ)[name], item, currentMap[name]); ok {
			out[name] = v
		}
	}
	return out, true
}

// importedValue returns the program input that an import generates for v, a value in the
// state. typ is the type of v in the schema, and path is the path of v in the rules. The
// result leaves out three kinds of properties of an object: those without a rule, those that the
// stand-in refuses, and those with a zero value.
func (c *Cloud) importedValue(s *schema.Resource, row *Row, typ string, v any, path string) any {
	m, ok := v.(map[string]any)
	typ = strings.TrimSuffix(typ, "?")
	if !ok || !strings.HasPrefix(typ, "@") {
		return wire.Clone(v)
	}
	out := map[string]any{}
	for name, fieldType := range s.Object(typ) {
		p, hasRule := row.Props[joinPath(path, name)]
		item, exists := m[name]
		if !hasRule || !exists || p.Refuse != "" || isZero(item) {
			continue
		}
		out[name] = c.importedValue(s, row, fieldType, item, joinPath(path, name))
	}
	return out
}
