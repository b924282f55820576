package policydocument

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckIdentity(t *testing.T) {
	tagged := []Condition{{Operator: "StringEquals", Key: "aws:ResourceTag/team", Values: []string{"platform"}}}
	for _, tc := range []struct {
		reason    string
		statement Statement
		want      string // empty: allowed
	}{
		{"an action on one thing", Statement{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, ""},
		{"looking at everything changes nothing", Statement{Sid: "A", Actions: []string{"ec2:Describe*", "autoscaling:DescribeTags"}, Resources: []string{Any}}, ""},
		{"what AWS can't scope", Statement{Sid: "A", Actions: []string{"ecr:GetAuthorizationToken"}, Resources: []string{Any}}, ""},
		{"everything that has the tag", Statement{Sid: "A", Actions: []string{"autoscaling:SetDesiredCapacity"}, Resources: []string{Any}, Conditions: tagged}, ""},
		{"a denial may be wide", Statement{Sid: "A", Deny: true, Actions: []string{"s3:*"}, Resources: []string{Any}}, ""},
		{"unscoped rights to change", Statement{Sid: "Scale", Actions: []string{"autoscaling:SetDesiredCapacity"}, Resources: []string{Any}}, "statement Scale: action autoscaling:SetDesiredCapacity on resource *"},
		{"reading secrets is no mere look", Statement{Sid: "A", Actions: []string{"secretsmanager:GetSecretValue"}, Resources: []string{Any}}, "on resource *"},
		{"all actions of a service, even scoped", Statement{Sid: "A", Actions: []string{"s3:*"}, Resources: []string{"arn:aws:s3:::b"}}, "spell the actions of s3 out"},
		{"a wildcard that hides writes", Statement{Sid: "A", Actions: []string{"s3:Put*"}, Resources: []string{"arn:aws:s3:::b"}}, "spell the actions of s3 out"},
		{"every action there is", Statement{Sid: "A", Actions: []string{Any}, Resources: []string{"arn:aws:s3:::b"}}, "not of the form service:Action"},
		{"a principal where there is none", Statement{Sid: "A", Principals: []Principal{{"Service", "ec2.amazonaws.com"}}, Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, "names no principal"},
		{"a condition without values would be dropped by AWS", Statement{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: []string{Any}, Conditions: []Condition{{Operator: "StringEquals", Key: "k"}}}, "a condition needs"},
		{"nameless", Statement{Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, "without a Sid"},
	} {
		t.Run(tc.reason, func(t *testing.T) { requireErr(t, CheckIdentity(tc.statement), tc.want) })
	}
}

func TestCheckResource(t *testing.T) {
	everyone := []Principal{{"AWS", Any}}
	tls := []Condition{{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}}}
	for _, tc := range []struct {
		reason    string
		statement Statement
		want      string
	}{
		{"nobody without TLS", Statement{Sid: "A", Deny: true, Principals: everyone, Actions: []string{"s3:*"}, Resources: []string{"arn:aws:s3:::b"}, Conditions: tls}, ""},
		{"a service", Statement{Sid: "A", Principals: []Principal{{"Service", "cloudfront.amazonaws.com"}}, Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, ""},
		{"a public bucket", Statement{Sid: "Read", Principals: everyone, Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, "statement Read: allows everyone"},
		{"about nobody", Statement{Sid: "A", Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/*"}}, "must name its principals"},
	} {
		t.Run(tc.reason, func(t *testing.T) { requireErr(t, CheckResource(tc.statement), tc.want) })
	}
}

func requireErr(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorContains(t, err, want)
}

func TestRender(t *testing.T) {
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
	require.ErrorContains(t, err, "Two", "every error at once")
}
