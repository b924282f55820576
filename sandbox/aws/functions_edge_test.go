package aws

import (
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/rules"
)

func TestManagedPoliciesAreFoundByNameAndID(t *testing.T) {
	s := newSandbox(t, nil)
	custom := s.mustCreate(cachePolicyT, "custom", with(cachePolicyInputs(), props{"name": "custom"}))
	for token, ids := range map[string]map[string]string{
		"aws:cloudfront/getCachePolicy:getCachePolicy": {
			"Managed-CachingDisabled": cachingDisabled, "Managed-CachingOptimized": "658327ea-f89d-4fab-a63d-7e88639e58f6", "custom": custom.id,
		},
		"aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy": {
			"Managed-AllViewer": "216adef6-5c7f-47e4-b989-5492eafa07d3", "Managed-AllViewerExceptHostHeader": allViewerExceptHost,
		},
	} {
		for name, id := range ids {
			byName, err := s.invoke(token, props{"name": name})
			require.NoError(t, err)
			require.Equal(t, id, byName["id"], name)
			byID, err := s.invoke(token, props{"id": id})
			require.NoError(t, err)
			require.Equal(t, byName, byID)
		}
		_, err := s.invoke(token, props{"name": "Managed-None"})
		require.ErrorContains(t, err, "no matching")
		_, err = s.invoke(token, nil)
		require.ErrorContains(t, err, "exactly one of id and name")
	}
	out, err := s.invoke("aws:cloudfront/getCachePolicy:getCachePolicy", props{"name": "Managed-CachingOptimized"})
	require.NoError(t, err)
	require.InDelta(t, 31536000, out["maxTtl"], 0)
	key := out["parametersInCacheKeyAndForwardedToOrigins"].([]any)[0].(props)
	require.Equal(t, []any{props{"cookieBehavior": "none"}}, key["cookiesConfigs"])
	require.Equal(t, true, key["enableAcceptEncodingGzip"])
	out, err = s.invoke("aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy", props{"name": "Managed-AllViewerExceptHostHeader"})
	require.NoError(t, err)
	require.Equal(t, []any{props{"headerBehavior": "allExcept", "headers": []any{props{"items": []any{"Host"}}}}}, out["headersConfigs"])
}

func TestZoneIsFoundByNameIDAndTags(t *testing.T) {
	s := newSandbox(t, nil)
	const token = "aws:route53/getZone:getZone"
	_, err := s.invoke(token, props{"name": "example.com"})
	require.ErrorContains(t, err, "sandbox aws create Zone")
	zone := s.mustCreate(zoneT, "z", props{"name": "example.com", "tags": props{"for": "a"}})
	for reason, in := range map[string]props{
		"by name": {"name": "example.com"}, "with a dot": {"name": "Example.com."}, "by id": {"zoneId": zone.id}, "by tags": {"name": "example.com", "tags": props{"for": "a"}},
	} {
		out, err := s.invoke(token, in)
		require.NoError(t, err, reason)
		require.Equal(t, zone.id, out["id"], reason)
		require.Equal(t, zone.state["nameServers"], out["nameServers"], reason)
		require.InDelta(t, 2, out["resourceRecordSetCount"], 0, reason)
		require.Equal(t, props{"for": "a"}, out["tags"], reason)
	}
	s.mustCreate(zoneT, "again", props{"name": "example.com"})
	for want, in := range map[string]props{
		"multiple Route 53 Hosted Zones": {"name": "example.com"},
		"no matching":                    {"name": "example.com", "tags": props{"for": "b"}},
		"only one of":                    {"name": "example.com", "zoneId": zone.id},
	} {
		_, err := s.invoke(token, in)
		require.ErrorContains(t, err, want)
	}
}

func TestCreateCommandCreatesObjectsOutsideOfStacks(t *testing.T) {
	s := newSandbox(t, nil)
	s.setEnvironment()
	id, err := s.runCommand("create", "Zone", "name=example.com", "tags.Owner=me")
	require.NoError(t, err)
	out, err := s.invoke("aws:route53/getZone:getZone", props{"name": "example.com"})
	require.NoError(t, err)
	require.Equal(t, id, out["id"].(string)+"\n", "the object exists for every stack")
	require.Equal(t, props{"Owner": "me"}, out["tags"])
	_, err = s.runCommand("create", "Vpc", "cidrBlock=10.0.0.0/16", "--region", "eu-west-1")
	require.NoError(t, err)
	listed, err := s.runCommand("list")
	require.NoError(t, err)
	require.Regexp(t, `eu-west-1\s+aws:ec2/vpc:Vpc`, listed)
	_, err = s.runCommand("create", "BucketV2")
	require.NoError(t, err, "the command generates names too")
	for reason, row := range map[string]struct {
		args []string
		want string // a part of the error's text
	}{
		"an unknown type":             {[]string{"create", "Topic"}, "does not know Topic"},
		"an unknown region":           {[]string{"create", "Vpc", "--region", "mars-1"}, "mars-1"},
		"an argument without a value": {[]string{"create", "Zone", "name"}, "must be PROPERTY=VALUE"},
		"an invalid property":         {[]string{"create", "Zone", "name=-", "colour=red"}, "colour: no such property"},
		"a VPC that does not exist":   {[]string{"create", "Subnet", "vpcId=vpc-0", "cidrBlock=10.0.0.0/24"}, "InvalidVpcID.NotFound"},
	} {
		_, err := s.runCommand(row.args...)
		require.ErrorContains(t, err, row.want, reason)
	}
}

func TestEnsureAccountCreatesEachObjectOnce(t *testing.T) {
	s := newSandbox(t, nil)
	s.setEnvironment()
	var processes sync.WaitGroup
	for range 4 { // the same as several processes that start at the same time
		processes.Go(func() { assert.NoError(t, EnsureAccount(t.Context(), s.layout)) })
	}
	processes.Wait()
	out, err := s.invoke("aws:route53/getZone:getZone", props{"name": rules.Domain})
	require.NoError(t, err)
	require.InDelta(t, 2, out["resourceRecordSetCount"], 0, "the records that every zone has")
	for _, role := range []string{rules.OperatorsRole, rules.DeployerRole} {
		_, err := s.create(roleT, role, props{"name": role, "assumeRolePolicy": podTrust})
		require.ErrorContains(t, err, "EntityAlreadyExists")
	}
	listed, err := s.runCommand("list", "--json")
	require.NoError(t, err)
	require.Equal(t, "[]\n", listed, "the zone and the roles belong to the account, so they are not listed")
}

// The zone, the role and the account in the configuration of the stacks must exist in the
// stand-in.
func TestStackConfigurationUsesObjectsOfTheAccount(t *testing.T) {
	for _, stack := range []string{"staging", "prod"} {
		raw, err := os.ReadFile("../../Pulumi." + stack + ".yaml")
		require.NoError(t, err)
		require.Contains(t, string(raw), "    zone: "+rules.Domain+"\n")
		require.Contains(t, string(raw), ":role/"+rules.OperatorsRole+"]\n")
		require.Contains(t, string(raw), "progressive-framework:account: \""+rules.Account+"\"\n")
	}
}
