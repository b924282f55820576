package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var iamExamples = []example{
	{rule: "iam-changes-scoped", at: "RolePolicy web-policy", path: "policy", bad: `{"Statement":[{"Effect":"Allow","Action":["ec2:TerminateInstances"],"Resource":"*"}]}`, absent: evaluate.Holds, also: []string{"iam-calls-allowed @ PodIdentityAssociation web-identity", "iam-calls-only @ PodIdentityAssociation web-identity"}},
	{rule: "iam-no-administrator", at: "RolePolicy web-policy", path: "policy", bad: `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, absent: evaluate.Holds, also: []string{"iam-calls-only @ PodIdentityAssociation web-identity", "iam-changes-scoped @ RolePolicy web-policy"}},
	{rule: "iam-no-administrator-attached", at: "RolePolicyAttachment vpc-cni-amazoneks_cni_policy", path: "policyArn", bad: "arn:aws:iam::aws:policy/AdministratorAccess", absent: evaluate.Holds},
	{rule: "iam-no-administrator-attached", at: "RolePolicyAttachment vpc-cni-amazoneks_cni_policy", path: "policyArn", bad: "arn:aws:iam::aws:policy/PowerUserAccess", absent: evaluate.Holds},
	{rule: "iam-no-administrator-attached", at: "RolePolicyAttachment vpc-cni-amazoneks_cni_policy", path: "policyArn", bad: "arn:aws:iam::aws:policy/IAMFullAccess", absent: evaluate.Holds},
	{rule: "iam-no-service-wildcard", at: "RolePolicy web-policy", path: "policy", bad: `{"Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"arn:aws:s3:::b"}]}`, absent: evaluate.Holds, also: []string{"iam-calls-allowed @ PodIdentityAssociation web-identity", "iam-calls-only @ PodIdentityAssociation web-identity"}},
	{rule: "iam-role-has-permissions", at: "RolePolicy web-policy", path: "role", bad: "another", on: "Role web-role", also: []string{"iam-calls-allowed @ PodIdentityAssociation web-identity"}},
	{rule: "iam-role-used", at: "PodIdentityAssociation web-identity", path: "roleArn", bad: "arn:aws:iam::2:role/another", on: "Role web-role", also: []string{"eks-one-role-per-service-account @ PodIdentityAssociation web-identity", "iam-calls-allowed @ PodIdentityAssociation web-identity"}},
	federatedTrust(`{"StringEquals":{"a:sub":"repo:o/r:environment:prod"}}`),
	federatedTrust(`{"StringEquals":{"a:aud":"sts.amazonaws.com"}}`),
	{rule: "iam-trust-subject", at: "Role web-role", path: "assumeRolePolicy", absent: evaluate.Holds,
		bad: `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/a"},"Condition":{"StringLike":{"a:sub":"repo:*","a:aud":"b"}}}]}`},
	{rule: "iam-trust-named", at: "Role web-role", path: "assumeRolePolicy", bad: `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}]}`, absent: evaluate.Holds},
	{rule: "iam-trust-named", at: "Role web-role", path: "assumeRolePolicy", bad: `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":["arn:aws:iam::1:root","*"]}}]}`, absent: evaluate.Holds},
	{rule: "iam-trust-named", at: "Role web-role", path: "assumeRolePolicy", bad: `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}`, absent: evaluate.Holds},
}

// federatedTrust returns the example of a role for the tokens of another issuer, with a condition
// that does not name both the audience and the subject.
func federatedTrust(condition string) example {
	return example{
		rule: "iam-trust-subject", at: "Role web-role", path: "assumeRolePolicy", absent: evaluate.Holds,
		bad: `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/a"},"Condition":` + condition + `}]}`,
	}
}
