package aws

import (
	"encoding/base64"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

func TestGetAvailabilityZonesAppliesItsFilters(t *testing.T) {
	s := newSandbox(t, nil)
	const token = "aws:index/getAvailabilityZones:getAvailabilityZones"
	for _, row := range []struct {
		reason string
		in     props
		want   []any
	}{
		{"all available zones", props{"state": "available"}, []any{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d", "us-east-1e", "us-east-1f"}},
		{"no unavailable zone", props{"state": "unavailable"}, []any{}},
		{"without excluded zones", props{"excludeNames": []any{"us-east-1e"}, "excludeZoneIds": []any{"use1-az5"}}, []any{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"}},
		{"zones that need no opt-in", props{"filters": []any{props{"name": "opt-in-status", "values": []any{"opt-in-not-required"}}}, "excludeNames": []any{"us-east-1d", "us-east-1e", "us-east-1f"}}, []any{"us-east-1a", "us-east-1b", "us-east-1c"}},
	} {
		out, err := s.invoke(token, row.in)
		require.NoError(t, err, row.reason)
		require.Equal(t, row.want, out["names"], row.reason)
		require.Len(t, out["zoneIds"], len(row.want), row.reason)
	}
	out, err := s.invoke(token, nil)
	require.NoError(t, err)
	require.Equal(t, []any{"us-east-1-zg-1"}, out["groupNames"], "the name of the zone group differs from the name of the region")
	_, err = s.invoke(token, props{"filters": []any{props{"name": "colour", "values": []any{"red"}}}})
	require.ErrorContains(t, err, "colour")
	_, err = s.invoke(token, props{"colour": "red"})
	require.ErrorContains(t, err, "no such property")
	_, err = s.invoke("aws:sqs/getQueue:getQueue", nil)
	require.ErrorContains(t, err, "sandbox/aws/rules/sqs*.go")
}

func TestAuthorizationTokenHasTheRegistryPassword(t *testing.T) {
	s := newSandbox(t, nil)
	out, err := s.invoke("aws:ecr/getAuthorizationToken:getAuthorizationToken", nil)
	require.NoError(t, err)
	require.Equal(t, "AWS", out["userName"])
	require.Equal(t, "secret", out["password"])
	require.Equal(t, base64.StdEncoding.EncodeToString([]byte("AWS:secret")), out["authorizationToken"])
	require.Equal(t, "http://"+s.layout.RegistryAddress(), out["proxyEndpoint"])
	res, err := s.p.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:ecr/getAuthorizationToken:getAuthorizationToken"})
	require.NoError(t, err)
	for _, name := range []string{"password", "authorizationToken"} {
		require.NotNil(t, res.GetReturn().GetFields()[name].GetStructValue().GetFields()["value"], "%s is marked as a secret", name)
	}
	_, err = s.invoke("aws:ecr/getCredentials:getCredentials", props{"registryId": "999999999999"})
	require.ErrorContains(t, err, "AccessDeniedException")
}

func TestPolicyDocumentHasTheFormatOfTheProvider(t *testing.T) {
	s := newSandbox(t, nil)
	const token = "aws:iam/getPolicyDocument:getPolicyDocument"
	out, err := s.invoke(token, props{"statements": []any{
		props{
			"sid": "Read", "actions": []any{"s3:GetObject", "s3:ListBucket"}, "resources": []any{"arn:aws:s3:::b"},
			"conditions": []any{props{"test": "StringEquals", "variable": "aws:PrincipalOrgID", "values": []any{"o-1"}}},
		},
		props{"effect": "Deny", "notActions": []any{"sts:AssumeRole"}, "principals": []any{props{"type": "Service", "identifiers": []any{"ec2.amazonaws.com"}}}},
		props{"actions": []any{"s3:*"}, "principals": []any{props{"type": "*", "identifiers": []any{"*"}}}},
	}})
	require.NoError(t, err)
	require.Equal(t, `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Read",
      "Effect": "Allow",
      "Action": [
        "s3:ListBucket",
        "s3:GetObject"
      ],
      "Resource": "arn:aws:s3:::b",
      "Condition": {
        "StringEquals": {
          "aws:PrincipalOrgID": "o-1"
        }
      }
    },
    {
      "Effect": "Deny",
      "NotAction": "sts:AssumeRole",
      "Principal": {
        "Service": "ec2.amazonaws.com"
      }
    },
    {
      "Effect": "Allow",
      "Action": "s3:*",
      "Principal": "*"
    }
  ]
}`, out["json"])
	merged, err := s.invoke(token, props{
		"sourcePolicyDocuments":   []any{out["json"]},
		"overridePolicyDocuments": []any{`{"Statement":{"Sid":"Read","Effect":"Deny","Action":"s3:GetObject","Resource":"*"}}`},
	})
	require.NoError(t, err)
	require.Contains(t, merged["minifiedJson"], `{"Sid":"Read","Effect":"Deny","Action":"s3:GetObject","Resource":"*"}`, "an override replaces the statement of the same Sid")
	withVariable, err := s.invoke(token, props{"statements": []any{props{
		"actions": []any{"s3:*"}, "resources": []any{"arn:aws:s3:::b/&{aws:username}/*"},
		"conditions": []any{props{"test": "NumericLessThan", "variable": "s3:max-keys", "values": []any{"<10"}}},
	}}})
	require.NoError(t, err)
	require.Contains(t, withVariable["minifiedJson"], `"arn:aws:s3:::b/${aws:username}/*"`, "&{ becomes ${, an IAM variable")
	require.Contains(t, withVariable["minifiedJson"], `"\u003c10"`, "the provider's encoder escapes <")
	for reason, in := range map[string]props{
		"an unknown version":                {"version": "2020-01-01"},
		"variables with version 2008-10-17": {"version": "2008-10-17", "statements": []any{props{"actions": []any{"a:b"}, "resources": []any{"&{aws:username}"}}}},
		"sourceJson, which is deprecated":   {"sourceJson": "{}"},
		"overrideJson, which is deprecated": {"overrideJson": "{}"},
	} {
		_, err := s.invoke(token, in)
		require.Error(t, err, reason)
	}
	for reason, in := range map[string]props{
		"an effect that does not exist": {"effect": "Maybe"},
		"a Sid with a dash":             {"sid": "a-b"},
		"actions and notActions":        {"actions": []any{"a:b"}, "notActions": []any{"a:b"}},
	} {
		_, err := s.invoke(token, props{"statements": []any{in}})
		require.Error(t, err, reason)
	}
}
