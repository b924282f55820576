package rules

import (
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// PreviewCreate returns the expected state of a creation: inputs, defaults, and
// unknown for everything that AWS computes.
func (c *Cloud) PreviewCreate(token string, in Object) (Object, error) {
	s, row, err := find(token)
	if err != nil {
		return nil, err
	}
	call := &Call{Cloud: c, Row: row, schema: s}
	out := call.complete(in)
	call.markUnknown(s.Outputs, out, "")
	return out, nil
}

// markUnknown sets properties that AWS will compute to unknown.
func (c *Call) markUnknown(fields schema.Fields, out Object, path string) {
	for name, typ := range fields {
		rulePath := dotted(path, name)
		if v, given := out[name]; given {
			if m, ok := v.(map[string]any); ok && strings.HasPrefix(typ, "@") {
				c.markUnknown(c.schema.Object(typ), m, rulePath)
			}
			continue
		}
		_, input := c.schema.Inputs[name]
		computed := c.Row.Props[rulePath].Computed
		if computed || (path == "" && !input && name != "tagsAll") {
			out[name] = wire.Unknown{}
		}
	}
}

// PreviewUpdate returns the expected state of an update.
func (c *Cloud) PreviewUpdate(token string, state, in Object, ignore []string) (Object, error) {
	s, row, err := find(token)
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

// InputsOf returns the inputs for a state. After a refresh these are the former inputs
// with present values. For an import there are no former inputs; then these are all
// properties that differ from their default.
func (c *Cloud) InputsOf(token string, state, before Object) (Object, error) {
	s, row, err := find(token)
	if err != nil {
		return nil, err
	}
	out := Object{}
	if len(before) > 0 {
		for name, old := range before {
			if name == defaultsKey {
				out[name] = old
				continue
			}
			if v, ok := narrowed(s, s.Inputs[name], old, state[name]); ok {
				out[name] = v
			}
		}
		return out, nil
	}
	for name := range s.Inputs {
		p, ruled := row.Props[name]
		isTags := name == "tags" && tagged(s)
		v, ok := state[name]
		if (!ruled && !isTags) || !ok || p.Refuse != "" || p.isDefault(v) {
			continue
		}
		out[name] = c.importable(s, row, s.Inputs[name], v, name)
	}
	// AWS may return the same setting in two properties of which a program may set only
	// one.
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

// isDefault says whether a property has the value that it has if it is not set.
func (p Prop) isDefault(v any) bool {
	if p.Default == nil || v == nil {
		return isZero(v)
	}
	return canonical(p.Default, p.Set) == canonical(v, p.Set)
}

// narrowed returns the present value for a former input, without properties that AWS
// added inside objects.
func narrowed(s *schema.Resource, typ string, old, now any) (any, bool) {
	if now == nil {
		return nil, false
	}
	typ = strings.TrimSuffix(typ, "?")
	was, wasMap := old.(map[string]any)
	is, isMap := now.(map[string]any)
	if !wasMap || !isMap || !strings.HasPrefix(typ, "@") {
		return wire.Clone(now), true
	}
	out := map[string]any{}
	for name, item := range was {
		if v, ok := narrowed(s, s.Object(typ)[name], item, is[name]); ok {
			out[name] = v
		}
	}
	return out, true
}

// importable removes computed properties inside objects.
func (c *Cloud) importable(s *schema.Resource, row *Row, typ string, v any, path string) any {
	m, ok := v.(map[string]any)
	typ = strings.TrimSuffix(typ, "?")
	if !ok || !strings.HasPrefix(typ, "@") {
		return wire.Clone(v)
	}
	out := map[string]any{}
	for name, fieldType := range s.Object(typ) {
		p, ruled := row.Props[dotted(path, name)]
		item, has := m[name]
		if !ruled || !has || p.Refuse != "" || isZero(item) {
			continue
		}
		out[name] = c.importable(s, row, fieldType, item, dotted(path, name))
	}
	return out
}
