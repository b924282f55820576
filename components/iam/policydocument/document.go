// Package policydocument renders IAM policy documents and refuses those that
// allow too much. It imports no SDK. It owns the rules of least privilege:
//
//   - An identity policy names every action. A wildcard may only follow Describe
//     or List.
//   - The resource "*" needs a condition, or an action that AWS can't limit to
//     some resources.
//   - A resource policy names its principals.
package policydocument

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// version is the only current version of the policy language (IAM User Guide,
// "IAM JSON policy elements: Version").
const version = "2012-10-17"

// Any means every resource, or every principal.
const Any = "*"

// Statement is one statement of a policy.
type Statement struct {
	// Sid is the name of the statement in its policy: letters and digits. It is
	// required, because errors identify the statement by it.
	Sid string
	// Deny turns the statement from Allow to Deny.
	Deny bool
	// Principals are the users of the permission, in resource policies only.
	Principals []Principal
	// Actions are actions such as "s3:GetObject".
	Actions []string
	// Resources are ARNs. A trust policy has none, because it applies to its role.
	Resources []string
	// Conditions must all hold.
	Conditions []Condition
}

// Principal is an AWS service, an account, a role or a user.
type Principal struct {
	// Kind is "Service" or "AWS".
	Kind string
	// Name is the name of a service such as "logs.us-east-1.amazonaws.com", an
	// ARN, or Any.
	Name string
}

// Condition is one operator on one key.
type Condition struct {
	// Operator is an operator such as "StringEquals".
	Operator string
	// Key is a condition key such as "aws:SourceAccount".
	Key string
	// Values are alternatives: one of them must match.
	Values []string
}

// unscopableActions lists read actions that AWS can't limit to some resources, in
// addition to Describe and List (Service Authorization Reference, tables of EC2
// and ECR).
var unscopableActions = map[string]bool{
	"ecr:GetAuthorizationToken":                    true,
	"ec2:GetInstanceTypesFromInstanceRequirements": true,
	"ec2:GetSecurityGroupsForVpc":                  true,
}

// Identity renders the policy of a role.
func Identity(statements ...Statement) (string, error) {
	return render(statements, CheckIdentity)
}

// Resource renders the policy of a resource such as a bucket, key or secret.
func Resource(statements ...Statement) (string, error) {
	return render(statements, CheckResource)
}

// Endpoint renders the policy of a VPC endpoint.
func Endpoint(statements ...Statement) (string, error) {
	return render(statements, CheckEndpoint)
}

// CheckIdentity returns an error for an invalid or too broad statement of an
// identity policy.
func CheckIdentity(s Statement) error {
	if err := checkRequired(s); err != nil {
		return err
	}
	if len(s.Principals) > 0 {
		return fmt.Errorf("statement %s has a principal: remove it, because an identity policy applies to its own role", s.Sid)
	}
	if len(s.Resources) == 0 {
		return fmt.Errorf("statement %s has no resource: an identity policy must name resources", s.Sid)
	}
	if s.Deny {
		return nil
	}
	for _, action := range s.Actions {
		service, verb, _ := strings.Cut(action, ":")
		reads := strings.HasPrefix(verb, "Describe") || strings.HasPrefix(verb, "List")
		if strings.Contains(verb, "*") && !reads {
			return fmt.Errorf("statement %s: action %s has a wildcard: list the actions of %s", s.Sid, action, service)
		}
		if slices.Contains(s.Resources, Any) && !reads && !unscopableActions[action] && len(s.Conditions) == 0 {
			return fmt.Errorf("statement %s: action %s on resource * has no condition: name the ARNs, or add a condition on a tag", s.Sid, action)
		}
	}
	return nil
}

// CheckEndpoint returns an error for an invalid or too broad statement of an
// endpoint's policy. The principal * means every caller inside the VPC. A caller also needs
// its own permissions. So a statement for * may allow actions that begin with Get without a
// condition. Every other action needs a condition or named resources.
func CheckEndpoint(s Statement) error {
	if err := checkPrincipals(s); err != nil {
		return err
	}
	for _, action := range s.Actions {
		_, verb, _ := strings.Cut(action, ":")
		if allowsEveryone(s) && !strings.HasPrefix(verb, "Get") && (len(s.Resources) == 0 || slices.Contains(s.Resources, Any)) {
			return fmt.Errorf("statement %s allows every principal the action %s without a condition: name the accounts in a condition, or name the resources", s.Sid, action)
		}
	}
	return nil
}

// CheckResource returns an error for an invalid or too broad statement of a
// resource policy.
func CheckResource(s Statement) error {
	if err := checkPrincipals(s); err != nil {
		return err
	}
	if allowsEveryone(s) {
		return fmt.Errorf("statement %s allows every principal without a condition: name the principals", s.Sid)
	}
	return nil
}

// allowsEveryone reports whether a statement allows every principal without a condition.
func allowsEveryone(s Statement) bool {
	return !s.Deny && len(s.Conditions) == 0 && slices.ContainsFunc(s.Principals, func(p Principal) bool { return p.Name == Any })
}

// checkPrincipals returns an error for an invalid statement, and for one without a
// principal.
func checkPrincipals(s Statement) error {
	if err := checkRequired(s); err != nil {
		return err
	}
	if len(s.Principals) == 0 {
		return fmt.Errorf("statement %s has no principal: a resource policy must name its principals", s.Sid)
	}
	return nil
}

// checkRequired returns an error for a statement without the fields that every policy needs.
func checkRequired(s Statement) error {
	switch {
	case s.Sid == "":
		return errors.New("a policy statement has no Sid: set one, because errors identify the statement by it")
	case len(s.Actions) == 0:
		return fmt.Errorf("statement %s has no action: must have at least one", s.Sid)
	}
	for _, action := range s.Actions {
		if service, verb, ok := strings.Cut(action, ":"); !ok || service == "" || verb == "" {
			return fmt.Errorf("statement %s: action %q: must have the form service:Action", s.Sid, action)
		}
	}
	for _, c := range s.Conditions {
		if c.Operator == "" || c.Key == "" || len(c.Values) == 0 {
			return fmt.Errorf("statement %s: a condition must have an operator, a key and values", s.Sid)
		}
	}
	return nil
}

// render checks the statements and returns the policy as JSON. The returned error lists all
// errors of the statements.
func render(statements []Statement, check func(Statement) error) (string, error) {
	var errs []error
	rendered := make([]map[string]any, 0, len(statements))
	for _, s := range statements {
		errs = append(errs, check(s))
		rendered = append(rendered, s.jsonObject())
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

// jsonObject returns the statement as an object of the policy's JSON.
func (s Statement) jsonObject() map[string]any {
	effect := "Allow"
	if s.Deny {
		effect = "Deny"
	}
	o := map[string]any{"Sid": s.Sid, "Effect": effect, "Action": s.Actions}
	if len(s.Resources) > 0 {
		o["Resource"] = s.Resources
	}
	if len(s.Principals) > 0 {
		names := map[string][]string{}
		for _, p := range s.Principals {
			names[p.Kind] = append(names[p.Kind], p.Name)
		}
		o["Principal"] = names
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
