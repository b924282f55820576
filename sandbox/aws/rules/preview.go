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
	out := call.complete(in)
	call.markUnknown(s.Outputs, out, "")
	return out, nil
}

// markUnknown sets the properties that AWS will compute to an unknown value.
func (c *Call) markUnknown(fields schema.Fields, out Object, path string) {
	for name, typ := range fields {
		rulePath := dotted(path, name)
		if v, given := out[name]; given {
			if m, ok := v.(map[string]any); ok && strings.HasPrefix(typ, "@") {
				c.markUnknown(c.schema.Object(typ), m, rulePath)
			}
			continue
		}
		_, isInput := c.schema.Inputs[name]
		computed := c.Row.Props[rulePath].Computed
		if computed || (path == "" && !isInput && name != "tagsAll") {
			out[name] = wire.Unknown{}
		}
	}
}

// PreviewUpdate returns the expected state of an update.
func (c *Cloud) PreviewUpdate(token string, state, in Object, ignore []string) (updated Object, err error) {
	defer recoverPanic(token, &err)
	s, row, err := schemaAndRow(token)
	if err != nil {
		return nil, err
	}
	call := &Call{Cloud: c, Row: row, schema: s, Old: state}
	call.In = call.complete(keepIgnored(in, state, ignore))
	out := call.merged()
	volatile := row.Volatile
	if row.VolatileIf != nil {
		volatile = append(slices.Clone(volatile), row.VolatileIf(state, call.In)...)
	}
	for _, name := range volatile {
		out[name] = wire.Unknown{}
	}
	return out, nil
}

// InputsOf returns the inputs for a state. After a refresh, these are the former inputs
// with their present values. At an import there are no former inputs. Then the inputs
// are all properties that differ from their default.
func (c *Cloud) InputsOf(token string, state, former Object) (Object, error) {
	s, row, err := schemaAndRow(token)
	if err != nil {
		return nil, err
	}
	out := Object{}
	if len(former) > 0 {
		for name, old := range former {
			if name == defaultsKey {
				out[name] = old
				continue
			}
			if v, ok := presentValue(s, s.Inputs[name], old, state[name]); ok {
				out[name] = v
			}
		}
		return out, nil
	}
	for name := range s.Inputs {
		p, hasRule := row.Props[name]
		isTags := name == "tags" && tagged(s)
		v, ok := state[name]
		if (!hasRule && !isTags) || !ok || p.Refuse != "" || p.isDefault(v) {
			continue
		}
		out[name] = c.importedValue(s, row, s.Inputs[name], v, name)
	}
	// AWS may return one setting in two properties, although a program may set only one
	// of them. Then only the first is kept.
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

// isDefault says whether v is the value of the property if the program does not set it.
func (p Prop) isDefault(v any) bool {
	if p.Default == nil || v == nil {
		return isZero(v)
	}
	return canonical(p.Default, p.Set) == canonical(v, p.Set)
}

// presentValue returns the present value of a former input. It leaves out properties
// inside objects that AWS added. ok is false if there is no present value.
func presentValue(s *schema.Resource, typ string, former, present any) (value any, ok bool) {
	if present == nil {
		return nil, false
	}
	typ = strings.TrimSuffix(typ, "?")
	formerMap, formerOK := former.(map[string]any)
	presentMap, presentOK := present.(map[string]any)
	if !formerOK || !presentOK || !strings.HasPrefix(typ, "@") {
		return wire.Clone(present), true
	}
	out := map[string]any{}
	for name, item := range formerMap {
		if v, ok := presentValue(s, s.Object(typ)[name], item, presentMap[name]); ok {
			out[name] = v
		}
	}
	return out, true
}

// importedValue returns a copy of a value as an input of an import. It leaves out the
// properties inside objects that have no rule or no value.
func (c *Cloud) importedValue(s *schema.Resource, row *Row, typ string, v any, path string) any {
	m, ok := v.(map[string]any)
	typ = strings.TrimSuffix(typ, "?")
	if !ok || !strings.HasPrefix(typ, "@") {
		return wire.Clone(v)
	}
	out := map[string]any{}
	for name, fieldType := range s.Object(typ) {
		p, hasRule := row.Props[dotted(path, name)]
		item, exists := m[name]
		if !hasRule || !exists || p.Refuse != "" || isZero(item) {
			continue
		}
		out[name] = c.importedValue(s, row, fieldType, item, dotted(path, name))
	}
	return out
}
