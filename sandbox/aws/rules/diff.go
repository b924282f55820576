package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// The kinds of a change.
const (
	Add    = "add"
	Delete = "delete"
	Change = "change"
)

// Difference is one property that differs between the state and the inputs.
type Difference struct {
	Path    string
	Kind    string
	Replace bool
}

// Diff has the changes of an update.
type Diff struct {
	Differences         []Difference
	DeleteBeforeReplace bool
}

// Diff compares inputs with the state, as the provider does. A property that is left
// out is no difference if AWS computes it or if it has its default. Differences at
// the paths in ignore are left out.
func (c *Cloud) Diff(token string, state, in Object, ignore []string) (Diff, error) {
	s, row, err := find(token)
	if err != nil {
		return Diff{}, err
	}
	d := differ{s: s, row: row}
	d.object(s.Inputs, in, state, "", "", false)
	if tagged(s) {
		if canonical(in["tagsAll"], false) != canonical(state["tagsAll"], false) {
			d.add("tagsAll", Change, false)
		}
	}
	if row.ReplaceIf != nil && len(d.found) > 0 {
		for _, path := range row.ReplaceIf(state, in) {
			d.replace(path)
		}
	}
	if row.IgnoreDiff != nil {
		ignore = append(slices.Clone(ignore), row.IgnoreDiff(state, in)...)
	}
	var out Diff
	replaces := false
	for _, x := range d.found {
		if !slices.ContainsFunc(ignore, func(path string) bool { return covers(path, x.Path) }) {
			out.Differences = append(out.Differences, x)
			replaces = replaces || x.Replace
		}
	}
	out.DeleteBeforeReplace = replaces && (row.DeleteBeforeReplace || row.Naming.pinnedName(in, state))
	return out, nil
}

// SameValue reports whether the provider sees no difference between the value want of a
// program's input and the value have in the state, such as a domain with and without its
// final dot. It is false for a type or an input that has no row.
func SameValue(token, input string, want, have any) bool {
	s, row, err := find(token)
	if err != nil {
		return false
	}
	typ, known := s.Inputs[input]
	p, ruled := row.Props[input]
	if !known || !ruled {
		return false
	}
	d := differ{s: s, row: row}
	d.value(typ, p, want, have, input, input, false)
	return len(d.found) == 0
}

// covers says whether an ignored path contains the path of a difference.
func covers(ignored, path string) bool {
	ignored = strings.TrimSuffix(ignored, "[*]")
	return path == ignored || strings.HasPrefix(path, ignored+".") || strings.HasPrefix(path, ignored+"[") || ignored == "*"
}

type differ struct {
	s     *schema.Resource
	row   *Row
	found []Difference
}

func (d *differ) add(path, kind string, replace bool) {
	d.found = append(d.found, Difference{path, kind, replace})
}

// replace marks the difference at a path as a replacement, or adds it.
func (d *differ) replace(path string) {
	for i := range d.found {
		if d.found[i].Path == path {
			d.found[i].Replace = true
			return
		}
	}
	d.add(path, Change, true)
}

func (d *differ) object(fields schema.Fields, in, state Object, path, at string, replace bool) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		rulePath, shown := dotted(path, name), dotted(at, name)
		p, ruled := d.row.Props[rulePath]
		if !ruled && !(path == "" && name == "tags" && tagged(d.s)) {
			continue // Check refuses it, so it is never set
		}
		want, given := in[name]
		if !given {
			if p.Computed {
				continue
			}
			want = p.Default
		}
		d.value(fields[name], p, want, state[name], rulePath, shown, replace || p.Replace)
	}
}

func (d *differ) value(typ string, p Prop, want, have any, path, at string, replace bool) {
	typ = strings.TrimSuffix(typ, "?")
	same := !p.Present || (want == nil) == (have == nil)
	if same && isZero(want) && isZero(have) && !wire.IsUnknown(want) {
		return
	}
	kind := Change
	switch {
	case have == nil:
		kind = Add
	case want == nil:
		kind = Delete
	}
	if strings.HasPrefix(typ, "@") && !wire.IsUnknown(want) {
		w, wok := want.(map[string]any)
		h, hok := have.(map[string]any)
		if wok && hok {
			d.object(d.s.Object(typ), w, h, path, at, replace)
			return
		}
		d.add(at, kind, replace || d.below(path))
		return
	}
	if !d.equal(typ, p, want, have, path) {
		d.add(at, kind, replace || (strings.HasPrefix(typ, "[@") && d.below(path)))
	}
}

