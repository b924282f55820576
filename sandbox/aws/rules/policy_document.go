package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
)

// document is a policy in the form of Terraform's data source. Its JSON has the elements in the
// order of the fields, and no empty elements.
type document struct {
	Version   string      `json:"Version,omitempty"`
	ID        string      `json:"Id,omitempty"`
	Statement []statement `json:"Statement,omitempty"`
}

// statement is a statement of a document.
type statement struct {
	Sid          string `json:"Sid,omitempty"`
	Effect       string `json:"Effect,omitempty"`
	Action       any    `json:"Action,omitempty"`
	NotAction    any    `json:"NotAction,omitempty"`
	Resource     any    `json:"Resource,omitempty"`
	NotResource  any    `json:"NotResource,omitempty"`
	Principal    any    `json:"Principal,omitempty"`
	NotPrincipal any    `json:"NotPrincipal,omitempty"`
	Condition    any    `json:"Condition,omitempty"`
}

// getPolicyDocument implements the Pulumi function aws:iam/getPolicyDocument. It merges the
// source documents, the statements and the override documents, in this order. A later
// statement replaces an earlier one with the same Sid.
func getPolicyDocument(_ *Call, in Object) (Object, error) {
	doc := document{Version: "2012-10-17"}
	for _, name := range []string{"sourceJson", "overrideJson"} {
		if in.String(name) != "" {
			return nil, fmt.Errorf("%s: not used any more, and must be empty; use sourcePolicyDocuments and overridePolicyDocuments", name)
		}
	}
	if v := in.String("version"); v != "" && v != doc.Version && v != oldPolicyVersion {
		return nil, fmt.Errorf("version %q: must be %s or %s", v, doc.Version, oldPolicyVersion)
	}
	seen := map[string]bool{}
	for i, text := range in.Strings("sourcePolicyDocuments") {
		source, err := parseDocument(text)
		if err != nil {
			return nil, fmt.Errorf("sourcePolicyDocuments[%d]: %w", i, err)
		}
		for _, s := range source.Statement {
			if s.Sid != "" && seen[s.Sid] {
				return nil, fmt.Errorf("sourcePolicyDocuments[%d]: duplicate Sid (%s); remove it or make it unique", i, s.Sid)
			}
			seen[s.Sid] = true
		}
		doc.merge(source)
	}
	programDoc := document{Version: in.String("version"), ID: in.String("policyId")}
	sids := map[string]bool{}
	for i, s := range in.Objects("statements") {
		statement, err := newStatement(s, in.String("version"))
		if err != nil {
			return nil, fmt.Errorf("statements[%d]: %w", i, err)
		}
		if statement.Sid != "" && sids[statement.Sid] {
			return nil, fmt.Errorf("statements[%d]: duplicate Sid (%s); remove it or make it unique", i, statement.Sid)
		}
		sids[statement.Sid] = true
		programDoc.Statement = append(programDoc.Statement, statement)
	}
	doc.merge(programDoc)
	for i, text := range in.Strings("overridePolicyDocuments") {
		override, err := parseDocument(text)
		if err != nil {
			return nil, fmt.Errorf("overridePolicyDocuments[%d]: %w", i, err)
		}
		doc.merge(override)
	}
	pretty, minified, err := doc.render()
	if err != nil {
		return nil, err
	}
	id := strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(pretty))), 10)
	return Object{"id": id, "json": pretty, "minifiedJson": minified, "version": doc.Version}, nil
}

// oldPolicyVersion is the version of the policy language without variables.
const oldPolicyVersion = "2008-10-17"

// convertVariables converts policy variables from Terraform's notation, &{...}, to IAM's,
// ${...}. It returns an error if the version of the policy language has no variables.
func convertVariables(list []string, version string) ([]string, error) {
	out := make([]string, len(list))
	for i, s := range list {
		if version == oldPolicyVersion && strings.Contains(s, "&{") {
			return nil, fmt.Errorf("found &{ sequence in (%s), which is not supported in document version %s", s, version)
		}
		out[i] = strings.ReplaceAll(s, "&{", "${")
	}
	return out, nil
}

// merge adds the statements of other to d. A statement of other replaces the statement of d with
// the same Sid.
func (d *document) merge(other document) {
	if other.ID != "" {
		d.ID = other.ID
	}
	if other.Version != "" {
		d.Version = other.Version
	}
	for _, s := range other.Statement {
		i := slices.IndexFunc(d.Statement, func(existing statement) bool { return s.Sid != "" && existing.Sid == s.Sid })
		if i >= 0 {
			d.Statement[i] = s
		} else {
			d.Statement = append(d.Statement, s)
		}
	}
}

