package aws

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The types of the resources in createEdgeStack, and ids that AWS defines.
const (
	bucketT              = "aws:s3/bucketV2:BucketV2"
	objectT              = "aws:s3/bucketObjectv2:BucketObjectv2"
	ownershipT           = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	publicAccessBlockT   = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	bucketPolicyT        = "aws:s3/bucketPolicy:BucketPolicy"
	bucketACLT           = "aws:s3/bucketAclV2:BucketAclV2"
	versioningT          = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	encryptionT          = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	bucketLogT           = "aws:s3/bucketLoggingV2:BucketLoggingV2"
	bucketLifecycleT     = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	distributionT        = "aws:cloudfront/distribution:Distribution"
	originAccessControlT = "aws:cloudfront/originAccessControl:OriginAccessControl"
	cachePolicyT         = "aws:cloudfront/cachePolicy:CachePolicy"
	requestPolicyT       = "aws:cloudfront/originRequestPolicy:OriginRequestPolicy"
	headersPolicyT       = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
	functionT            = "aws:cloudfront/function:Function"
	certificateT         = "aws:acm/certificate:Certificate"
	validationT          = "aws:acm/certificateValidation:CertificateValidation"
	zoneT                = "aws:route53/zone:Zone"
	recordT              = "aws:route53/record:Record"
	webACLT              = "aws:wafv2/webAcl:WebAcl"

	cachingDisabled     = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	allViewerExceptHost = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
	cloudfrontZone      = "Z2FDTNDATAQYW2"
)

// visibilityConfig returns the visibilityConfig of a rule, with the name of its metric.
func visibilityConfig(metric string) props {
	return props{"cloudwatchMetricsEnabled": true, "sampledRequestsEnabled": true, "metricName": metric}
}

// managedRule returns a rule with one of AWS's managed rule groups.
func managedRule(name string, priority int) props {
	return props{
		"name": name, "priority": priority, "overrideAction": props{"none": props{}}, "visibilityConfig": visibilityConfig(name),
		"statement": props{"managedRuleGroupStatement": props{"vendorName": "AWS", "name": name}},
	}
}

// webACLInputs returns the inputs of a web ACL with a rate limit and managed rules.
func webACLInputs() props {
	return props{
		"scope": "CLOUDFRONT", "defaultAction": props{"allow": props{}}, "visibilityConfig": visibilityConfig("edge"),
		"rules": []any{
			props{
				"name": "rate", "priority": 0, "action": props{"block": props{}}, "visibilityConfig": visibilityConfig("rate"),
				"statement": props{"rateBasedStatement": props{"limit": 2000}},
			},
			managedRule("AWSManagedRulesAmazonIpReputationList", 1), managedRule("AWSManagedRulesKnownBadInputsRuleSet", 2),
			managedRule("AWSManagedRulesCommonRuleSet", 3),
		},
	}
}

// cachePolicyInputs returns the inputs of a cache policy.
func cachePolicyInputs() props {
	return props{
		"minTtl": 1, "defaultTtl": 60, "maxTtl": 600,
		"parametersInCacheKeyAndForwardedToOrigin": props{
			"cookiesConfig": props{"cookieBehavior": "none"}, "queryStringsConfig": props{"queryStringBehavior": "all"},
			"headersConfig":            props{"headerBehavior": "whitelist", "headers": props{"items": []any{"Accept"}}},
			"enableAcceptEncodingGzip": true, "enableAcceptEncodingBrotli": true,
		},
	}
}

// requestPolicyInputs returns the inputs of an origin request policy.
func requestPolicyInputs() props {
	return props{
		"cookiesConfig": props{"cookieBehavior": "none"}, "queryStringsConfig": props{"queryStringBehavior": "all"},
		"headersConfig": props{"headerBehavior": "whitelist", "headers": props{"items": []any{"Origin"}}},
	}
}

