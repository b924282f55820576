package aws

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// inRegion returns the same sandbox with a provider for another region, as in a program with
// two providers.
func (s *sandbox) inRegion(region string) *sandbox {
	s.t.Helper()
	other := *s
	other.p = s.newProvider(props{"region": region})
	return &other
}

// The providers of two regions share the global objects. A distribution needs a certificate
// and a web ACL in us-east-1 (Virginia), even if its own provider is in another region.
func TestRegionalObjectsExistOnlyInTheirRegion(t *testing.T) {
	virginia := newSandbox(t, nil)
	frankfurt := virginia.inRegion("eu-central-1")
	zone := frankfurt.mustCreate(zoneT, "zone", props{"name": "example.com"})

	frankfurtCertificate, virginiaCertificate := frankfurt.createCertificate("example.com", zone), virginia.createCertificate("example.com", zone)
	require.Contains(t, frankfurtCertificate.id, ":eu-central-1:")
	require.Contains(t, virginiaCertificate.id, ":us-east-1:")
	require.Equal(t, frankfurtCertificate.state["domainValidationOptions"], virginiaCertificate.state["domainValidationOptions"], "both regions require the same record")
	require.False(t, virginia.refresh(frankfurtCertificate), "a certificate exists only in its region")
	require.True(t, frankfurt.refresh(frankfurtCertificate))

	_, err := frankfurt.create(webACLT, "acl", webACLInputs())
	require.ErrorContains(t, err, "The scope is not valid", "web ACLs of CloudFront are created in Virginia")
	acl := virginia.mustCreate(webACLT, "acl", webACLInputs())

	distributionWith := func(certificate *resource) props {
		return distributionInputs(props{
			"aliases": []any{"example.com"}, "webAclId": acl.state["arn"],
			"viewerCertificate": props{"acmCertificateArn": certificate.id, "sslSupportMethod": "sni-only"},
		})
	}
	_, err = frankfurt.create(distributionT, "edge", distributionWith(frankfurtCertificate))
	require.ErrorContains(t, err, "isn't in us-east-1 region")
	distribution := frankfurt.mustCreate(distributionT, "edge", distributionWith(virginiaCertificate))
	require.True(t, virginia.refresh(distribution), "a distribution exists in all regions")

	require.ErrorContains(t, virginia.delete(virginiaCertificate), "ResourceInUseException", "in use by an object of another region's provider")
	require.ErrorContains(t, virginia.delete(acl), "WAFAssociatedItemException")
	require.NoError(t, frankfurt.delete(frankfurtCertificate))
	require.NoError(t, frankfurt.delete(distribution))
	require.NoError(t, virginia.delete(virginiaCertificate))
	require.NoError(t, virginia.delete(acl))

	// A regional object exists only in its region. A global object exists in all regions.
	vpc := frankfurt.mustCreate(vpcT, "v", props{"cidrBlock": "10.0.0.0/16"})
	_, err = virginia.create(subnetT, "s", props{"vpcId": vpc.id, "cidrBlock": "10.0.0.0/24"})
	require.ErrorContains(t, err, "InvalidVpcID.NotFound")
	found, err := virginia.invoke("aws:route53/getZone:getZone", props{"name": "example.com"})
	require.NoError(t, err)
	require.Equal(t, zone.id, found["zoneId"])
	role := virginia.mustCreate(roleT, "r", props{"assumeRolePolicy": eksTrust})
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
