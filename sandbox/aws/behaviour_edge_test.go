package aws

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

func TestDistributionIsUpdatedInPlaceAndRetained(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createEdgeStack()
	distribution := stack.byName["distribution"]
	news := stack.news["distribution"]
	inOtherOrder := with(news, props{"aliases": []any{"example.com", "www.example.com"}, "origins": []any{news["origins"].([]any)[1], news["origins"].([]any)[0]}})
	ordered := news["orderedCacheBehaviors"].([]any)[0].(props)
	inOtherOrder["orderedCacheBehaviors"] = []any{with(ordered, props{"allowedMethods": []any{"HEAD", "GET"}})}
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(distribution, inOtherOrder).GetChanges(), "the order of a set is not a difference")

	oldETag := distribution.state["etag"]
	changed := with(news, props{"priceClass": "PriceClass_All", "webAclId": nil, "enabled": false})
	require.Empty(t, s.diff(distribution, changed).GetReplaces())
	require.NoError(t, s.update(distribution, changed))
	require.NotEqual(t, oldETag, distribution.state["etag"])
	require.NoError(t, s.delete(stack.byName["acl-of-web"]), "no distribution uses the web ACL any more")

	retained := with(changed, props{"retainOnDelete": true, "enabled": true})
	require.NoError(t, s.update(distribution, retained))
	require.NoError(t, s.delete(distribution))
	require.True(t, s.refresh(distribution), "retainOnDelete keeps the distribution")
	require.Equal(t, false, distribution.state["enabled"], "retainOnDelete disables the distribution")
}

func TestDiffComparesEmptyBlocksOfAWebACL(t *testing.T) {
	s := newSandbox(t, nil)
	acl := s.mustCreate(webACLT, "acl", webACLInputs())
	counting := webACLInputs()
	counting["rules"].([]any)[1].(props)["overrideAction"] = props{"count": props{}}
	require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, s.diff(acl, counting).GetChanges(), "an empty block is a value")
	require.NoError(t, s.update(acl, counting))
	blocking := with(counting, props{"defaultAction": props{"block": props{}}})
	d := s.diff(acl, blocking)
	require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, d.GetChanges())
	require.Empty(t, d.GetReplaces())
	require.NoError(t, s.update(acl, blocking))
	require.Equal(t, props{"block": props{}}, acl.state["defaultAction"])
}

func TestForceDestroyEmptiesABucket(t *testing.T) {
	s := newSandbox(t, nil)
	bucket := s.mustCreate(bucketT, "b", props{"forceDestroy": true})
	s.mustCreate(objectT, "o", props{"bucket": bucket.id, "key": "a/b", "contentBase64": b64("x")})
	s.mustCreate(versioningT, "v", props{"bucket": bucket.id, "versioningConfiguration": props{"status": "Enabled"}})
	require.NoError(t, s.delete(bucket))
	require.Zero(t, s.objectCount(), "objects and settings are deleted with the bucket")
}

// The engine recognizes a changed file by its hash. The etag is computed from the file's
// content.
func TestObjectHasTheContentOfItsFile(t *testing.T) {
	s := newSandbox(t, nil)
	bucket := s.mustCreate(bucketT, "b", nil)
	path := filepath.Join(t.TempDir(), "index.html")
	require.NoError(t, os.WriteFile(path, []byte("hello"), 0o600))
	objectFromFile := func(hash, path string) props {
		return props{"bucket": bucket.id, "key": "index.html", "source": props{
			// Pulumi marks an asset with this key and value.
			"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "hash": hash, "path": path,
		}}
	}
	object := s.mustCreate(objectT, "o", objectFromFile("1", path))
	require.Equal(t, "5d41402abc4b2a76b9719d911017c592", object.state["etag"])
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(object, objectFromFile("1", path)).GetChanges())
	require.True(t, s.refresh(object))
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(object, objectFromFile("1", path)).GetChanges(), "a refresh keeps the asset")
	require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, s.diff(object, objectFromFile("2", path)).GetChanges())
	_, err := s.create(objectT, "gone", with(objectFromFile("1", path+".gone"), props{"key": "gone"}))
	require.ErrorContains(t, err, "no such file")
	_, err = s.create(objectT, "text", props{"bucket": bucket.id, "key": "k", "source": "index.html"})
	require.ErrorContains(t, err, "must be an asset, is a string")
}

