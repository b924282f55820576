package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// The kinds of a Difference.
const (
	Add    = "add"
	Delete = "delete"
	Change = "change"
)

// Difference is one property that differs between the state and the inputs.
type Difference struct {
	Path    string
	Kind    string // Add, Delete or Change
	Replace bool   // the difference replaces the resource
}

// Diff has the changes of an update.
type Diff struct {
	Differences         []Difference
	DeleteBeforeReplace bool
}

// Diff compares inputs with the state, as the provider does. An omitted property is not
// a difference if AWS computes it, or if the state has the default value. Diff leaves
// out differences at the paths in ignore.
func (c *Cloud) Diff(token string, state, in Object, ignore []string) (diff Diff, err error) {
	defer recoverPanic(token, &err)
	s, row, err := schemaAndRow(token)
	if err != nil {
		return Diff{}, err
	}
	d := differ{s: s, row: row}
	d.compareObject(s.Inputs, in, state, "", "", false)
	if supportsTags(s) {
		if canonicalText(in["tagsAll"], keepOrder) != canonicalText(state["tagsAll"], keepOrder) {
			d.add("tagsAll", Change, false)
		}
	}
	if row.ReplaceIf != nil && len(d.found) > 0 {
		for _, path := range row.ReplaceIf(state, in) {
			d.markReplace(path)
		}
	}
	if row.IgnoreDiff != nil {
		ignore = append(slices.Clone(ignore), row.IgnoreDiff(state, in)...)
	}
	var out Diff
	replaces := false
	for _, difference := range d.found {
		if !slices.ContainsFunc(ignore, func(path string) bool { return coversPath(path, difference.Path) }) {
			out.Differences = append(out.Differences, difference)
			replaces = replaces || difference.Replace
		}
	}
	out.DeleteBeforeReplace = replaces && (row.DeleteBeforeReplace || row.Naming.keepsGivenName(in, state))
	return out, nil
}

// SameValue reports whether two values of a program's input have the same meaning for the
// provider. An example is a domain with and without its final dot. want is the program's
// value, have is the value in the state. The result is false for a type or an input
// without a rule.
func SameValue(token, input string, want, have any) bool {
	s, row, err := schemaAndRow(token)
	if err != nil {
		return false
	}
	typ, known := s.Inputs[input]
	p, hasRule := row.Props[input]
	if !known || !hasRule {
		return false
	}
	d := differ{s: s, row: row}
	d.compareValue(typ, p, want, have, input, input, false)
	return len(d.found) == 0
}

// coversPath reports whether an ignored path includes the path of a difference. The ignored path
// * includes every path.
func coversPath(ignored, path string) bool {
	ignored = strings.TrimSuffix(ignored, "[*]")
	return path == ignored || strings.HasPrefix(path, ignored+".") || strings.HasPrefix(path, ignored+"[") || ignored == "*"
}

// differ collects the differences between the inputs and the state of one object.
type differ struct {
	s     *schema.Resource
	row   *Row
	found []Difference
}

// add adds a difference. kind is Add, Change or Delete. replace is true if the difference
// replaces the resource.
func (d *differ) add(path, kind string, replace bool) {
	d.found = append(d.found, Difference{path, kind, replace})
}

// markReplace marks the difference at a path as one that replaces the resource. If there is no
// difference at the path, markReplace adds one.
func (d *differ) markReplace(path string) {
	for i := range d.found {
		if d.found[i].Path == path {
			d.found[i].Replace = true
			return
		}
	}
	d.add(path, Change, true)
}

// compareObject compares the properties of one object. path is the object's path in the rules.
// shownPath is the object's path in differences. If replace is true, every difference in the
// object replaces the resource.
func (d *differ) compareObject(fields schema.Fields, in, state Object, path, shownPath string, replace bool) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		rulePath, shownProp := joinPath(path, name), joinPath(shownPath, name)
		p, hasRule := d.row.Props[rulePath]
		if !hasRule && !(path == "" && name == "tags" && supportsTags(d.s)) {
			continue // Check refuses a property without a rule, so the property is never set
		}
		want, given := in[name]
		if !given {
			if p.Computed {
				continue
			}
			want = p.Default
		}
		d.compareValue(fields[name], p, want, state[name], rulePath, shownProp, replace || p.Replace)
	}
}

// compareValue compares the value want of the program with the value have of the state. typ
// is the property's type in the schema, p is its rule. path, shownPath and replace are as in
// compareObject. Blocks are compared property by property.
func (d *differ) compareValue(typ string, p Prop, want, have any, path, shownPath string, replace bool) {
	typ = strings.TrimSuffix(typ, "?")
	presenceDiffers := p.PresenceMatters && (want == nil) != (have == nil)
	if !presenceDiffers && isZero(want) && isZero(have) && !wire.IsUnknown(want) {
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
		wantBlock, wantOK := want.(map[string]any)
		haveBlock, haveOK := have.(map[string]any)
		if wantOK && haveOK {
			d.compareObject(d.s.Object(typ), wantBlock, haveBlock, path, shownPath, replace)
			return
		}
		d.add(shownPath, kind, replace || d.hasReplacingProp(path))
		return
	}
	if !d.equal(typ, p, want, have, path) {
		d.add(shownPath, kind, replace || (strings.HasPrefix(typ, "[@") && d.hasReplacingProp(path)))
	}
}

