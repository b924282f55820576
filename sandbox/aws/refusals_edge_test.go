package aws

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// edgeWorld are things that the rows of the edge's tables refer to.
type edgeWorld struct {
	s                                    *sandbox
	bucket, far, logs, zone              *thing
	pending, certificate                 *thing
	control, lambda, draft, distribution *thing
}

func newEdgeWorld(t *testing.T) *edgeWorld {
	s := newSandbox(t, nil)
	w := &edgeWorld{s: s}
	w.bucket = s.must(bucketT, "bucket", props{"bucket": "main-bucket"})
	w.far = s.in("eu-central-1").must(bucketT, "far", props{"bucket": "far-bucket"})
	w.logs = s.must(bucketT, "logs", nil)
	s.must(ownershipT, "logs", props{"bucket": w.logs.id, "rule": props{"objectOwnership": "ObjectWriter"}})
	s.must(bucketACLT, "logs", props{"bucket": w.logs.id, "acl": "log-delivery-write"})
	w.zone = s.must(zoneT, "zone", props{"name": "example.com"})
	w.pending = s.must(certificateT, "pending", props{"domainName": "pending.example.org", "validationMethod": "DNS"})
	w.certificate = s.issue("example.com", w.zone, "*.example.com")
	w.control = s.must(controlT, "control", props{"name": "taken", "originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"})
	w.lambda = s.must(controlT, "lambda", props{"originAccessControlOriginType": "lambda", "signingBehavior": "always", "signingProtocol": "sigv4"})
	w.draft = s.must(functionT, "draft", props{"runtime": "cloudfront-js-2.0", "code": "x", "publish": false})
	w.distribution = s.must(distributionT, "distribution", distribution(props{
		"aliases":           []any{"taken.example.com"},
		"viewerCertificate": props{"acmCertificateArn": w.certificate.id, "sslSupportMethod": "sni-only"},
	}))
	return w
}

// issue makes a certificate and the record that proves it.
func (s *sandbox) issue(name string, zone *thing, others ...any) *thing {
	s.t.Helper()
	certificate := s.must(certificateT, "of-"+strings.ReplaceAll(name, ".", "-"), props{
		"domainName": name, "validationMethod": "DNS", "subjectAlternativeNames": others,
	})
	asked := certificate.state["domainValidationOptions"].([]any)[0].(props)
	s.must(recordT, "proof-of-"+name, props{
		"zoneId": zone.id, "name": asked["resourceRecordName"], "type": "CNAME", "ttl": 60, "records": []any{asked["resourceRecordValue"]},
		"allowOverwrite": true,
	})
	return certificate
}

type refusal struct {
	reason, token string // why AWS refuses, and what
	in            props
	want          string // what the error says
}

func (s *sandbox) refuses(list []refusal) {
	s.t.Helper()
	before := s.count()
	for _, row := range list {
		_, err := s.create(row.token, "x", row.in)
		require.ErrorContains(s.t, err, row.want, row.reason)
	}
	require.Equal(s.t, before, s.count(), "a refused creation leaves nothing")
}

