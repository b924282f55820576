package aws

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// in returns the same sandbox with a provider of another region, as a program with
// two providers has it.
func (s *sandbox) in(region string) *sandbox {
	s.t.Helper()
	other := *s
	other.p = s.provider(props{"region": region})
	return &other
}

// TestTwoRegions creates resources in two regions that refer to one another.
func TestTwoRegions(t *testing.T) {
	virginia := newSandbox(t, nil)
	frankfurt := virginia.in("eu-central-1")
	zone := frankfurt.must(zoneT, "zone", props{"name": "example.com"})

	near, far := frankfurt.issue("example.com", zone), virginia.issue("example.com", zone)
	require.Contains(t, near.id, ":eu-central-1:")
	require.Contains(t, far.id, ":us-east-1:")
	require.Equal(t, near.state["domainValidationOptions"], far.state["domainValidationOptions"], "both regions ask for the same record")
	require.False(t, virginia.refresh(near), "a certificate belongs to its region")
	require.True(t, frankfurt.refresh(near))

	_, err := frankfurt.create(webACLT, "acl", webACL())
	require.ErrorContains(t, err, "The scope is not valid", "web ACLs of CloudFront live in Virginia")
	acl := virginia.must(webACLT, "acl", webACL())

	edge := func(certificate *resource) props {
		return distribution(props{
			"aliases": []any{"example.com"}, "webAclId": acl.state["arn"],
			"viewerCertificate": props{"acmCertificateArn": certificate.id, "sslSupportMethod": "sni-only"},
		})
	}
	_, err = frankfurt.create(distributionT, "edge", edge(near))
	require.ErrorContains(t, err, "isn't in us-east-1 region")
	created := frankfurt.must(distributionT, "edge", edge(far))
	require.True(t, virginia.refresh(created), "a distribution belongs to no region")

	require.ErrorContains(t, virginia.delete(far), "ResourceInUseException", "in use by an object of another region's provider")
	require.ErrorContains(t, virginia.delete(acl), "WAFAssociatedItemException")
	require.NoError(t, frankfurt.delete(near))
	require.NoError(t, frankfurt.delete(created))
	require.NoError(t, virginia.delete(far))
	require.NoError(t, virginia.delete(acl))

	// A regional object exists in its region only, a global one in all of them.
	vpc := frankfurt.must(vpcT, "v", props{"cidrBlock": "10.0.0.0/16"})
	_, err = virginia.create(subnetT, "s", props{"vpcId": vpc.id, "cidrBlock": "10.0.0.0/24"})
	require.ErrorContains(t, err, "InvalidVpcID.NotFound")
	found, err := virginia.invoke("aws:route53/getZone:getZone", props{"name": "example.com"})
	require.NoError(t, err)
	require.Equal(t, zone.id, found["zoneId"])
	role := virginia.must(roleT, "r", props{"assumeRolePolicy": eksTrust})
	require.True(t, frankfurt.refresh(role))
	region, err := frankfurt.invoke("aws:index/getRegion:getRegion", nil)
	require.NoError(t, err)
	require.Equal(t, "eu-central-1", region["name"])
	require.NoError(t, virginia.p.store.View(t.Context(), func(tx *store.Tx) error {
		for _, o := range tx.All() {
			want := map[string]string{vpcT: "eu-central-1", zoneT: store.Global, recordT: store.Global, roleT: store.Global}[o.Type]
			if want != "" {
				require.Equal(t, want, o.Region, o.Type)
			}
		}
		return nil
	}))
}
