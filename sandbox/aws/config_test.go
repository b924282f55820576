package aws

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

func TestProviderConfigIsChecked(t *testing.T) {
	s := newSandbox(t, nil)
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	for _, row := range []struct {
		reason string
		in     props
		want   string // a part of the failure's text; empty if there is no failure
	}{
		{"a stack's configuration is text", props{"region": "us-east-1", "allowedAccountIds": `["111122223333"]`, "skipMetadataApiCheck": "true", "maxRetries": "3", "version": "6.83.2"}, ""},
		{"provider arguments of an SDK are text too", props{"region": "eu-west-1", "defaultTags": `{"tags":{"a":"b"}}`, "profile": "p"}, ""},
		{"no region", props{}, `region: ""`},
		{"a region that the stand-in does not support", props{"region": "mars-north-1"}, "mars-north-1"},
		{"keys of a real account", props{"region": "us-east-1", "accessKey": "x"}, "accessKey: the AWS stand-in does not accept this key"},
		{"a role of a real account", props{"region": "us-east-1", "assumeRole": `{"roleArn":"arn:aws:iam::111122223333:role/deployer"}`}, "AWS account ID not allowed"},
		{"a role of the account", props{"region": "us-east-1", "assumeRole": `{"roleArn":"arn:aws:iam::123456789012:role/deployer"}`}, ""},
		{"a role with an external ID", props{"region": "us-east-1", "assumeRole": `{"roleArn":"arn:aws:iam::123456789012:role/deployer","externalId":"x"}`}, "assumeRole.externalId"},
		{"a typo", props{"region": "us-east-1", "regoin": "x"}, "no such key"},
		{"a wrong type", props{"region": "us-east-1", "maxRetries": "many"}, "maxRetries: must be a number"},
		{"a forbidden account", props{"region": "us-east-1", "forbiddenAccountIds": `["123456789012"]`}, "not allowed"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			res, err := s.p.CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: s.encode(row.in)})
			require.NoError(t, err)
			_, configureErr := s.p.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: s.encode(row.in)})
			if row.want == "" {
				require.Empty(t, res.GetFailures())
				require.NoError(t, configureErr)
				return
			}
			require.Len(t, res.GetFailures(), 1)
			require.Contains(t, res.GetFailures()[0].GetReason(), row.want)
			require.ErrorContains(t, configureErr, row.want)
		})
	}
}

func TestProviderUsesRegionOfTheEnvironment(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-north-1")
	s := newSandbox(t, props{"skipRegionValidation": true})
	out, err := s.invoke("aws:index/getRegion:getRegion", nil)
	require.NoError(t, err)
	require.Equal(t, "eu-north-1", out["name"])
}

func TestProviderUsesFirstAllowedAccount(t *testing.T) {
	s := newSandbox(t, props{"region": "us-east-1", "allowedAccountIds": `["111122223333"]`})
	out, err := s.invoke("aws:index/getCallerIdentity:getCallerIdentity", nil)
	require.NoError(t, err)
	require.Equal(t, "111122223333", out["accountId"])
	vpc := s.mustCreate(vpcT, "v", props{"cidrBlock": "10.0.0.0/16"})
	require.Contains(t, vpc.state["arn"], ":111122223333:")
}

func TestAnotherRegionReplacesTheProvider(t *testing.T) {
	s := newSandbox(t, nil)
	diff := func(olds, news props) *pulumirpc.DiffResponse {
		res, err := s.p.DiffConfig(t.Context(), &pulumirpc.DiffRequest{Olds: s.encode(olds), News: s.encode(news)})
		require.NoError(t, err)
		return res
	}
	configIn := func(region string) props { return props{"region": region} }
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, diff(configIn("us-east-1"), configIn("us-east-1")).GetChanges())
	require.Equal(t, []string{"region"}, diff(configIn("us-east-1"), configIn("eu-west-1")).GetReplaces(), "another region replaces the provider")
	tagged := diff(configIn("us-east-1"), props{"region": "us-east-1", "defaultTags": `{"tags":{"a":"b"}}`})
	require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, tagged.GetChanges())
	require.Empty(t, tagged.GetReplaces(), "other tags replace nothing")
}

func TestCheckFailsBeforeConfigure(t *testing.T) {
	_, err := (&provider{}).Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn(vpcT, "v")})
	require.ErrorContains(t, err, "not configured")
}
