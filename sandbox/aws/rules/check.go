package rules

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// CheckRequest is a request to check the inputs of one resource.
type CheckRequest struct {
	Token string
	// Name is the resource's Pulumi name.
	Name string
	// Seed is the engine's random seed. With the seed, a preview and the update after the
	// preview generate the same name.
	Seed []byte
	// Olds are the checked inputs of the last update. News are the program's inputs.
	Olds, News Object
	// Autonaming is the mode that the project's configuration pulumi:autonaming sets.
	Autonaming Autonaming
	// Proposed is the name that the engine proposes according to pulumi:autonaming.
	Proposed string
}

// Failure is one refused property.
type Failure struct{ Path, Reason string }

// schemaAndRow returns the schema and the row of a type. If the type has no schema or no
// row, the error is an *UnknownTypeError.
func schemaAndRow(token string) (*schema.Resource, *Row, error) {
	s, hasSchema, err := schema.LookupResource(token)
	if err != nil {
		return nil, nil, err
	}
	row, hasRow := rows[token]
	if !hasSchema || !hasRow {
		return nil, nil, &UnknownTypeError{token}
	}
	return s, row, nil
}

// Check completes the inputs as Pulumi does: it adds names, presets and tags. It returns the
// completed inputs and all refused properties.
func (c *Cloud) Check(req CheckRequest) (checked Object, refused []Failure, err error) {
	defer recoverPanic(req.Token, &err)
	s, row, err := schemaAndRow(req.Token)
	if err != nil {
		return nil, nil, err
	}
	in := Object(wire.CloneMap(req.News))
	delete(in, defaultsKey) // setName sets it again
	delete(in, "tagsAll")   // computed from tags, below
	var failures []Failure
	fail := func(path, reason string, args ...any) {
		failures = append(failures, Failure{path, fmt.Sprintf(reason, args...)})
	}
	v := validator{s: s, row: row, fail: fail}
	encodeDocuments(row, in)
	for path, p := range row.Props {
		if p.Preset != nil && !in.Has(path) {
			in[path] = p.Preset
		}
	}
	if row.Naming != nil {
		row.Naming.setName(in, req, fail)
	}
	if row.Normalize != nil {
		row.Normalize(in)
	}
	programInputs := maps.Clone(in)
	delete(programInputs, defaultsKey)
	for _, problem := range schema.CheckInputs(s.Inputs, s.Object, programInputs) {
		fail(problem.Path, "%s", problem.Reason)
	}
	if len(failures) == 0 {
		v.checkObject(s.Inputs, programInputs, "", "")
		v.checkGroups(programInputs)
		if row.Check != nil {
			row.Check(programInputs, fail)
		}
	}
	if supportsTags(s) {
		in["tagsAll"] = mergeTags(c.DefaultTags, in["tags"])
		checkTags(in["tagsAll"], cmp.Or(row.MaxTags, maxTags), fail)
	}
	slices.SortStableFunc(failures, func(a, b Failure) int { return cmp.Compare(a.Path, b.Path) })
	return in, failures, nil
}

// encodeDocuments replaces each JSON document that is an object by its text. An object with an
// unknown value becomes an unknown value.
func encodeDocuments(row *Row, in Object) {
	for path, p := range row.Props {
		m, ok := in[path].(map[string]any)
		if !ok || !p.JSON {
			continue
		}
		if wire.ContainsUnknown(m) {
			in[path] = wire.Unknown{}
		} else if raw, err := json.Marshal(m); err == nil {
			in[path] = string(raw)
		}
	}
}

// validator applies the rules of one type.
type validator struct {
	s    *schema.Resource
	row  *Row
	fail Fail
}

// checkObject checks the properties of one object. path is the object's path in the rules.
// shownPath is the object's path in messages. Only shownPath has list indexes, such as [0].
func (v *validator) checkObject(fields schema.Fields, o Object, path, shownPath string) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		rulePath, shownProp := joinPath(path, name), joinPath(shownPath, name)
		if path == "" && name == "tags" && supportsTags(v.s) {
			continue
		}
		p, hasRule := v.row.Props[rulePath]
		switch {
		case !hasRule:
			v.fail(shownProp, "the AWS stand-in has no rule for this property: add it to the row of %s in %s", v.row.Token, RowFiles(v.row.Token))
		case p.Refuse != "":
			v.fail(shownProp, "refused by the AWS stand-in: %s", p.Refuse)
		default:
			required := v.isRequired(p, rulePath) || !strings.HasSuffix(fields[name], "?")
			if o[name] == "" && required && !p.AllowEmpty {
				v.fail(shownProp, "is empty, and a value is required")
				continue
			}
			v.checkValue(fields[name], p, o[name], rulePath, shownProp)
		}
	}
	prefix := path
	if prefix != "" {
		prefix += "."
	}
	for rulePath, p := range v.row.Props {
		name, hasPrefix := strings.CutPrefix(rulePath, prefix)
		isField := hasPrefix && name != "" && !strings.Contains(name, ".")
		if isField && v.isRequired(p, rulePath) && !o.Has(name) {
			v.fail(joinPath(shownPath, name), "a required property is missing")
		}
	}
}