func TestRefusalsOfS3(t *testing.T) {
	w := newEdgeWorld(t)
	policy := func(change props) props {
		return props{"bucket": w.bucket.id, "policy": props{"Version": "2012-10-17", "Statement": []any{with(props{
			"Effect": "Allow", "Principal": props{"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::main-bucket/*",
		}, change)}}}
	}
	rule := func(change props) props {
		return props{"bucket": w.bucket.id, "rules": []any{with(props{"id": "r", "status": "Enabled", "filter": props{}, "expiration": props{"days": 1}}, change)}}
	}
	encrypted := func(by props) props {
		return props{"bucket": w.bucket.id, "rules": []any{props{"applyServerSideEncryptionByDefault": by}}}
	}
	w.s.refuses([]refusal{
		{"a name in capitals", bucketT, props{"bucket": "Main"}, "lower-case letters"},
		{"a short name", bucketT, props{"bucket": "ab"}, "must have 3 to 63"},
		{"an address", bucketT, props{"bucket": "192.168.0.1"}, "can't be an IP address"},
		{"a name that S3 keeps", bucketT, props{"bucket": "a-s3alias"}, "which S3 keeps for itself"},
		{"a prefix that S3 keeps", bucketT, props{"bucket": "xn--a"}, "can't begin with xn--"},
		{"a bucket that is there", bucketT, props{"bucket": "main-bucket"}, "BucketAlreadyOwnedByYou"},
		{"names are unique over all regions", bucketT, props{"bucket": "far-bucket"}, "BucketAlreadyOwnedByYou"},
		{"settings have resources of their own", bucketT, props{"acl": "private"}, "a resource of its own sets it"},
		{"a bucket that does not exist", publicT, props{"bucket": "none"}, "NoSuchBucket"},
		{"a bucket of another region", publicT, props{"bucket": "far-bucket"}, "PermanentRedirect"},
		{"ACLs are off unless asked for", bucketACLT, props{"bucket": w.bucket.id, "acl": "private"}, "AccessControlListNotSupported"},
		{"an ACL keeps ownership open", ownershipT, props{"bucket": w.logs.id, "rule": props{"objectOwnership": "BucketOwnerEnforced"}}, "InvalidBucketAclWithObjectOwnership"},
		{"a policy about another bucket", bucketPolicyT, policy(props{"Resource": "arn:aws:s3:::other/*"}), "Policy has invalid resource"},
		{"a policy about everything", bucketPolicyT, policy(props{"Resource": "*"}), "Policy has invalid resource"},
		{"a bucket knows S3 alone", bucketPolicyT, policy(props{"Action": "kms:Decrypt"}), "Policy has invalid action"},
		{"a policy without a principal", bucketPolicyT, policy(props{"Principal": nil}), "has no Principal"},
		{"a role that does not exist", bucketPolicyT, policy(props{"Principal": props{"AWS": "arn:aws:iam::123456789012:role/none"}}), "Invalid principal in policy"},
		{"new buckets block the public", bucketPolicyT, policy(props{"Principal": "*"}), "AccessDenied"},
		{"no JSON", bucketPolicyT, props{"bucket": w.bucket.id, "policy": "{"}, "is not valid JSON"},
		{"no such status", versioningT, props{"bucket": w.bucket.id, "versioningConfiguration": props{"status": "On"}}, "one of Enabled, Suspended, Disabled"},
		{"a key without KMS", encryptionT, encrypted(props{"sseAlgorithm": "AES256", "kmsMasterKeyId": "alias/x"}), "needs the sseAlgorithm aws:kms"},
		{"no such algorithm", encryptionT, encrypted(props{"sseAlgorithm": "rot13"}), "one of AES256"},
		{"logs to nowhere", bucketLogT, props{"bucket": w.bucket.id, "targetBucket": "none", "targetPrefix": ""}, "InvalidTargetBucketForLogging"},
		{"logs to another region", bucketLogT, props{"bucket": w.bucket.id, "targetBucket": "far-bucket", "targetPrefix": ""}, "CrossLocationLoggingProhibited"},
		{"keys of two forms", bucketLogT, props{"bucket": w.bucket.id, "targetBucket": w.logs.id, "targetPrefix": "", "targetObjectKeyFormat": props{}}, "exactly one of simplePrefix"},
		{"a rule that does nothing", lifeT, rule(props{"expiration": nil}), "At least one action"},
		{"a rule about nothing", lifeT, rule(props{"filter": nil}), "filter: a required property is missing"},
		{"a filter of two conditions", lifeT, rule(props{"filter": props{"prefix": "a", "objectSizeGreaterThan": 1}}), "may have one"},
		{"two ends", lifeT, rule(props{"expiration": props{"days": 1, "date": "2030-01-01T00:00:00Z"}}), "exactly one of date"},
		{"never", lifeT, rule(props{"expiration": props{"days": 0}}), "must be 1"},
		{"too young for infrequent access", lifeT, rule(props{"transitions": []any{props{"days": 7, "storageClass": "STANDARD_IA"}}}), "must be 30 or more"},
		{"uploads have no tags", lifeT, rule(props{"filter": props{"tag": props{"key": "a", "value": "b"}}, "abortIncompleteMultipartUpload": props{"daysAfterInitiation": 1}}), "objects by tag"},
		{"two rules of one id", lifeT, props{"bucket": w.bucket.id, "rules": []any{rule(nil)["rules"].([]any)[0], rule(nil)["rules"].([]any)[0]}}, "the id of another rule"},
		{"an object of two contents", objectT, props{"bucket": w.bucket.id, "key": "k", "content": "a", "contentBase64": "YQ=="}, "can't be given together"},
		{"an object without a key", objectT, props{"bucket": w.bucket.id}, "key: a required property is missing"},
	})
	versioning := w.s.must(versioningT, "v", props{"bucket": w.bucket.id, "versioningConfiguration": props{"status": "Enabled"}})
	err := w.s.update(versioning, props{"bucket": w.bucket.id, "versioningConfiguration": props{"status": "Disabled"}})
	require.ErrorContains(t, err, "cannot be updated from 'Enabled' to 'Disabled'", "versions stay")
}

func TestRefusalsOfNames(t *testing.T) {
	w := newEdgeWorld(t)
	certificate := func(change props) props {
		return with(props{"domainName": "a.example.com", "validationMethod": "DNS"}, change)
	}
	record := func(change props) props {
		return with(props{"zoneId": w.zone.id, "name": "www", "type": "A", "ttl": 60, "records": []any{"192.0.2.1"}}, change)
	}
	alias := func(kind, name, zone string, healthy bool) props {
		return props{"zoneId": w.zone.id, "name": "www", "type": kind, "aliases": []any{props{"name": name, "zoneId": zone, "evaluateTargetHealth": healthy}}}
	}
	host := w.distribution.state["domainName"].(string)
	asked := w.pending.state["domainValidationOptions"].([]any)[0].(props)["resourceRecordName"].(string)
	w.s.must(recordT, "cname", record(props{"name": "alias", "type": "CNAME", "records": []any{"example.net"}}))
	w.s.refuses([]refusal{
		{"a dot at the end", certificateT, certificate(props{"domainName": "example.com."}), "without a dot at its end"},
		{"a wildcard in the middle", certificateT, certificate(props{"domainName": "a.*.example.com"}), "a domain name"},
		{"a name too long for a certificate", certificateT, certificate(props{"domainName": strings.Repeat("a", 60) + ".example.com"}), "must have 1 to 64"},
		{"validation by mail", certificateT, certificate(props{"validationMethod": "EMAIL"}), "one of DNS"},
		{"no validation", certificateT, certificate(props{"validationMethod": nil}), "validationMethod: a required property is missing"},
		{"a certificate of one's own", certificateT, certificate(props{"privateKey": "x"}), "request one with domainName"},
		{"records that are not waited for", validationT, props{"certificateArn": w.pending.id, "validationRecordFqdns": []any{"x.example.org"}}, "missing pending.example.org DNS validation record"},
		{"records that nobody made", validationT, props{"certificateArn": w.pending.id, "validationRecordFqdns": []any{asked}}, "no public hosted zone has " + asked},
		{"a certificate that does not exist", validationT, props{"certificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/none"}, "ResourceNotFoundException"},
		{"a zone without a name", zoneT, props{}, "name: a required property is missing"},
		{"a VPC that does not exist", zoneT, props{"name": "internal.example", "vpcs": []any{props{"vpcId": "vpc-0"}}}, "InvalidVPCId"},
		{"a zone that does not exist", recordT, record(props{"zoneId": "Z0"}), "NoSuchHostedZone"},
		{"no such type", recordT, record(props{"type": "B"}), "must be one of A"},
		{"a name for an address", recordT, record(props{"records": []any{"example.net"}}), "is no address"},
		{"an old address among the new", recordT, record(props{"type": "AAAA"}), "is no address"},
		{"no life", recordT, record(props{"ttl": nil}), "needs ttl"},
		{"neither records nor an alias", recordT, record(props{"records": nil, "ttl": nil}), "exactly one of records, aliases"},
		{"two ends of an alias", recordT, record(props{"type": "CNAME", "records": []any{"a.example.net", "b.example.net"}}), "a CNAME has one"},
		{"an alias of the zone itself", recordT, record(props{"name": "example.com", "type": "CNAME", "records": []any{"example.net"}}), "not permitted at apex"},
		{"something beside an alias", recordT, record(props{"name": "alias"}), "conflicting RRSet of type CNAME"},
		{"a record that the zone always has", recordT, record(props{"name": "example.com", "type": "NS", "records": []any{"ns.example.net"}}), "but it already exists"},
		{"weights", recordT, record(props{"setIdentifier": "a"}), "routing policies"},
		{"an alias to nothing", recordT, alias("A", "none.example.com", w.zone.id, false), "but that target was not found"},
		{"an alias to no distribution", recordT, alias("A", "d0.cloudfront.net", cloudfrontZone, false), "but that target was not found"},
		{"an alias out of its zone", recordT, alias("A", "www.example.net", cloudfrontZone, false), "does not lie within the target zone"},
		{"CloudFront's health is its own", recordT, alias("A", host, cloudfrontZone, true), "EvaluateTargetHealth"},
		{"a distribution has addresses", recordT, alias("TXT", host, cloudfrontZone, false), "can't be an alias to a CloudFront distribution"},
	})
}

func TestRefusalsOfWebACLs(t *testing.T) {
	s := newSandbox(t, nil)
	rule := func(change props) props {
		return with(webACL(), props{"rules": []any{with(managedRule("AWSManagedRulesCommonRuleSet", 0), change)}})
	}
	rate := func(change props) props {
		return rule(props{"overrideAction": nil, "action": props{"block": props{}}, "statement": props{"rateBasedStatement": with(props{"limit": 100}, change)}})
	}
	s.must(webACLT, "taken", with(webACL(), props{"name": "taken"}))
	s.refuses([]refusal{
		{"a region's web ACL has no rules", webACLT, with(webACL(), props{"scope": "REGIONAL"}), "one of CLOUDFRONT"},
		{"a name that is taken", webACLT, with(webACL(), props{"name": "taken"}), "WAFDuplicateItemException"},
		{"both by default", webACLT, with(webACL(), props{"defaultAction": props{"allow": props{}, "block": props{}}}), "exactly one must be given"},
		{"a group brings its own actions", webACLT, rule(props{"action": props{"block": props{}}}), "use overrideAction"},
		{"a group without a word on its actions", webACLT, rule(props{"overrideAction": nil}), "exactly one must be given"},
		{"a rate overrides nothing", webACLT, with(rate(nil), props{"rules": []any{with(rate(nil)["rules"].([]any)[0].(props), props{"overrideAction": props{"none": props{}}})}}), "use action"},
		{"a group that is not AWS's", webACLT, rule(props{"statement": props{"managedRuleGroupStatement": props{"vendorName": "AWS", "name": "Mine"}}}), "must be one of"},
		{"a statement without rules", webACLT, rule(props{"statement": props{"geoMatchStatement": props{"countryCodes": []any{"DE"}}}}), "only managed rule groups"},
		{"a low rate", webACLT, rate(props{"limit": 5}), "must be 10"},
		{"an odd window", webACLT, rate(props{"evaluationWindowSec": 30}), "must be one of [60 120 300 600]"},
		{"one place for two", webACLT, with(webACL(), props{"rules": []any{managedRule("AWSManagedRulesCommonRuleSet", 1), managedRule("AWSManagedRulesKnownBadInputsRuleSet", 1)}}), "as that of another rule"},
		{"a metric with a space", webACLT, with(webACL(), props{"visibilityConfig": visible("a b")}), "letters, digits"},
	})
}