// createEdgeStack creates a CloudFront distribution with a certificate, a web ACL, policies,
// two origins, logs and a DNS record.
func (s *sandbox) createEdgeStack() *testStack {
	s.t.Helper()
	stack := s.newStack()
	add := stack.add
	zone := add(zoneT, "zone", props{"name": "example.com", "tags": props{"Name": "main"}})
	certificate := add(certificateT, "certificate", props{
		"domainName": "example.com", "subjectAlternativeNames": []any{"*.example.com"}, "validationMethod": "DNS",
	})
	record := certificate.state["domainValidationOptions"].([]any)[0].(props)
	validationRecord := add(recordT, "proof", props{
		"zoneId": zone.id, "name": record["resourceRecordName"], "type": record["resourceRecordType"], "ttl": 300,
		"records": []any{record["resourceRecordValue"]}, "allowOverwrite": true,
	})
	add(validationT, "validation", props{"certificateArn": certificate.id, "validationRecordFqdns": []any{validationRecord.state["fqdn"]}})

	logs := add(bucketT, "Logs", props{"forceDestroy": true})
	add(ownershipT, "ownership", props{"bucket": logs.id, "rule": props{"objectOwnership": "BucketOwnerPreferred"}})
	add(bucketACLT, "acl", props{"bucket": logs.id, "acl": "log-delivery-write"})
	add(publicAccessBlockT, "public", props{
		"bucket": logs.id, "blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true,
	})
	add(encryptionT, "encryption", props{"bucket": logs.id, "rules": []any{
		props{"applyServerSideEncryptionByDefault": props{"sseAlgorithm": "AES256"}},
	}})
	add(bucketLifecycleT, "lifecycle", props{"bucket": logs.id, "rules": []any{props{
		"id": "expire", "status": "Enabled", "filter": props{}, "expiration": props{"days": 90},
		"noncurrentVersionExpiration": props{"noncurrentDays": 30}, "abortIncompleteMultipartUpload": props{"daysAfterInitiation": 7},
		"transitions": []any{props{"days": 30, "storageClass": "STANDARD_IA"}},
	}}})
	files := add(bucketT, "files", nil)
	add(versioningT, "versioning", props{"bucket": files.id, "versioningConfiguration": props{"status": "Enabled"}})
	add(bucketLogT, "logging", props{"bucket": files.id, "targetBucket": logs.id, "targetPrefix": "files/"})
	add(bucketPolicyT, "policy", props{"bucket": files.id, "policy": props{"Version": "2012-10-17", "Statement": []any{props{
		"Effect": "Allow", "Principal": props{"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
		"Resource": files.state["arn"].(string) + "/*",
	}}}})
	add(objectT, "index", props{"bucket": files.id, "key": "index.html", "content": "hello", "contentType": "text/html"})

	control := add(originAccessControlT, "control", props{"originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"})
	cache := add(cachePolicyT, "cache", cachePolicyInputs())
	request := add(requestPolicyT, "request", requestPolicyInputs())
	headers := add(headersPolicyT, "headers", props{
		"securityHeadersConfig": props{
			"strictTransportSecurity": props{"accessControlMaxAgeSec": 31536000, "includeSubdomains": true, "override": true},
			"contentTypeOptions":      props{"override": true}, "frameOptions": props{"frameOption": "DENY", "override": true},
		},
		"removeHeadersConfig": props{"items": []any{props{"header": "Server"}}},
	})
	function := add(functionT, "function", props{"runtime": "cloudfront-js-2.0", "code": "function handler(e) { return e.request; }"})
	acl := add(webACLT, "acl-of-web", webACLInputs())
	behavior := props{
		"targetOriginId": "api", "viewerProtocolPolicy": "redirect-to-https", "cachedMethods": []any{"GET", "HEAD"},
		"allowedMethods": []any{"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"}, "cachePolicyId": cachingDisabled,
		"originRequestPolicyId": allViewerExceptHost, "responseHeadersPolicyId": headers.id, "compress": true,
		"functionAssociations": []any{props{"eventType": "viewer-request", "functionArn": function.state["arn"]}},
	}
	distribution := add(distributionT, "distribution", props{
		"enabled": true, "aliases": []any{"www.example.com", "example.com"}, "httpVersion": "http2and3", "isIpv6Enabled": true,
		"priceClass": "PriceClass_100", "webAclId": acl.state["arn"], "defaultRootObject": "index.html",
		"origins": []any{
			props{
				"originId": "api", "domainName": "lb-1.eu-central-1.elb.amazonaws.com",
				"customHeaders": []any{props{"name": "X-Origin-Secret", "value": "s3cr3t"}},
				"originShield":  props{"enabled": true, "originShieldRegion": "eu-central-1"},
				"customOriginConfig": props{
					"httpPort": 80, "httpsPort": 443, "originProtocolPolicy": "https-only", "originSslProtocols": []any{"TLSv1.2"},
				},
			},
			props{"originId": "files", "domainName": files.state["bucketRegionalDomainName"], "originAccessControlId": control.id},
		},
		"defaultCacheBehavior": behavior,
		"orderedCacheBehaviors": []any{with(behavior, props{
			"pathPattern": "/static/*", "targetOriginId": "files", "cachePolicyId": cache.id, "originRequestPolicyId": request.id,
			"allowedMethods": []any{"GET", "HEAD"}, "functionAssociations": nil,
		})},
		"customErrorResponses": []any{props{"errorCode": 503, "errorCachingMinTtl": 0}},
		"restrictions":         props{"geoRestriction": props{"restrictionType": "none"}},
		"viewerCertificate": props{
			"acmCertificateArn": certificate.id, "sslSupportMethod": "sni-only", "minimumProtocolVersion": "TLSv1.2_2021",
		},
		"loggingConfig": props{"bucket": logs.state["bucketDomainName"], "prefix": "edge/"},
	})
	add(recordT, "www", props{"zoneId": zone.id, "name": "www", "type": "A", "aliases": []any{props{
		"name": distribution.state["domainName"], "zoneId": distribution.state["hostedZoneId"], "evaluateTargetHealth": false,
	}}})
	return stack
}

func TestUnchangedEdgeStackHasNoDiff(t *testing.T) {
	newSandbox(t, nil).createEdgeStack().requireNoDiff()
}

func TestEdgeStackIsDeletedInReverseOrder(t *testing.T) {
	newSandbox(t, nil).createEdgeStack().requireDeletion()
}

func TestEdgeResourceInUseIsNotDeleted(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createEdgeStack()
	before := s.objectCount()
	for name, code := range map[string]string{
		"certificate": "ResourceInUseException",
		"acl-of-web":  "WAFAssociatedItemException",
		"control":     "OriginAccessControlInUse",
		"cache":       "CachePolicyInUse",
		"request":     "OriginRequestPolicyInUse",
		"headers":     "ResponseHeadersPolicyInUse",
		"function":    "FunctionInUse",
		"zone":        "HostedZoneNotEmpty",
		"files":       "BucketNotEmpty",
	} {
		require.ErrorContains(t, s.delete(stack.byName[name]), code, name)
	}
	require.Equal(t, before, s.objectCount())
}

func TestEdgeStackOutputsHaveFormatOfAWS(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createEdgeStack()
	for _, want := range []struct{ name, property, pattern string }{
		{"Logs", "bucket", `^logs-[0-9a-f]{7}$`}, // generated names are lower-case
		{"Logs", "arn", `^arn:aws:s3:::logs-`},
		{"Logs", "bucketDomainName", `^logs-[0-9a-f]{7}\.s3\.amazonaws\.com$`},
		{"Logs", "bucketRegionalDomainName", `^logs-[0-9a-f]{7}\.s3\.us-east-1\.amazonaws\.com$`},
		{"index", "etag", `^5d41402abc4b2a76b9719d911017c592$`}, // the MD5 of hello
		{"distribution", "arn", `^arn:aws:cloudfront::123456789012:distribution/E[A-Z0-9]{13}$`},
		{"distribution", "domainName", `^d[a-z0-9]{13}\.cloudfront\.net$`},
		{"distribution", "hostedZoneId", `^Z2FDTNDATAQYW2$`},
		{"distribution", "status", `^Deployed$`},
		{"certificate", "arn", `^arn:aws:acm:us-east-1:123456789012:certificate/[0-9a-f-]{36}$`},
		{"certificate", "status", `^PENDING_VALIDATION$`}, // the status at its creation
		{"acl-of-web", "arn", `^arn:aws:wafv2:us-east-1:123456789012:global/webacl/acl-of-web-[0-9a-f]{7}/[0-9a-f-]{36}$`},
		{"zone", "zoneId", `^Z[A-Z0-9]{20}$`},
		{"zone", "primaryNameServer", `^ns-\d+\.awsdns-\d\d\.com$`},
		{"www", "fqdn", `^www\.example\.com$`},
	} {
		value, _ := stack.byName[want.name].state[want.property].(string)
		require.Regexp(t, want.pattern, value, "%s.%s", want.name, want.property)
	}
	require.Equal(t, stack.byName["zone"].id+"_www_A", stack.byName["www"].id)
	require.InDelta(t, 927, stack.byName["acl-of-web"].state["capacity"], 0, "700 + 200 + 25 for the managed rule groups, and 2 for the rate-based rule")
	options := stack.byName["certificate"].state["domainValidationOptions"].([]any)
	require.Len(t, options, 2)
	require.Equal(t, options[0].(props)["resourceRecordName"], options[1].(props)["resourceRecordName"], "a name and its wildcard have the same record")
	require.True(t, s.refresh(stack.byName["certificate"]))
	require.Equal(t, "ISSUED", stack.byName["certificate"].state["status"])
	require.NotEmpty(t, stack.byName["certificate"].state["notAfter"])
}
