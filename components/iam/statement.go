package iam

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/iam/policydocument"
)

// Statement is a policydocument.Statement. Its ARNs may be outputs of resources.
type Statement struct {
	// Sid is the name of the statement in its policy: letters and digits. It is
	// required.
	Sid string
	// Deny turns the statement from Allow to Deny.
	Deny bool
	// Principals are the users of the permission, in resource policies only.
	Principals []Principal
	// Actions are actions such as "s3:GetObject".
	Actions []string
	// Resources are ARNs.
	Resources []pulumi.StringInput
	// Conditions must all hold.
	Conditions []Condition
}

// Principal is an AWS service, an account or a role. See ServicePrincipal,
// AWSPrincipal and Everyone.
type Principal struct {
	kind string
	name pulumi.StringInput
}

// ServicePrincipal returns an AWS service such as "logs.us-east-1.amazonaws.com".
func ServicePrincipal(name string) Principal { return Principal{"Service", pulumi.String(name)} }

// AWSPrincipal returns an account's root or a role, by ARN.
func AWSPrincipal(arn pulumi.StringInput) Principal { return Principal{"AWS", arn} }

// Everyone returns the principal that matches every caller. Use it in a Deny, or together with
// conditions.
func Everyone() Principal { return Principal{"AWS", pulumi.String(policydocument.Any)} }

// Condition is one operator on one key.
type Condition struct {
	// Operator is an operator such as "StringEquals".
	Operator string
	// Key is a condition key such as "aws:SourceAccount".
	Key string
	// Values are alternatives: one of them must match.
	Values []pulumi.StringInput
}

// ARNs returns its arguments as a list, for Statement.Resources.
func ARNs(arns ...pulumi.StringInput) []pulumi.StringInput { return arns }

// AnyResource returns the resource "*", for actions that AWS can't limit to some
// resources.
func AnyResource() []pulumi.StringInput { return ARNs(pulumi.String(policydocument.Any)) }

// Equals returns the condition that key has one of the values.
func Equals(key string, values ...pulumi.StringInput) Condition {
	return Condition{Operator: "StringEquals", Key: key, Values: values}
}

// IdentityPolicy renders the policy of a role. It reports errors in statements
// immediately, before the ARNs are known.
func IdentityPolicy(statements ...Statement) (pulumi.StringOutput, error) {
	return renderPolicy(statements, policydocument.CheckIdentity, policydocument.Identity)
}

// ResourcePolicy renders the policy of a resource such as a bucket, key or secret.
func ResourcePolicy(statements ...Statement) (pulumi.StringOutput, error) {
	return renderPolicy(statements, policydocument.CheckResource, policydocument.Resource)
}

// EndpointPolicy renders the policy of a VPC endpoint.
func EndpointPolicy(statements ...Statement) (pulumi.StringOutput, error) {
	return renderPolicy(statements, policydocument.CheckEndpoint, policydocument.Endpoint)
}

// renderPolicy checks the statements with the values that are known now. It renders the policy when
// all outputs are known.
func renderPolicy(statements []Statement, check func(policydocument.Statement) error, render func(...policydocument.Statement) (string, error)) (pulumi.StringOutput, error) {
	var errs []error
	outputs := make([]any, len(statements))
	for i, s := range statements {
		errs = append(errs, check(s.withKnownValues()))
		outputs[i] = s.inputsOutput()
	}
	if err := errors.Join(errs...); err != nil {
		return pulumi.StringOutput{}, err
	}
	return pulumi.All(outputs...).ApplyT(func(values []any) (string, error) {
		plain := make([]policydocument.Statement, len(values))
		for i := range values {
			plain[i] = statements[i].withValues(values[i].([]string))
		}
		return render(plain...)
	}).(pulumi.StringOutput), nil
}

// inputs lists the values of all fields that may be outputs. withValues expects the same
// order.
func (s Statement) inputs() []pulumi.StringInput {
	var inputs []pulumi.StringInput
	for _, p := range s.Principals {
		inputs = append(inputs, p.name)
	}
	inputs = append(inputs, s.Resources...)
	for _, c := range s.Conditions {
		inputs = append(inputs, c.Values...)
	}
	return inputs
}

// inputsOutput returns the values of s.inputs() as one output.
func (s Statement) inputsOutput() pulumi.StringArrayOutput {
	return pulumi.StringArray(s.inputs()).ToStringArrayOutput()
}

// withKnownValues returns the statement with the values that are known before any resource is
// created. Unknown values are empty. The checks look only for wildcards, and an output
// is never a wildcard.
func (s Statement) withKnownValues() policydocument.Statement {
	var values []string
	for _, in := range s.inputs() {
		v, _ := in.(pulumi.String)
		values = append(values, string(v))
	}
	return s.withValues(values)
}

// withValues converts the statement to a policydocument.Statement. values are the values of
// s.inputs(), in the same order.
func (s Statement) withValues(values []string) policydocument.Statement {
	// take removes the first n values from values, and returns them.
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
