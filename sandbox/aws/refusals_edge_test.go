package aws

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// edgeFixture has resources for the tests of S3, CloudFront, ACM, Route 53 and AWS WAF.
type edgeFixture struct {
	s                        *sandbox
	bucket, logs             *resource // buckets; only logs has an ACL
	zone                     *resource // the hosted zone example.com
	certificate              *resource // an issued certificate for example.com and *.example.com
	pendingCertificate       *resource // a certificate that is not issued
	s3Control, lambdaControl *resource // origin access controls for S3 and for Lambda
	unpublishedFunction      *resource
	distribution             *resource // has the alias taken.example.com
}

// newEdgeFixture creates a sandbox with the resources of an edgeFixture. It also creates
// far-bucket, a bucket in another region.
func newEdgeFixture(t *testing.T) *edgeFixture {
	s := newSandbox(t, nil)
	f := &edgeFixture{s: s}
	f.bucket = s.mustCreate(bucketT, "bucket", props{"bucket": "main-bucket"})
	s.inRegion("eu-central-1").mustCreate(bucketT, "far", props{"bucket": "far-bucket"})
	f.logs = s.mustCreate(bucketT, "logs", nil)
	s.mustCreate(ownershipT, "logs", props{"bucket": f.logs.id, "rule": props{"objectOwnership": "ObjectWriter"}})
	s.mustCreate(bucketACLT, "logs", props{"bucket": f.logs.id, "acl": "log-delivery-write"})
	f.zone = s.mustCreate(zoneT, "zone", props{"name": "example.com"})
	f.pendingCertificate = s.mustCreate(certificateT, "pending", props{"domainName": "pending.example.org", "validationMethod": "DNS"})
	f.certificate = s.createCertificate("example.com", f.zone, "*.example.com")
	f.s3Control = s.mustCreate(originAccessControlT, "control", props{"name": "taken", "originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"})
	f.lambdaControl = s.mustCreate(originAccessControlT, "lambda", props{"originAccessControlOriginType": "lambda", "signingBehavior": "always", "signingProtocol": "sigv4"})
	f.unpublishedFunction = s.mustCreate(functionT, "draft", props{"runtime": "cloudfront-js-2.0", "code": "x", "publish": false})
	f.distribution = s.mustCreate(distributionT, "distribution", distributionInputs(props{
		"aliases":           []any{"taken.example.com"},
		"viewerCertificate": props{"acmCertificateArn": f.certificate.id, "sslSupportMethod": "sni-only"},
	}))
	return f
}

// createCertificate creates a certificate for a domain name and its alternative names, and
// the validation record of the domain name.
func (s *sandbox) createCertificate(name string, zone *resource, alternatives ...any) *resource {
	s.t.Helper()
	certificate := s.mustCreate(certificateT, "of-"+strings.ReplaceAll(name, ".", "-"), props{
		"domainName": name, "validationMethod": "DNS", "subjectAlternativeNames": alternatives,
	})
	record := certificate.state["domainValidationOptions"].([]any)[0].(props)
	s.mustCreate(recordT, "proof-of-"+name, props{
		"zoneId": zone.id, "name": record["resourceRecordName"], "type": "CNAME", "ttl": 60, "records": []any{record["resourceRecordValue"]},
		"allowOverwrite": true,
	})
	return certificate
}

// refusal is the creation of a resource that the stand-in must refuse.
type refusal struct {
	reason string // why AWS refuses it
	token  string
	in     props
	want   string // a part of the error's text
}

// requireRefusals asserts that each creation is refused. A refused creation stores
// nothing, so all rows can use the same fixture.
func (s *sandbox) requireRefusals(rows []refusal) {
	s.t.Helper()
	for _, row := range rows {
		s.t.Run(row.reason, func(t *testing.T) {
			before := s.objectCount()
			_, err := s.create(row.token, "refused", row.in)
			require.ErrorContains(t, err, row.want)
			require.Equal(t, before, s.objectCount(), "a refused creation stores nothing")
		})
	}
}