func TestAllowOverwriteReplacesARecord(t *testing.T) {
	s := newSandbox(t, nil)
	zone := s.mustCreate(zoneT, "z", props{"name": "example.com", "forceDestroy": true})
	txt := props{"zoneId": zone.id, "name": "a.example.com", "type": "TXT", "ttl": 60, "records": []any{"one"}}
	s.mustCreate(recordT, "one", txt)
	_, err := s.create(recordT, "two", with(txt, props{"name": "A"}))
	require.ErrorContains(t, err, "but it already exists", "a relative name of the same record")
	overwriting := s.mustCreate(recordT, "two", with(txt, props{"name": "A", "records": []any{"two"}, "allowOverwrite": true}))
	require.Equal(t, "a", overwriting.state["name"])
	require.NoError(t, s.update(overwriting, with(txt, props{"name": "A", "records": []any{"three"}, "allowOverwrite": true})))
	require.Equal(t, 4, s.objectCount(), "the zone, its two records, and the TXT record")
	require.NoError(t, s.delete(zone), "forceDestroy deletes the records")
	require.Zero(t, s.objectCount())
}

func TestPrivateZoneIsFoundByItsVPC(t *testing.T) {
	s := newSandbox(t, nil)
	vpc := s.mustCreate(vpcT, "v", props{"cidrBlock": "10.0.0.0/16"})
	in := props{"name": "internal.example", "vpcs": []any{props{"vpcId": vpc.id}}}
	zone := s.mustCreate(zoneT, "z", in)
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(zone, in).GetChanges())
	require.Equal(t, "us-east-1", zone.state["vpcs"].([]any)[0].(props)["vpcRegion"])
	require.ErrorContains(t, s.update(zone, props{"name": "internal.example"}), "PublicZoneVPCAssociation")
	const token = "aws:route53/getZone:getZone"
	_, err := s.invoke(token, props{"name": "internal.example"})
	require.ErrorContains(t, err, "no matching Route 53 Hosted Zone found")
	out, err := s.invoke(token, props{"name": "internal.example.", "vpcId": vpc.id})
	require.NoError(t, err)
	require.Equal(t, zone.id, out["zoneId"])
}

func TestChangesOfTheEdgeUpdateOrReplace(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createEdgeStack()
	for _, row := range []struct {
		reason, name string
		change       props
		replaces     []string
		changes      pulumirpc.DiffResponse_DiffChanges
	}{
		{"ACM adds the domain name to the alternative names itself", "certificate", props{"subjectAlternativeNames": []any{"example.com", "*.example.com"}}, nil, pulumirpc.DiffResponse_DIFF_NONE},
		{"a certificate with one more name", "certificate", props{"subjectAlternativeNames": []any{"a.b.example.com"}}, []string{"subjectAlternativeNames"}, pulumirpc.DiffResponse_DIFF_SOME},
		{"a certificate for another domain", "certificate", props{"domainName": "example.net"}, []string{"domainName", "subjectAlternativeNames"}, pulumirpc.DiffResponse_DIFF_SOME},
		{"the same name in upper case", "www", props{"name": "WWW"}, nil, pulumirpc.DiffResponse_DIFF_NONE},
		{"another record", "www", props{"name": "web"}, []string{"name"}, pulumirpc.DiffResponse_DIFF_SOME},
		{"a zone's name with a dot", "zone", props{"name": "example.com."}, nil, pulumirpc.DiffResponse_DIFF_NONE},
		{"a policy with its keys in another order", "policy", props{"policy": `{"Statement":{"Resource":"` + stack.byName["files"].state["arn"].(string) + `/*","Action":["s3:GetObject"],` +
			`"Principal":{"Service":["cloudfront.amazonaws.com"]},"Effect":"Allow"},"Version":"2012-10-17"}`}, nil, pulumirpc.DiffResponse_DIFF_NONE},
		{"another name replaces a bucket", "files", props{"bucket": "another-name"}, []string{"bucket"}, pulumirpc.DiffResponse_DIFF_SOME},
		{"a longer TTL", "cache", props{"defaultTtl": 120}, nil, pulumirpc.DiffResponse_DIFF_SOME},
		{"another body", "index", props{"content": "bye"}, nil, pulumirpc.DiffResponse_DIFF_SOME},
		{"a function by another name", "function", props{"name": "other"}, []string{"name"}, pulumirpc.DiffResponse_DIFF_SOME},
	} {
		d := s.diff(stack.byName[row.name], with(stack.news[row.name], row.change))
		require.Equal(t, row.changes, d.GetChanges(), "%s: %v", row.reason, d.GetDetailedDiff())
		require.ElementsMatch(t, row.replaces, d.GetReplaces(), row.reason)
	}
	require.False(t, s.diff(stack.byName["certificate"], with(stack.news["certificate"], props{"domainName": "example.net"})).GetDeleteBeforeReplace(),
		"the old certificate is used until the new one is created")
}

