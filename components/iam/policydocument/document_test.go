package policydocument

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckIdentityRefusesTooWideStatements(t *testing.T) {
	tagConditions := []Condition{{Operator: "StringEquals", Key: "aws:ResourceTag/team", Values: []string{"platform"}}}
	for _, tc := range []struct {
		reason    string
		statement Statement
		want      string // empty: allowed
	}{
		{"an action on one resource", Statement{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, ""},
		{"read actions on every resource", Statement{Sid: "A", Actions: []string{"ec2:Describe*", "autoscaling:DescribeTags"}, Resources: []string{Any}}, ""},
		{"an action that AWS can't limit to some resources", Statement{Sid: "A", Actions: []string{"ecr:GetAuthorizationToken"}, Resources: []string{Any}}, ""},
		{"every resource with the tag", Statement{Sid: "A", Actions: []string{"autoscaling:SetDesiredCapacity"}, Resources: []string{Any}, Conditions: tagConditions}, ""},
		{"a Deny may have wildcards", Statement{Sid: "A", Deny: true, Actions: []string{"s3:*"}, Resources: []string{Any}}, ""},
		{"an action that changes every resource", Statement{Sid: "Scale", Actions: []string{"autoscaling:SetDesiredCapacity"}, Resources: []string{Any}}, "statement Scale: action autoscaling:SetDesiredCapacity on resource *"},
		{"reading the value of every secret", Statement{Sid: "A", Actions: []string{"secretsmanager:GetSecretValue"}, Resources: []string{Any}}, "on resource *"},
		{"all actions of a service, even on one resource", Statement{Sid: "A", Actions: []string{"s3:*"}, Resources: []string{"arn:aws:s3:::b"}}, "list the actions of s3"},
		{"a wildcard that hides writes", Statement{Sid: "A", Actions: []string{"s3:Put*"}, Resources: []string{"arn:aws:s3:::b"}}, "list the actions of s3"},
		{"all actions of all services", Statement{Sid: "A", Actions: []string{Any}, Resources: []string{"arn:aws:s3:::b"}}, "must have the form service:Action"},
		{"a principal in an identity policy", Statement{Sid: "A", Principals: []Principal{{"Service", "ec2.amazonaws.com"}}, Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, "has a principal"},
		{"a condition without values", Statement{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: []string{Any}, Conditions: []Condition{{Operator: "StringEquals", Key: "k"}}}, "a condition must have"},
		{"no Sid", Statement{Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, "has no Sid"},
	} {
		t.Run(tc.reason, func(t *testing.T) { requireErr(t, CheckIdentity(tc.statement), tc.want) })
	}
}

func TestCheckEndpointNeedsAConditionForWrites(t *testing.T) {
	everyone := []Principal{{"AWS", Any}}
	ownAccount := []Condition{{Operator: "StringEquals", Key: "aws:PrincipalAccount", Values: []string{"123456789012"}}}
	for _, tc := range []struct {
		reason    string
		statement Statement
		want      string
	}{
		{"every caller may read, for example AWS's image layers", Statement{Sid: "Read", Principals: everyone, Actions: []string{"s3:GetObject"}, Resources: []string{Any}}, ""},
		{"only the account may write", Statement{Sid: "Own", Principals: everyone, Actions: []string{"s3:*"}, Resources: []string{Any}, Conditions: ownAccount}, ""},
		{"a caller without an identity may assume a role of the account", Statement{Sid: "Role", Principals: everyone, Actions: []string{"sts:AssumeRoleWithWebIdentity"}, Resources: []string{"arn:aws:iam::123456789012:role/*"}}, ""},
		{"every caller may write, and so copy data out of the account", Statement{Sid: "Out", Principals: everyone, Actions: []string{"s3:GetObject", "s3:PutObject"}, Resources: []string{Any}}, "statement Out allows every principal the action s3:PutObject"},
		{"every caller may do everything", Statement{Sid: "All", Principals: everyone, Actions: []string{"s3:*"}, Resources: []string{Any}}, "every principal the action s3:*"},
		{"no principal", Statement{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: []string{Any}}, "must name its principals"},
	} {
		t.Run(tc.reason, func(t *testing.T) { requireErr(t, CheckEndpoint(tc.statement), tc.want) })
	}
}

func TestCheckResourceNeedsPrincipals(t *testing.T) {
	everyone := []Principal{{"AWS", Any}}
	withoutTLS := []Condition{{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}}}
	for _, tc := range []struct {
		reason    string
		statement Statement
		want      string
	}{
		{"a Deny for all requests without TLS", Statement{Sid: "A", Deny: true, Principals: everyone, Actions: []string{"s3:*"}, Resources: []string{"arn:aws:s3:::b"}, Conditions: withoutTLS}, ""},
		{"a service", Statement{Sid: "A", Principals: []Principal{{"Service", "cloudfront.amazonaws.com"}}, Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, ""},
		{"a public bucket", Statement{Sid: "Read", Principals: everyone, Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, "statement Read allows every principal"},
		{"no principal", Statement{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, "must name its principals"},
	} {
		t.Run(tc.reason, func(t *testing.T) { requireErr(t, CheckResource(tc.statement), tc.want) })
	}
}

// requireErr requires that the text of err contains want. If want is empty, it requires that err
// is nil.
func requireErr(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorContains(t, err, want)
}

func TestRenderReturnsJSONOrAllErrors(t *testing.T) {
	doc, err := Resource(Statement{
		Sid: "Logs", Principals: []Principal{{"Service", "a.amazonaws.com"}, {"Service", "b.amazonaws.com"}},
		Actions: []string{"kms:Decrypt"}, Resources: []string{Any},
		Conditions: []Condition{{"StringEquals", "aws:SourceAccount", []string{"123456789012"}}, {"StringEquals", "aws:x", []string{"y"}}},
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"Logs","Effect":"Allow",
		"Principal":{"Service":["a.amazonaws.com","b.amazonaws.com"]},"Action":["kms:Decrypt"],"Resource":["*"],
		"Condition":{"StringEquals":{"aws:SourceAccount":["123456789012"],"aws:x":["y"]}}}]}`, doc)
	_, err = Identity(Statement{Sid: "One"}, Statement{Sid: "Two"})
	require.ErrorContains(t, err, "One")
	require.ErrorContains(t, err, "Two", "all errors are reported at once")
}