// checkValue checks the value of a property. typ is the property's type in the schema.
// path and shownPath are the paths as in checkObject. A list or a map is checked element by
// element. An unknown value has no failure.
func (v *validator) checkValue(typ string, p Prop, value any, path, shownPath string) {
	if wire.IsUnknown(value) {
		return
	}
	typ = strings.TrimSuffix(typ, "?")
	switch value := value.(type) {
	case []any:
		if len(value) < p.Min || (p.Max > 0 && len(value) > p.Max) {
			v.fail(shownPath, "has %d elements, must have %s", len(value), describeRange(p.Min, p.Max))
		}
		v.checkItemCount(len(value), path, shownPath)
		for i, item := range value {
			if item == "" && !p.AllowEmpty {
				v.fail(fmt.Sprintf("%s[%d]", shownPath, i), "is empty")
				continue
			}
			v.checkElement(strings.TrimSuffix(strings.TrimPrefix(typ, "["), "]"), p, item, path, fmt.Sprintf("%s[%d]", shownPath, i))
		}
	case map[string]any:
		if strings.HasPrefix(typ, "{") {
			for _, name := range slices.Sorted(maps.Keys(value)) {
				v.checkElement(typ[1:len(typ)-1], p, value[name], path, joinPath(shownPath, name))
			}
			return
		}
		v.checkElement(typ, p, value, path, shownPath)
	default:
		v.checkElement(typ, p, value, path, shownPath)
	}
}

// checkElement checks one value that is neither a list nor a map. Its parameters are the same
// as those of checkValue.
func (v *validator) checkElement(typ string, p Prop, value any, path, shownPath string) {
	if wire.IsUnknown(value) {
		return
	}
	if m, ok := value.(map[string]any); ok && strings.HasPrefix(typ, "@") {
		v.checkObject(v.s.Object(typ), m, path, shownPath)
		return
	}
	if s, ok := value.(string); ok {
		if len(p.Enum) > 0 && !slices.Contains(p.Enum, s) {
			v.fail(shownPath, "is %q, must be one of %s", s, strings.Join(p.Enum, ", "))
		}
		if p.JSON && !json.Valid([]byte(s)) {
			v.fail(shownPath, "is not valid JSON")
			return
		}
	}
	if p.Valid != nil {
		if reason := p.Valid(value); reason != "" {
			v.fail(shownPath, "%s", reason)
			return
		}
	}
	v.checkLimits(p, value, path, shownPath)
}

// checkGroups checks the properties that exclude or need each other.
func (v *validator) checkGroups(in Object) {
	givenIn := func(group []string) []string {
		return slices.DeleteFunc(slices.Clone(group), func(name string) bool { return len(leaves(in, name)) == 0 })
	}
	for _, group := range v.row.ExactlyOne {
		if given := givenIn(group); len(given) != 1 {
			v.fail(group[0], "exactly one of %s must be given; %s", strings.Join(group, ", "), describeGiven(given))
		}
	}
	for _, group := range v.row.AtMostOne {
		if given := givenIn(group); len(given) > 1 {
			v.fail(given[0], "%s can't be given together", strings.Join(given, " and "))
		}
	}
	for name, needs := range v.row.Requires {
		if in.Has(name) && len(givenIn(needs)) != len(needs) {
			v.fail(name, "can only be set together with %s", strings.Join(needs, ", "))
		}
	}
}

// describeGiven returns a text for errors: "none is given", or "given are" and the names.
func describeGiven(given []string) string {
	if len(given) == 0 {
		return "none is given"
	}
	return "given are " + strings.Join(given, ", ")
}

// describeRange returns a text for errors with the allowed number of elements. If high is 0,
// there is no upper limit.
func describeRange(low, high int) string {
	switch {
	case high == 0:
		return fmt.Sprintf("at least %d", low)
	case low == high:
		return fmt.Sprintf("exactly %d", low)
	}
	return fmt.Sprintf("%d to %d", low, high)
}

// hasExactlyOne reports whether the program sets exactly one of two properties. A property with
// an unknown value counts as set.
func (o Object) hasExactlyOne(first, second string) bool { return o.Has(first) != o.Has(second) }

// joinPath appends a property's name to a path.
func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