// hasReplacingProp reports whether the block at a path has a property that replaces the
// resource when it changes.
func (d *differ) hasReplacingProp(path string) bool {
	for rulePath, p := range d.row.Props {
		if p.Replace && strings.HasPrefix(rulePath, path+".") {
			return true
		}
	}
	return false
}

// equal reports whether two values have the same meaning by the rules of the property. typ
// is the property's type in the schema, and path is its path in the rules.
func (d *differ) equal(typ string, p Prop, want, have any, path string) bool {
	if strings.HasPrefix(typ, "[@") {
		return d.equalBlocks(d.s.Object(typ[1:len(typ)-1]), p, want, have, path)
	}
	wantText, wantOK := want.(string)
	haveText, haveOK := have.(string)
	switch {
	case wantOK && haveOK && p.JSON:
		return sameDocument(wantText, haveText)
	case wantOK && haveOK && p.Same != nil:
		return wantText == haveText || p.Same(wantText, haveText)
	}
	return canonicalText(want, p.listOrder()) == canonicalText(have, p.listOrder())
}

// equalBlocks reports whether two lists of blocks are equal. fields are the properties of a
// block. An omitted property is compared with its default value. A property that AWS computes
// is compared only if a block of the program sets it. The same is true for a property without
// a rule in the row.
func (d *differ) equalBlocks(fields schema.Fields, p Prop, want, have any, path string) bool {
	blocksWithDefaults := func(v any) []Object {
		var out []Object
		list, _ := v.([]any)
		for _, item := range list {
			m, _ := item.(map[string]any) // an unknown block differs from every other
			out = append(out, withDefaults(d.s, d.row, fields, m, path))
		}
		return out
	}
	wantBlocks, haveBlocks := blocksWithDefaults(want), blocksWithDefaults(have)
	for name := range fields {
		rule, hasRule := d.row.Props[joinPath(path, name)]
		alwaysCompared := hasRule && !rule.Computed
		setByProgram := slices.ContainsFunc(wantBlocks, func(o Object) bool { return o.Has(name) })
		if alwaysCompared || setByProgram {
			continue
		}
		for _, o := range haveBlocks {
			delete(o, name)
		}
	}
	if wire.ContainsUnknown(want) {
		return false
	}
	comparableList := func(list []Object) any {
		out := make([]any, len(list))
		for i, o := range list {
			out[i] = d.comparableBlock(fields, o, path)
		}
		return out
	}
	return canonicalText(comparableList(wantBlocks), p.listOrder()) == canonicalText(comparableList(haveBlocks), p.listOrder())
}

// comparableBlock returns a copy of a block for comparison with canonicalText. Its sets are
// sorted. An object with the rule PresenceMatters gets a mark, because canonicalText leaves
// out empty objects.
func (d *differ) comparableBlock(fields schema.Fields, o Object, path string) map[string]any {
	out := map[string]any{}
	for name, v := range o {
		typ, p := strings.TrimSuffix(fields[name], "?"), d.row.Props[joinPath(path, name)]
		list, _ := v.([]any)
		switch {
		case strings.HasPrefix(typ, "@"):
			m, _ := v.(map[string]any)
			inner := d.comparableBlock(d.s.Object(typ), m, joinPath(path, name))
			if p.PresenceMatters {
				inner["is"] = "present"
			}
			v = inner
		case strings.HasPrefix(typ, "[@"):
			items := make([]any, len(list))
			for i, item := range list {
				m, _ := item.(map[string]any)
				items[i] = d.comparableBlock(d.s.Object(typ[1:len(typ)-1]), m, joinPath(path, name))
			}
			v = canonicalValue(items, p.listOrder())
		case p.Set:
			v = canonicalValue(list, sortLists)
		}
		out[name] = v
	}
	return out
}

// withDefaults copies an object and sets the defaults of omitted properties, at any
// depth.
func withDefaults(s *schema.Resource, row *Row, fields schema.Fields, in Object, path string) Object {
	out := Object{}
	for name, v := range in {
		out[name] = wire.Clone(v)
	}
	for name, typ := range fields {
		rulePath := joinPath(path, name)
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

// sameDocument reports whether two JSON documents have the same meaning. The order of
// keys and of lists, such as a policy's actions, has no meaning. A single value equals a
// list with only that value.
func sameDocument(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return documentText(x) == documentText(y)
}

// documentText returns a text that represents a JSON value. Values that sameDocument treats as
// equal have the same text.
func documentText(v any) string {
	switch v := v.(type) {
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+":"+documentText(v[k]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = documentText(item)
		}
		slices.Sort(parts)
		return strings.Join(parts, ",")
	}
	return canonicalText(v, keepOrder)
}
