package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// policyKind is the kind of a policy document. Each kind has its own grammar
// (IAM/latest/UserGuide/reference_policies_grammar.html).
type policyKind int

const (
	identityPolicy   policyKind = iota // attached to a role: no principal
	resourcePolicy                     // attached to an endpoint or a key: a principal and a resource
	repositoryPolicy                   // attached to a repository: a principal, no resource
	trustPolicy                        // defines which principals may assume a role: a principal, no resource
)

var (
	actionPattern = regexp.MustCompile(`^(\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+)$`)
	sidPattern    = regexp.MustCompile(`^[a-zA-Z0-9]*$`)
	// policyCharacters matches the characters that IAM allows in policy documents
	// (IAM/latest/UserGuide/reference_iam-quotas.html). The stand-in also checks the documents
	// of other services with it.
	policyCharacters = regexp.MustCompile(`^[\t\n\r\x{20}-\x{FF}]*$`)
)

// policyKeys are the elements that a statement can have.
var policyKeys = []string{
	"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
}

// policyDocument returns a validator of policy documents of the given kind. It refuses malformed
// documents, and documents that are longer than limit. The length is in characters, and white
// space does not count. A limit of 0 means no limit.
func policyDocument(kind policyKind, limit int) func(any) string {
	return func(v any) string {
		s, _ := v.(string)
		if n := len(strings.Map(dropSpace, s)); limit > 0 && n > limit {
			return fmt.Sprintf("has %d characters without white space; AWS allows %d", n, limit)
		}
		return checkPolicy(s, kind)
	}
}

// dropSpace is a mapping function for strings.Map that removes white space.
func dropSpace(r rune) rune {
	if unicode.IsSpace(r) {
		return -1
	}
	return r
}

// checkPolicy returns the reason why AWS refuses a policy document as malformed, or "" if the
// document is valid.
func checkPolicy(text string, kind policyKind) string {
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return fmt.Sprintf("is not a JSON policy document: %v", err)
	}
	// The provider sends the document in the form of json.Marshal, without escapes such as
	// \u0100.
	if sent, err := json.Marshal(doc); err != nil || !policyCharacters.Match(sent) {
		return "has a character beyond U+00FF"
	}
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		if !slices.Contains([]string{"Version", "Id", "Statement"}, key) {
			return fmt.Sprintf("has the unknown element %s: must be Version, Id or Statement", key)
		}
	}
	if v, given := doc["Version"]; given && v != "2012-10-17" && v != "2008-10-17" {
		return fmt.Sprintf("has the Version %v: must be 2012-10-17 or 2008-10-17", v)
	}
	statements := asList(doc["Statement"])
	if len(statements) == 0 {
		return "has no Statement"
	}
	sids := map[string]bool{}
	for i, item := range statements {
		statement, ok := item.(map[string]any)
		if !ok {
			return fmt.Sprintf("Statement %d is not an object", i)
		}
		sid, _ := statement["Sid"].(string)
		if sid != "" && sids[sid] {
			return fmt.Sprintf("Statement %d has the Sid %q of another statement; Statement IDs (SID) in a single policy must be unique", i, sid)
		}
		sids[sid] = true
		if reason := checkStatement(statement, kind); reason != "" {
			return fmt.Sprintf("Statement %d %s", i, reason)
		}
	}
	return ""
}

// checkStatement returns the reason why a statement is malformed; "" if it is valid.
func checkStatement(s map[string]any, kind policyKind) string {
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if !slices.Contains(policyKeys, key) {
			return fmt.Sprintf("has the unknown element %s: must be one of %s", key, strings.Join(policyKeys, ", "))
		}
	}
	if s["Effect"] != "Allow" && s["Effect"] != "Deny" {
		return fmt.Sprintf("has the Effect %v: must be Allow or Deny", s["Effect"])
	}
	if sid, _ := s["Sid"].(string); (kind == identityPolicy || kind == trustPolicy) && !sidPattern.MatchString(sid) {
		return fmt.Sprintf("has the Sid %q; it may have letters and digits only", sid)
	}
	if reason := checkElements(s, kind); reason != "" {
		return reason
	}
	for _, action := range append(asList(s["Action"]), asList(s["NotAction"])...) {
		text, ok := action.(string)
		if !ok || !actionPattern.MatchString(text) {
			return fmt.Sprintf("has the Action %v; actions are written service:Name", action)
		}
		if kind == trustPolicy && !strings.HasPrefix(text, "sts:") && text != "*" {
			return fmt.Sprintf("has the Action %s; AssumeRole policies may only specify STS actions", text)
		}
	}
	for _, resource := range append(asList(s["Resource"]), asList(s["NotResource"])...) {
		if text, _ := resource.(string); !strings.HasPrefix(text, "arn:") && !strings.HasPrefix(text, "*") {
			return fmt.Sprintf("has the Resource %v; resources are ARNs or *", resource)
		}
	}
	return checkPrincipal(s)
}

