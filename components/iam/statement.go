package iam

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/iam/policydocument"
)

// Statement is a policydocument.Statement whose ARNs may be outputs of resources.
type Statement struct {
	// Sid names it within its policy: letters and digits; required.
	Sid string
	// Deny turns the statement from Allow to Deny.
	Deny bool
	// Principals are who it is about, in resource policies only.
	Principals []Principal
	// Actions are such as "s3:GetObject".
	Actions []string
	// Resources are ARNs.
	Resources []pulumi.StringInput
	// Conditions must all hold.
	Conditions []Condition
}

// Principal is one who acts; see ServicePrincipal, AWSPrincipal and Everyone.
type Principal struct {
	kind string
	name pulumi.StringInput
}

// ServicePrincipal is an AWS service, such as "logs.us-east-1.amazonaws.com".
func ServicePrincipal(name string) Principal { return Principal{"Service", pulumi.String(name)} }

// AWSPrincipal is an account's root or a role, by ARN.
func AWSPrincipal(arn pulumi.StringInput) Principal { return Principal{"AWS", arn} }

// Everyone is anybody at all: for denials, and beside conditions.
func Everyone() Principal { return Principal{"AWS", pulumi.String(policydocument.Any)} }

// Condition is one operator on one key.
type Condition struct {
	// Operator is such as "StringEquals".
	Operator string
	// Key is such as "aws:SourceAccount".
	Key string
	// Values are alternatives.
	Values []pulumi.StringInput
}

// ARNs makes a list of resources.
func ARNs(arns ...pulumi.StringInput) []pulumi.StringInput { return arns }

// AnyResource is every resource, for actions that AWS can't scope.
func AnyResource() []pulumi.StringInput { return ARNs(pulumi.String(policydocument.Any)) }

// Equals is the condition that key has one of the values.
func Equals(key string, values ...pulumi.StringInput) Condition {
	return Condition{Operator: "StringEquals", Key: key, Values: values}
}

// IdentityPolicy renders the policy of a role. What is wrong with a statement
// is said at once, before anything is known of its ARNs.
func IdentityPolicy(statements ...Statement) (pulumi.StringOutput, error) {
	return document(statements, policydocument.CheckIdentity, policydocument.Identity)
}

// ResourcePolicy renders the policy of a bucket, a key, a secret.
func ResourcePolicy(statements ...Statement) (pulumi.StringOutput, error) {
	return document(statements, policydocument.CheckResource, policydocument.Resource)
}

func document(statements []Statement, check func(policydocument.Statement) error, render func(...policydocument.Statement) (string, error)) (pulumi.StringOutput, error) {
	var errs []error
	resolved := make([]any, len(statements))
	for i, s := range statements {
		errs = append(errs, check(s.known()))
		resolved[i] = s.resolved()
	}
	if err := errors.Join(errs...); err != nil {
		return pulumi.StringOutput{}, err
	}
	return pulumi.All(resolved...).ApplyT(func(values []any) (string, error) {
		plain := make([]policydocument.Statement, len(values))
		for i := range values {
			plain[i] = statements[i].with(values[i].([]string))
		}
		return render(plain...)
	}).(pulumi.StringOutput), nil
}

// inputs lists what may be an output, in the order in which with takes it.
func (s Statement) inputs() []pulumi.StringInput {
	var all []pulumi.StringInput
	for _, p := range s.Principals {
		all = append(all, p.name)
	}
	all = append(all, s.Resources...)
	for _, c := range s.Conditions {
		all = append(all, c.Values...)
	}
	return all
}

func (s Statement) resolved() pulumi.StringArrayOutput {
	return pulumi.StringArray(s.inputs()).ToStringArrayOutput()
}

// known is the statement as far as it is known before anything is made; what
// is not yet known is never the wildcard.
func (s Statement) known() policydocument.Statement {
	var values []string
	for _, in := range s.inputs() {
		v, _ := in.(pulumi.String)
		values = append(values, string(v))
	}
	return s.with(values)
}

func (s Statement) with(values []string) policydocument.Statement {
	take := func(n int) []string {
		head := values[:n:n]
		values = values[n:]
		return head
	}
	plain := policydocument.Statement{Sid: s.Sid, Deny: s.Deny, Actions: s.Actions}
	for i, name := range take(len(s.Principals)) {
		plain.Principals = append(plain.Principals, policydocument.Principal{Kind: s.Principals[i].kind, Name: name})
	}
	plain.Resources = take(len(s.Resources))
	for _, c := range s.Conditions {
		plain.Conditions = append(plain.Conditions, policydocument.Condition{Operator: c.Operator, Key: c.Key, Values: take(len(c.Values))})
	}
	return plain
}
