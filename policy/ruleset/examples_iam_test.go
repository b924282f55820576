package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
)

var iamExamples = []example{
	{rule: "iam-changes-scoped", resource: "RolePolicy web-policy", path: "policy", bad: `{"Statement":[{"Effect":"Allow","Action":["ec2:TerminateInstances"],"Resource":"*"}]}`, ifAbsent: evaluate.Holds, alsoBroken: []string{"iam-calls-allowed @ PodIdentityAssociation web-identity", "iam-calls-only @ PodIdentityAssociation web-identity"}},
	{rule: "iam-no-administrator", resource: "RolePolicy web-policy", path: "policy", bad: `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, ifAbsent: evaluate.Holds, alsoBroken: []string{"iam-calls-only @ PodIdentityAssociation web-identity", "iam-changes-scoped @ RolePolicy web-policy"}},
	{rule: "iam-no-administrator-attached", resource: "RolePolicyAttachment vpc-cni-amazoneks_cni_policy", path: "policyArn", bad: "arn:aws:iam::aws:policy/AdministratorAccess", ifAbsent: evaluate.Holds},
	{rule: "iam-no-administrator-attached", resource: "RolePolicyAttachment vpc-cni-amazoneks_cni_policy", path: "policyArn", bad: "arn:aws:iam::aws:policy/PowerUserAccess", ifAbsent: evaluate.Holds},
	{rule: "iam-no-administrator-attached", resource: "RolePolicyAttachment vpc-cni-amazoneks_cni_policy", path: "policyArn", bad: "arn:aws:iam::aws:policy/IAMFullAccess", ifAbsent: evaluate.Holds},
	{rule: "iam-no-service-wildcard", resource: "RolePolicy web-policy", path: "policy", bad: `{"Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"arn:aws:s3:::b"}]}`, ifAbsent: evaluate.Holds, alsoBroken: []string{"iam-calls-allowed @ PodIdentityAssociation web-identity", "iam-calls-only @ PodIdentityAssociation web-identity"}},
	{rule: "iam-role-has-permissions", resource: "RolePolicy web-policy", path: "role", bad: "another", subject: "Role web-role", alsoBroken: []string{"iam-calls-allowed @ PodIdentityAssociation web-identity"}},
	{rule: "iam-role-used", resource: "PodIdentityAssociation web-identity", path: "roleArn", bad: "arn:aws:iam::2:role/another", subject: "Role web-role", alsoBroken: []string{"eks-one-role-per-service-account @ PodIdentityAssociation web-identity", "iam-calls-allowed @ PodIdentityAssociation web-identity"}},
	federatedTrustExample(`{"StringEquals":{"a:sub":"repo:o/r:environment:prod"}}`),
	federatedTrustExample(`{"StringEquals":{"a:aud":"sts.amazonaws.com"}}`),
	{rule: "iam-trust-subject", resource: "Role web-role", path: "assumeRolePolicy", ifAbsent: evaluate.Holds,
		bad: `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/a"},"Condition":{"StringLike":{"a:sub":"repo:*","a:aud":"b"}}}]}`},
	{rule: "iam-trust-named", resource: "Role web-role", path: "assumeRolePolicy", bad: `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}]}`, ifAbsent: evaluate.Holds},
	{rule: "iam-trust-named", resource: "Role web-role", path: "assumeRolePolicy", bad: `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":["arn:aws:iam::1:root","*"]}}]}`, ifAbsent: evaluate.Holds},
	{rule: "iam-trust-named", resource: "Role web-role", path: "assumeRolePolicy", bad: `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}`, ifAbsent: evaluate.Holds},
}

// federatedTrustExample returns the example of a role for the tokens of another issuer. The condition
// does not name both the audience and the subject.
func federatedTrustExample(condition string) example {
	return example{
		rule: "iam-trust-subject", resource: "Role web-role", path: "assumeRolePolicy", ifAbsent: evaluate.Holds,
		bad: `{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/a"},"Condition":` + condition + `}]}`,
	}
}
