// Package policydocument writes IAM policy documents and refuses those that
// allow too much. It is pure: it owns the rules of least privilege, and nothing
// of Pulumi.
//
// In an identity policy, an action is spelled out (a wildcard may only follow
// Describe or List), and "*" as a resource is left to actions that AWS can't
// scope, or stands beside a condition. In a resource policy, whoever is allowed
// is named.
package policydocument

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// version is the only current version of the policy language (IAM User Guide,
// "IAM JSON policy elements: Version").
const version = "2012-10-17"

// Any stands for every resource, or, as a Principal, for everyone.
const Any = "*"

// Statement is one statement of a policy.
type Statement struct {
	// Sid names it within its policy: letters and digits. Required, because
	// errors speak of a statement by it.
	Sid string
	// Deny turns the statement from Allow to Deny.
	Deny bool
	// Principals are who the statement is about, in resource policies only.
	Principals []Principal
	// Actions are such as "s3:GetObject".
	Actions []string
	// Resources are ARNs. A role's trust policy has none: it is about the role.
	Resources []string
	// Conditions must all hold.
	Conditions []Condition
}

// Principal is one who acts.
type Principal struct {
	// Kind is "Service" or "AWS".
	Kind string
	// Name is a service's name such as "logs.us-east-1.amazonaws.com", an ARN,
	// or Any.
	Name string
}

// Condition is one operator on one key.
type Condition struct {
	// Operator is such as "StringEquals".
	Operator string
	// Key is such as "aws:SourceAccount".
	Key string
	// Values are alternatives.
	Values []string
}

// unscopable are actions that change nothing and that AWS gives no resource
// to scope by, beside Describe and List (Service Authorization Reference,
// tables of EC2 and ECR).
var unscopable = map[string]bool{
	"ecr:GetAuthorizationToken":                    true,
	"ec2:GetInstanceTypesFromInstanceRequirements": true,
	"ec2:GetSecurityGroupsForVpc":                  true,
}

// Identity renders the policy of a role.
func Identity(statements ...Statement) (string, error) {
	return render(statements, CheckIdentity)
}

// Resource renders the policy of a bucket, a key, a secret.
func Resource(statements ...Statement) (string, error) {
	return render(statements, CheckResource)
}

// CheckIdentity says what is wrong with a statement of an identity policy.
func CheckIdentity(s Statement) error {
	if err := check(s); err != nil {
		return err
	}
	if len(s.Principals) > 0 {
		return fmt.Errorf("statement %s: an identity policy names no principal; it is about whoever has it", s.Sid)
	}
	if len(s.Resources) == 0 {
		return fmt.Errorf("statement %s: an identity policy must name resources", s.Sid)
	}
	if s.Deny {
		return nil
	}
	for _, action := range s.Actions {
		service, verb, _ := strings.Cut(action, ":")
		looks := strings.HasPrefix(verb, "Describe") || strings.HasPrefix(verb, "List")
		if strings.Contains(verb, "*") && !looks {
			return fmt.Errorf("statement %s: action %s allows what nobody has listed; spell the actions of %s out", s.Sid, action, service)
		}
		if wide(s.Resources) && !looks && !unscopable[action] && len(s.Conditions) == 0 {
			return fmt.Errorf("statement %s: action %s on resource * has no condition: name the ARNs, or add a condition on a tag", s.Sid, action)
		}
	}
	return nil
}

// CheckResource says what is wrong with a statement of a resource policy.
func CheckResource(s Statement) error {
	if err := check(s); err != nil {
		return err
	}
	if len(s.Principals) == 0 {
		return fmt.Errorf("statement %s: a resource policy must name its principals", s.Sid)
	}
	for _, p := range s.Principals {
		if p.Name == Any && !s.Deny && len(s.Conditions) == 0 {
			return fmt.Errorf("statement %s: allows everyone, without a condition; name the principals", s.Sid)
		}
	}
	return nil
}

func check(s Statement) error {
	switch {
	case s.Sid == "":
		return errors.New("policy statement without a Sid; errors speak of it by that name")
	case len(s.Actions) == 0:
		return fmt.Errorf("statement %s: must have actions", s.Sid)
	}
	for _, action := range s.Actions {
		if service, verb, ok := strings.Cut(action, ":"); !ok || service == "" || verb == "" {
			return fmt.Errorf("statement %s: action %q is not of the form service:Action", s.Sid, action)
		}
	}
	for _, c := range s.Conditions {
		if c.Operator == "" || c.Key == "" || len(c.Values) == 0 {
			return fmt.Errorf("statement %s: a condition needs an operator, a key and values", s.Sid)
		}
	}
	return nil
}

func wide(resources []string) bool {
	for _, r := range resources {
		if r == Any {
			return true
		}
	}
	return false
}

func render(statements []Statement, check func(Statement) error) (string, error) {
	var errs []error
	rendered := make([]map[string]any, 0, len(statements))
	for _, s := range statements {
		errs = append(errs, check(s))
		rendered = append(rendered, s.object())
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	document, err := json.Marshal(map[string]any{"Version": version, "Statement": rendered})
	if err != nil {
		return "", fmt.Errorf("policy document: %w", err)
	}
	return string(document), nil
}

func (s Statement) object() map[string]any {
	effect := "Allow"
	if s.Deny {
		effect = "Deny"
	}
	o := map[string]any{"Sid": s.Sid, "Effect": effect, "Action": s.Actions}
	if len(s.Resources) > 0 {
		o["Resource"] = s.Resources
	}
	if len(s.Principals) > 0 {
		who := map[string][]string{}
		for _, p := range s.Principals {
			who[p.Kind] = append(who[p.Kind], p.Name)
		}
		o["Principal"] = who
	}
	if len(s.Conditions) > 0 {
		conditions := map[string]map[string][]string{}
		for _, c := range s.Conditions {
			if conditions[c.Operator] == nil {
				conditions[c.Operator] = map[string][]string{}
			}
			conditions[c.Operator][c.Key] = c.Values
		}
		o["Condition"] = conditions
	}
	return o
}