// below says whether a change of any property inside a block is a replacement.
func (d *differ) below(path string) bool {
	for rulePath, p := range d.row.Props {
		if p.Replace && strings.HasPrefix(rulePath, path+".") {
			return true
		}
	}
	return false
}

func (d *differ) equal(typ string, p Prop, want, have any, path string) bool {
	if strings.HasPrefix(typ, "[@") {
		return d.equalBlocks(d.s.Object(typ[1:len(typ)-1]), p, want, have, path)
	}
	w, wok := want.(string)
	h, hok := have.(string)
	switch {
	case wok && hok && p.JSON:
		return sameDocument(w, h)
	case wok && hok && p.Same != nil:
		return w == h || p.Same(w, h)
	}
	return canonical(want, p.Set) == canonical(have, p.Set)
}

// equalBlocks compares lists of blocks. Omitted properties have their defaults.
// Properties that AWS computes are compared only if the program sets them.
func (d *differ) equalBlocks(fields schema.Fields, p Prop, want, have any, path string) bool {
	blocks := func(v any) []Object {
		var out []Object
		list, _ := v.([]any)
		for _, item := range list {
			m, _ := item.(map[string]any) // an unknown block differs from every other
			out = append(out, withDefaults(d.s, d.row, fields, m, path))
		}
		return out
	}
	w, h := blocks(want), blocks(have)
	for name := range fields {
		rule, ruled := d.row.Props[dotted(path, name)]
		if (ruled && !rule.Computed) || slices.ContainsFunc(w, func(o Object) bool { return o.Has(name) }) {
			continue
		}
		for _, o := range h {
			delete(o, name)
		}
	}
	if wire.ContainsUnknown(want) {
		return false
	}
	plain := func(list []Object) any {
		out := make([]any, len(list))
		for i, o := range list {
			out[i] = d.comparable(fields, o, path)
		}
		return out
	}
	return canonical(plain(w), p.Set) == canonical(plain(h), p.Set)
}

// comparable sorts the sets inside a block, and marks objects that have a meaning
// even if they are empty.
func (d *differ) comparable(fields schema.Fields, o Object, path string) map[string]any {
	out := map[string]any{}
	for name, v := range o {
		typ, p := strings.TrimSuffix(fields[name], "?"), d.row.Props[dotted(path, name)]
		list, _ := v.([]any)
		switch {
		case strings.HasPrefix(typ, "@"):
			m, _ := v.(map[string]any)
			inner := d.comparable(d.s.Object(typ), m, dotted(path, name))
			if p.Present {
				inner["is"] = "present"
			}
			v = inner
		case strings.HasPrefix(typ, "[@"):
			items := make([]any, len(list))
			for i, item := range list {
				m, _ := item.(map[string]any)
				items[i] = d.comparable(d.s.Object(typ[1:len(typ)-1]), m, dotted(path, name))
			}
			v = trim(items, p.Set)
		case p.Set:
			v = trim(list, true)
		}
		out[name] = v
	}
	return out
}

// withDefaults copies an object and sets the defaults of omitted properties.
func withDefaults(s *schema.Resource, row *Row, fields schema.Fields, in Object, path string) Object {
	out := Object{}
	for name, v := range in {
		out[name] = wire.Clone(v)
	}
	for name, typ := range fields {
		rulePath := dotted(path, name)
		p := row.Props[rulePath]
		if _, given := out[name]; !given && p.Default != nil {
			out[name] = wire.Clone(p.Default)
		}
		typ = strings.TrimSuffix(typ, "?")
		switch v := out[name].(type) {
		case map[string]any:
			if strings.HasPrefix(typ, "@") {
				out[name] = map[string]any(withDefaults(s, row, s.Object(typ), v, rulePath))
			}
		case []any:
			if strings.HasPrefix(typ, "[@") {
				for i, item := range v {
					if m, ok := item.(map[string]any); ok {
						v[i] = map[string]any(withDefaults(s, row, s.Object(typ[1:len(typ)-1]), m, rulePath))
					}
				}
			}
		}
	}
	return out
}

// sameDocument compares JSON documents by meaning. The order of keys and of lists,
// such as a policy's actions, has no meaning. A single value equals a list of one.
func sameDocument(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return fmt.Sprint(policyForm(x)) == fmt.Sprint(policyForm(y))
}

// policyForm returns a text that is equal for values of the same meaning.
func policyForm(v any) string {
	switch v := v.(type) {
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+":"+policyForm(v[k]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = policyForm(item)
		}
		slices.Sort(parts)
		return strings.Join(parts, ",")
	}
	return canonical(v, false)
}
