// Package iam owns how the platform's roles and policies are written: one role
// a workload, trusted by one service, allowed what is spelled out. The rules
// of least privilege are in package policydocument.
package iam

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
)

// RoleArgs are what a Role is made from.
type RoleArgs struct {
	// Account is whose policies and confused-deputy conditions are written.
	Account *account.Account
	// Description says what acts under the role.
	Description string
	// Trust says who may assume it; see Service and Pod.
	Trust Trust
	// Statements are the role's own policy; none: it has none.
	Statements []Statement
	// ManagedPolicies are AWS's own policies by path, such as
	// "AmazonEKSClusterPolicy".
	ManagedPolicies []string
}

func (a *RoleArgs) validate() error {
	switch {
	case a == nil || a.Account == nil:
		return errors.New("role: Account must not be nil")
	case a.Description == "":
		return errors.New("role: Description must say what acts under it")
	case !strings.HasSuffix(a.Trust.service, ".amazonaws.com"):
		return fmt.Errorf("role: Trust names %q, which is not an AWS service; use Service or Pod", a.Trust.service)
	}
	return nil
}

// Role is an IAM role with its policies.
type Role struct {
	pulumi.ResourceState

	// Name is made up by Pulumi from the logical name.
	Name pulumi.StringOutput
	ARN  pulumi.StringOutput
	// Policies are what the role is useless without; whoever uses the role
	// while it is being made depends on them.
	Policies []pulumi.Resource
}

// NewRole makes a role that one service may assume, and its policies.
func NewRole(ctx *pulumi.Context, name string, args *RoleArgs, opts ...pulumi.ResourceOption) (*Role, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	trust, err := ResourcePolicy(args.Trust.statement(args.Account))
	if err != nil {
		return nil, fmt.Errorf("trust policy of role %s: %w", name, err)
	}
	var document pulumi.StringOutput
	if len(args.Statements) > 0 {
		if document, err = IdentityPolicy(args.Statements...); err != nil {
			return nil, fmt.Errorf("role %s: %w", name, err)
		}
	}
	r := &Role{}
	if err := ctx.RegisterComponentResource("progressive:iam:Role", name, r, opts...); err != nil {
		return nil, fmt.Errorf("role %s: %w", name, err)
	}
	parent := pulumi.Parent(r)
	role, err := iam.NewRole(ctx, name+"-role", &iam.RoleArgs{
		AssumeRolePolicy: trust,
		Description:      pulumi.String(args.Description),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("role %s: %w", name, err)
	}
	if len(args.Statements) > 0 {
		p, err := iam.NewRolePolicy(ctx, name+"-policy", &iam.RolePolicyArgs{Role: role.Name, Policy: document}, parent)
		if err != nil {
			return nil, fmt.Errorf("policy of role %s: %w", name, err)
		}
		r.Policies = append(r.Policies, p)
	}
	for _, path := range args.ManagedPolicies {
		p, err := iam.NewRolePolicyAttachment(ctx, name+"-"+strings.ToLower(path[strings.LastIndex(path, "/")+1:]), &iam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: args.Account.ManagedPolicy(path),
		}, parent)
		if err != nil {
			return nil, fmt.Errorf("policy %s of role %s: %w", path, name, err)
		}
		r.Policies = append(r.Policies, p)
	}
	r.Name, r.ARN = role.Name, role.Arn
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{"name": r.Name, "arn": r.ARN})
}