// checkElements returns an error text if a statement lacks an element, or has an element
// that this kind of policy cannot have. It returns "" if all elements are valid.
func checkElements(s map[string]any, kind policyKind) string {
	for _, e := range []struct {
		element, opposite string
		// required is true if a statement must have one of the two elements. Otherwise it
		// must have none of them.
		required bool
	}{
		{"Action", "NotAction", true},
		{"Resource", "NotResource", kind == identityPolicy || kind == resourcePolicy},
		{"Principal", "NotPrincipal", kind != identityPolicy},
	} {
		_, hasElement := s[e.element]
		_, hasOpposite := s[e.opposite]
		switch {
		case hasElement && hasOpposite:
			return fmt.Sprintf("has both %s and %s", e.element, e.opposite)
		case e.required && !hasElement && !hasOpposite:
			return fmt.Sprintf("has no %s", e.element)
		case !e.required && (hasElement || hasOpposite):
			return fmt.Sprintf("has a %s, which this kind of policy can't have", e.element)
		}
	}
	return ""
}

// checkPrincipal returns the reason why a statement's principal is malformed; "" if it
// is valid.
func checkPrincipal(s map[string]any) string {
	for _, name := range []string{"Principal", "NotPrincipal"} {
		v, given := s[name]
		if !given || v == "*" {
			continue
		}
		m, ok := v.(map[string]any)
		if !ok {
			return fmt.Sprintf("has a %s that is neither * nor an object", name)
		}
		for kind := range m {
			if !slices.Contains([]string{"AWS", "Service", "Federated", "CanonicalUser"}, kind) {
				return fmt.Sprintf("has the %s %s: must be AWS, Service, Federated or CanonicalUser", name, kind)
			}
		}
	}
	return ""
}

// asList returns a list unchanged, any other value as a list of one element, and nil for nil.
// In a policy document, a value and a list with only this value have the same meaning.
func asList(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// principals returns the principals of one kind, such as Service, in a policy document. It reads
// only statements with the effect Allow. The principal "*" belongs to every kind. The result is
// nil for a document that is not JSON.
func principals(text, kind string) []string {
	var doc struct {
		Statement any
	}
	if json.Unmarshal([]byte(text), &doc) != nil {
		return nil
	}
	var out []string
	for _, item := range asList(doc.Statement) {
		statement, _ := item.(map[string]any)
		if statement["Effect"] != "Allow" {
			continue
		}
		if statement["Principal"] == "*" {
			out = append(out, "*")
		}
		byKind, _ := statement["Principal"].(map[string]any)
		for _, v := range asList(byKind[kind]) {
			if text, ok := v.(string); ok {
				out = append(out, text)
			}
		}
	}
	return out
}

// trusts reports whether a service may assume a role.
func trusts(role store.Object, service string) bool {
	return slices.Contains(principals(Object(role.State).String("assumeRolePolicy"), "Service"), service)
}

// verifyPrincipals returns an error if the policy document in a property names a role of
// this account that does not exist. code and message are the service's error code and
// message.
func (c *Call) verifyPrincipals(property, code, message string) error {
	text := c.In.String(property)
	for _, principal := range principals(text, "AWS") {
		prefix := fmt.Sprintf("arn:%s:iam::%s:role/", c.Partition, c.Account)
		if !strings.HasPrefix(principal, prefix) {
			continue
		}
		if _, ok := c.resolve(toRoleARN, principal); !ok {
			return refuse(code, "%s: \"AWS\":\"%s\"", message, principal)
		}
	}
	return nil
}