// parseDocument parses a policy. Its Statement can be a list or a single statement.
func parseDocument(text string) (document, error) {
	var raw struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return document{}, fmt.Errorf("not a policy document: %w", err)
	}
	doc := document{Version: raw.Version, ID: raw.ID}
	if len(raw.Statement) == 0 {
		return doc, nil
	}
	if bytes.HasPrefix(raw.Statement, []byte("{")) {
		doc.Statement = make([]statement, 1)
		return doc, json.Unmarshal(raw.Statement, &doc.Statement[0])
	}
	return doc, json.Unmarshal(raw.Statement, &doc.Statement)
}

// newStatement returns the statement of a document for a statement of the inputs. It returns an
// error for properties that AWS would refuse together.
func newStatement(in Object, version string) (statement, error) {
	s := statement{
		Sid: in.String("sid"), Effect: "Allow",
		Action: normalizeList(in.Strings("actions")), NotAction: normalizeList(in.Strings("notActions")),
	}
	if !sidPattern.MatchString(s.Sid) {
		return s, fmt.Errorf("sid %q: must be letters and digits", s.Sid)
	}
	for name, element := range map[string]*any{"resources": &s.Resource, "notResources": &s.NotResource} {
		list, err := convertVariables(in.Strings(name), version)
		if err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
		*element = normalizeList(list)
	}
	for name, element := range map[string]*any{"principals": &s.Principal, "notPrincipals": &s.NotPrincipal} {
		principal, err := newPrincipal(in.Objects(name), version)
		if err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
		*element = principal
	}
	if effect := in.String("effect"); effect != "" {
		s.Effect = effect
	}
	if s.Effect != "Allow" && s.Effect != "Deny" {
		return s, fmt.Errorf("effect %q: must be Allow or Deny", s.Effect)
	}
	if s.Action != nil && s.NotAction != nil {
		return s, errors.New("actions and notActions can't be given together")
	}
	if s.Resource != nil && s.NotResource != nil {
		return s, errors.New("resources and notResources can't be given together")
	}
	if s.Principal != nil && s.NotPrincipal != nil {
		return s, errors.New("principals and notPrincipals can't be given together")
	}
	condition, err := newCondition(in.Objects("conditions"), version)
	if err != nil {
		return s, fmt.Errorf("conditions: %w", err)
	}
	s.Condition = condition
	return s, nil
}

// newCondition returns the Condition of a statement for the conditions of the inputs. The
// Condition is a map by test, such as StringEquals, and by variable. newCondition returns nil
// if there are no conditions.
func newCondition(list []Object, version string) (any, error) {
	conditions := map[string]map[string][]string{}
	for _, c := range list {
		test, variable := c.String("test"), c.String("variable")
		if conditions[test] == nil {
			conditions[test] = map[string][]string{}
		}
		values, err := convertVariables(c.Strings("values"), version)
		if err != nil {
			return nil, err
		}
		conditions[test][variable] = append(conditions[test][variable], values...)
	}
	if len(conditions) == 0 {
		return nil, nil
	}
	out := map[string]map[string]any{}
	for test, variables := range conditions {
		out[test] = map[string]any{}
		for variable, values := range variables {
			if len(values) == 1 {
				out[test][variable] = values[0]
			} else {
				out[test][variable] = values
			}
		}
	}
	return out, nil
}

// normalizeList returns a list in the form of Terraform's data source. An empty list becomes nil.
// A list with one element becomes this element. Other lists are sorted in descending order,
// without duplicates.
func normalizeList(list []string) any {
	list = slices.Clone(list)
	slices.Sort(list)
	list = slices.Compact(list)
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	slices.Reverse(list)
	return list
}

// newPrincipal returns the Principal of a statement for the principals of the inputs. The
// Principal is a map from kinds to identifiers, or "*" for everybody. newPrincipal returns nil
// if there are no principals.
func newPrincipal(list []Object, version string) (any, error) {
	byKind := map[string][]string{}
	for _, p := range list {
		identifiers, err := convertVariables(p.Strings("identifiers"), version)
		if err != nil {
			return nil, err
		}
		if p.String("type") == "*" && slices.Equal(identifiers, []string{"*"}) {
			return "*", nil
		}
		byKind[p.String("type")] = append(byKind[p.String("type")], identifiers...)
	}
	if len(byKind) == 0 {
		return nil, nil
	}
	out := map[string]any{}
	for kind, identifiers := range byKind {
		out[kind] = normalizeList(identifiers)
	}
	return out, nil
}

// render returns the document as JSON in two forms: indented, and without white space.
func (d document) render() (pretty, minified string, err error) {
	indented, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return "", "", fmt.Errorf("rendering the policy: %w", err)
	}
	compact, err := json.Marshal(d)
	if err != nil {
		return "", "", fmt.Errorf("rendering the policy: %w", err)
	}
	return string(indented), string(compact), nil
}