// unknownVariants returns copies of the value v. In each copy, a different value is unknown. The
// key of a copy is the path of the unknown value. path is the path of v.
func unknownVariants(v any, path string) map[string]any {
	out := map[string]any{path: wire.Unknown{}}
	switch v := v.(type) {
	case props:
		for name, item := range v {
			for unknownPath, variant := range unknownVariants(item, path+"."+name) {
				out[unknownPath] = with(v, props{name: variant})
			}
		}
	case []any:
		for i, item := range v {
			for unknownPath, variant := range unknownVariants(item, fmt.Sprintf("%s[%d]", path, i)) {
				list := append([]any{}, v...)
				list[i] = variant
				out[unknownPath] = list
			}
		}
	}
	return out
}

// The test previews the creation of each resource many times. Each time, a different value of the
// inputs is unknown.
func TestUnknownValuesAreNotRefused(t *testing.T) {
	s := newSandbox(t, nil)
	for _, stack := range []*testStack{s.createClusterStack(), s.createEdgeStack(), s.createComputeStack()} {
		for _, created := range stack.created {
			for path, in := range unknownVariants(stack.news[created.name], "") {
				if path == "" {
					continue // all inputs together are never unknown
				}
				checked, failures := s.check(created.token, created.name, nil, in.(props))
				require.Empty(t, failures, "%s%s", created.token, path)
				_, err := s.p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(created.token, created.name), Type: created.token, Properties: s.encode(checked), Preview: true})
				require.NoError(t, err, "%s%s", created.token, path)
			}
		}
	}
}

func TestCertificatesStayIssued(t *testing.T) {
	s := newSandbox(t, nil)
	zone := s.mustCreate(zoneT, "z", props{"name": "example.com", "forceDestroy": true})
	certificate := s.createCertificate("example.com", zone)
	waiting := s.createCertificate("www.example.com", zone)
	s.mustCreate(validationT, "v", props{"certificateArn": certificate.id})
	require.NoError(t, s.delete(zone), "the records are deleted too")
	require.True(t, s.refresh(certificate))
	require.Equal(t, "ISSUED", certificate.state["status"], "ACM has seen the record")
	require.True(t, s.refresh(waiting))
	require.Equal(t, "PENDING_VALIDATION", waiting.state["status"], "the validation record was deleted before ACM checked it")

	vpc := s.mustCreate(vpcT, "v", props{"cidrBlock": "10.0.0.0/16"})
	private := s.createCertificate("example.org", s.mustCreate(zoneT, "p", props{"name": "example.org", "vpcs": []any{props{"vpcId": vpc.id}}}))
	require.True(t, s.refresh(private))
	require.Equal(t, "PENDING_VALIDATION", private.state["status"], "ACM does not see private zones")
}

func TestPreviewOfACertificateHasUnknownOutputs(t *testing.T) {
	s := newSandbox(t, nil)
	in, failures := s.check(certificateT, "c", nil, props{"domainName": "example.com", "validationMethod": "DNS"})
	require.Empty(t, failures)
	res, err := s.p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(certificateT, "c"), Type: certificateT, Properties: s.encode(in), Preview: true})
	require.NoError(t, err)
	out := wire.Decode(res.GetProperties())
	for _, name := range []string{"arn", "domainValidationOptions", "status"} {
		require.True(t, wire.IsUnknown(out[name]), "%s is known after the creation", name)
	}
}
