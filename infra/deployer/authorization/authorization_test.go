package authorization

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckRefusesStatementsThatAllowNothing(t *testing.T) {
	r, err := Load()
	require.NoError(t, err)
	for _, tc := range []struct{ reason, statement, want string }{
		{"a queue action on a queue", `{"Effect":"Allow","Action":"sqs:CreateQueue","Resource":"arn:aws:sqs:*:123456789012:platform-*"}`, ""},
		{"an action that AWS does not have", `{"Effect":"Allow","Action":"sqs:MakeQueue","Resource":"*"}`, "sqs:MakeQueue: the reference has no such action"},
		{"a queue action on a topic", `{"Effect":"Allow","Action":"sqs:CreateQueue","Resource":"arn:aws:sns:*:123456789012:platform"}`, "every request names a resource arn:*:sqs:"},
		{"an action without a resource", `{"Effect":"Allow","Action":["ecr:GetAuthorizationToken"],"Resource":"arn:aws:ecr:*:123456789012:repository/platform"}`, "only the resource * allows it"},
		{"an action without tags", `{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Project":"a"}}}`, "condition key aws:ResourceTag"},
		{"a tag condition, and one of the two resources has no tags", `{"Effect":"Allow","Action":"kms:CreateAlias","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Project":"a"}}}`, "condition key aws:ResourceTag"},
		{"one of two required resources", `{"Effect":"Allow","Action":"kms:CreateAlias","Resource":"arn:aws:kms:*:123456789012:alias/platform"}`, "every request names a resource arn:*:kms:*:*:key/*"},
		{"a wildcard", `{"Effect":"Allow","Action":"s3:GetBucket*","Resource":"arn:aws:s3:::platform-*"}`, ""},
		{"a wildcard that matches no action", `{"Effect":"Allow","Action":"s3:Fetch*","Resource":"*"}`, "no such action"},
		{"a deny of everything", `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`, ""},
		{"a deny of an action that AWS does not have", `{"Effect":"Deny","Action":"s3:FetchObject","Resource":"*"}`, "no such action"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			err := r.Check([]byte(`{"Statement":[` + tc.statement + `]}`))
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
	require.Error(t, r.Check([]byte(`{}`)))
}

func TestARNsOverlapWithWildcardsInBothPatterns(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a*", "ab", true},
		{"*b", "a*", true},
		{"a*c", "*b*", true},
		{"ab", "a", false},
		{"", "*", true},
		{"a**b", "ab", true},
		{"x*", "*y*z", true},
		{"arn:aws:sqs:*:1:p-*", "arn:*:sqs:*:*:*", true},
		{"arn:aws:sqs:*:1:p-*", "arn:*:sns:*:*:*", false},
	} {
		require.Equal(t, tc.want, arnsOverlap(tc.a, tc.b), "%s %s", tc.a, tc.b)
		require.Equal(t, tc.want, arnsOverlap(tc.b, tc.a), "%s %s", tc.b, tc.a)
	}
}