func TestS3Refusals(t *testing.T) {
	f := newEdgeFixture(t)
	policy := func(change props) props {
		return props{"bucket": f.bucket.id, "policy": props{"Version": "2012-10-17", "Statement": []any{with(props{
			"Effect": "Allow", "Principal": props{"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::main-bucket/*",
		}, change)}}}
	}
	rule := func(change props) props {
		return props{"bucket": f.bucket.id, "rules": []any{with(props{"id": "r", "status": "Enabled", "filter": props{}, "expiration": props{"days": 1}}, change)}}
	}
	encryption := func(method props) props {
		return props{"bucket": f.bucket.id, "rules": []any{props{"applyServerSideEncryptionByDefault": method}}}
	}
	f.s.requireRefusals([]refusal{
		{"a name in capitals", bucketT, props{"bucket": "Main"}, "lower-case letters"},
		{"a short name", bucketT, props{"bucket": "ab"}, "must have 3 to 63"},
		{"an IP address as the name", bucketT, props{"bucket": "192.168.0.1"}, "can't be an IP address"},
		{"a suffix that S3 reserves", bucketT, props{"bucket": "a-s3alias"}, "which S3 reserves"},
		{"a prefix that S3 reserves", bucketT, props{"bucket": "xn--a"}, "can't begin with xn--"},
		{"the name of another bucket of the account", bucketT, props{"bucket": "main-bucket"}, "BucketAlreadyOwnedByYou"},
		{"the name of a bucket in another region", bucketT, props{"bucket": "far-bucket"}, "BucketAlreadyOwnedByYou"},
		{"an ACL as a property of the bucket", bucketT, props{"acl": "private"}, "use the separate resource"},
		{"a bucket that does not exist", publicAccessBlockT, props{"bucket": "none"}, "NoSuchBucket"},
		{"a bucket of another region", publicAccessBlockT, props{"bucket": "far-bucket"}, "PermanentRedirect"},
		{"an ACL for a bucket without ACLs", bucketACLT, props{"bucket": f.bucket.id, "acl": "private"}, "AccessControlListNotSupported"},
		{"ownership BucketOwnerEnforced for a bucket with an ACL", ownershipT, props{"bucket": f.logs.id, "rule": props{"objectOwnership": "BucketOwnerEnforced"}}, "InvalidBucketAclWithObjectOwnership"},
		{"a policy with another bucket as its resource", bucketPolicyT, policy(props{"Resource": "arn:aws:s3:::other/*"}), "Policy has invalid resource"},
		{"a policy with * as its resource", bucketPolicyT, policy(props{"Resource": "*"}), "Policy has invalid resource"},
		{"a bucket policy with an action of KMS", bucketPolicyT, policy(props{"Action": "kms:Decrypt"}), "Policy has invalid action"},
		{"a policy without a principal", bucketPolicyT, policy(props{"Principal": nil}), "has no Principal"},
		{"a role that does not exist", bucketPolicyT, policy(props{"Principal": props{"AWS": "arn:aws:iam::123456789012:role/none"}}), "Invalid principal in policy"},
		{"a public policy for a new bucket", bucketPolicyT, policy(props{"Principal": "*"}), "AccessDenied"},
		{"a policy that is not JSON", bucketPolicyT, props{"bucket": f.bucket.id, "policy": "{"}, "is not valid JSON"},
		{"a versioning status that does not exist", versioningT, props{"bucket": f.bucket.id, "versioningConfiguration": props{"status": "On"}}, "one of Enabled, Suspended, Disabled"},
		{"a key without KMS", encryptionT, encryption(props{"sseAlgorithm": "AES256", "kmsMasterKeyId": "alias/x"}), "needs the sseAlgorithm aws:kms"},
		{"an encryption algorithm that does not exist", encryptionT, encryption(props{"sseAlgorithm": "rot13"}), "one of AES256"},
		{"logs to a bucket that does not exist", bucketLogT, props{"bucket": f.bucket.id, "targetBucket": "none", "targetPrefix": ""}, "InvalidTargetBucketForLogging"},
		{"logs to another region", bucketLogT, props{"bucket": f.bucket.id, "targetBucket": "far-bucket", "targetPrefix": ""}, "CrossLocationLoggingProhibited"},
		{"two formats of log keys", bucketLogT, props{"bucket": f.bucket.id, "targetBucket": f.logs.id, "targetPrefix": "", "targetObjectKeyFormat": props{}}, "exactly one of simplePrefix"},
		{"a lifecycle rule without an action", bucketLifecycleT, rule(props{"expiration": nil}), "At least one action"},
		{"a lifecycle rule without a filter", bucketLifecycleT, rule(props{"filter": nil}), "filter: a required property is missing"},
		{"a filter of two conditions", bucketLifecycleT, rule(props{"filter": props{"prefix": "a", "objectSizeGreaterThan": 1}}), "may have one"},
		{"an expiration by days and by date", bucketLifecycleT, rule(props{"expiration": props{"days": 1, "date": "2030-01-01T00:00:00Z"}}), "exactly one of date"},
		{"an expiration after 0 days", bucketLifecycleT, rule(props{"expiration": props{"days": 0}}), "must be 1"},
		{"a transition to STANDARD_IA after 7 days", bucketLifecycleT, rule(props{"transitions": []any{props{"days": 7, "storageClass": "STANDARD_IA"}}}), "must be 30 or more"},
		{"a tag filter for incomplete uploads", bucketLifecycleT, rule(props{"filter": props{"tag": props{"key": "a", "value": "b"}}, "abortIncompleteMultipartUpload": props{"daysAfterInitiation": 1}}), "filter.tag"},
		{"two rules with the same id", bucketLifecycleT, props{"bucket": f.bucket.id, "rules": []any{rule(nil)["rules"].([]any)[0], rule(nil)["rules"].([]any)[0]}}, "the id of another rule"},
		{"an object with two contents", objectT, props{"bucket": f.bucket.id, "key": "k", "content": "a", "contentBase64": "YQ=="}, "can't be given together"},
		{"an object with more tags than S3 allows", objectT, props{"bucket": f.bucket.id, "key": "k", "content": "a", "tags": props{
			"1": "", "2": "", "3": "", "4": "", "5": "", "6": "", "7": "", "8": "", "9": "", "10": "", "11": "",
		}}, "11 tags with the provider's default tags; AWS allows 10"},
		{"an object without a key", objectT, props{"bucket": f.bucket.id}, "key: a required property is missing"},
	})
	versioning := f.s.mustCreate(versioningT, "v", props{"bucket": f.bucket.id, "versioningConfiguration": props{"status": "Enabled"}})
	err := f.s.update(versioning, props{"bucket": f.bucket.id, "versioningConfiguration": props{"status": "Disabled"}})
	require.ErrorContains(t, err, "cannot be updated from 'Enabled' to 'Disabled'", "versioning can only be suspended")
}

func TestCertificateAndRecordRefusals(t *testing.T) {
	f := newEdgeFixture(t)
	certificate := func(change props) props {
		return with(props{"domainName": "a.example.com", "validationMethod": "DNS"}, change)
	}
	record := func(change props) props {
		return with(props{"zoneId": f.zone.id, "name": "www", "type": "A", "ttl": 60, "records": []any{"192.0.2.1"}}, change)
	}
	alias := func(recordType, target, targetZone string, evaluateHealth bool) props {
		return props{"zoneId": f.zone.id, "name": "www", "type": recordType, "aliases": []any{props{"name": target, "zoneId": targetZone, "evaluateTargetHealth": evaluateHealth}}}
	}
	distributionDomain := f.distribution.state["domainName"].(string)
	validationRecordName := f.pendingCertificate.state["domainValidationOptions"].([]any)[0].(props)["resourceRecordName"].(string)
	f.s.mustCreate(recordT, "cname", record(props{"name": "alias", "type": "CNAME", "records": []any{"example.net"}}))
	f.s.requireRefusals([]refusal{
		{"a domain name with a dot at the end", certificateT, certificate(props{"domainName": "example.com."}), "without a dot at its end"},
		{"a wildcard in the middle", certificateT, certificate(props{"domainName": "a.*.example.com"}), "a domain name"},
		{"a name too long for a certificate", certificateT, certificate(props{"domainName": strings.Repeat("a", 60) + ".example.com"}), "must have 1 to 64"},
		{"validation by mail", certificateT, certificate(props{"validationMethod": "EMAIL"}), "one of DNS"},
		{"no validation", certificateT, certificate(props{"validationMethod": nil}), "validationMethod: a required property is missing"},
		{"an imported certificate", certificateT, certificate(props{"privateKey": "x"}), "request one with domainName"},
		{"a record that is not the certificate's", validationT, props{"certificateArn": f.pendingCertificate.id, "validationRecordFqdns": []any{"x.example.org"}}, "missing pending.example.org DNS validation record"},
		{"a record that does not exist", validationT, props{"certificateArn": f.pendingCertificate.id, "validationRecordFqdns": []any{validationRecordName}}, "no public hosted zone has " + validationRecordName},
		{"a certificate that does not exist", validationT, props{"certificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/none"}, "ResourceNotFoundException"},
		{"a zone without a name", zoneT, props{}, "name: a required property is missing"},
		{"a VPC that does not exist", zoneT, props{"name": "internal.example", "vpcs": []any{props{"vpcId": "vpc-0"}}}, "InvalidVPCId"},
		{"a zone that does not exist", recordT, record(props{"zoneId": "Z0"}), "NoSuchHostedZone"},
		{"a record type that does not exist", recordT, record(props{"type": "B"}), "must be one of"},
		{"a domain name in an A record", recordT, record(props{"records": []any{"example.net"}}), "is no address"},
		{"an IPv4 address in an AAAA record", recordT, record(props{"type": "AAAA"}), "is no address"},
		{"records without a TTL", recordT, record(props{"ttl": nil}), "together with ttl"},
		{"neither records nor an alias", recordT, record(props{"records": nil, "ttl": nil}), "exactly one of records, aliases"},
		{"a CNAME record with two values", recordT, record(props{"type": "CNAME", "records": []any{"a.example.net", "b.example.net"}}), "a CNAME has one"},
		{"a CNAME record for the zone's own name", recordT, record(props{"name": "example.com", "type": "CNAME", "records": []any{"example.net"}}), "not permitted at apex"},
		{"a record with the name of a CNAME record", recordT, record(props{"name": "alias"}), "conflicting RRSet of type CNAME"},
		{"the NS record that the zone already has", recordT, record(props{"name": "example.com", "type": "NS", "records": []any{"ns.example.net"}}), "but it already exists"},
		{"a routing policy", recordT, record(props{"setIdentifier": "a"}), "routing policies"},
		{"an alias to a record that does not exist", recordT, alias("A", "none.example.com", f.zone.id, false), "but that target was not found"},
		{"an alias to a distribution that does not exist", recordT, alias("A", "d0.cloudfront.net", cloudfrontZone, false), "but that target was not found"},
		{"an alias to a record of another zone", recordT, alias("A", "www.example.net", cloudfrontZone, false), "does not lie within the target zone"},
		{"evaluateTargetHealth for CloudFront", recordT, alias("A", distributionDomain, cloudfrontZone, true), "EvaluateTargetHealth"},
		{"a TXT alias to a distribution", recordT, alias("TXT", distributionDomain, cloudfrontZone, false), "can't be an alias to a CloudFront distribution"},
	})
}

func TestWebACLRefusals(t *testing.T) {
	s := newSandbox(t, nil)
	rule := func(change props) props {
		return with(webACLInputs(), props{"rules": []any{with(managedRule("AWSManagedRulesCommonRuleSet", 0), change)}})
	}
	rate := func(change props) props {
		return rule(props{"overrideAction": nil, "action": props{"block": props{}}, "statement": props{"rateBasedStatement": with(props{"limit": 100}, change)}})
	}
	s.mustCreate(webACLT, "taken", with(webACLInputs(), props{"name": "taken"}))
	s.requireRefusals([]refusal{
		{"a regional web ACL, which the stand-in does not have", webACLT, with(webACLInputs(), props{"scope": "REGIONAL"}), "one of CLOUDFRONT"},
		{"a name that is in use", webACLT, with(webACLInputs(), props{"name": "taken"}), "WAFDuplicateItemException"},
		{"allow and block as the default action", webACLT, with(webACLInputs(), props{"defaultAction": props{"allow": props{}, "block": props{}}}), "exactly one must be given"},
		{"an action for a managed rule group", webACLT, rule(props{"action": props{"block": props{}}}), "use overrideAction"},
		{"a managed rule group without overrideAction", webACLT, rule(props{"overrideAction": nil}), "exactly one must be given"},
		{"overrideAction for a rate-based rule", webACLT, with(rate(nil), props{"rules": []any{with(rate(nil)["rules"].([]any)[0].(props), props{"overrideAction": props{"none": props{}}})}}), "use action"},
		{"a managed rule group that does not exist", webACLT, rule(props{"statement": props{"managedRuleGroupStatement": props{"vendorName": "AWS", "name": "Mine"}}}), "must be one of"},
		{"a statement that the stand-in does not support", webACLT, rule(props{"statement": props{"geoMatchStatement": props{"countryCodes": []any{"DE"}}}}), "only managed rule groups"},
		{"a low rate", webACLT, rate(props{"limit": 5}), "must be 10"},
		{"an evaluation window that is not allowed", webACLT, rate(props{"evaluationWindowSec": 30}), "must be one of [60 120 300 600]"},
		{"two rules with the same priority", webACLT, with(webACLInputs(), props{"rules": []any{managedRule("AWSManagedRulesCommonRuleSet", 1), managedRule("AWSManagedRulesKnownBadInputsRuleSet", 1)}}), "is 1, which is also the priority of another rule"},
		{"a metric with a space", webACLT, with(webACLInputs(), props{"visibilityConfig": visibilityConfig("a b")}), "letters, digits"},
	})
}
