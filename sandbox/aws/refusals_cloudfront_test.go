package aws

import (
	"strings"
	"testing"
)

// distributionInputs returns the inputs of a minimal distribution, with the properties of change.
func distributionInputs(change props) props {
	return with(props{
		"enabled": true,
		"origins": []any{originInputs(nil)},
		"defaultCacheBehavior": props{
			"targetOriginId": "api", "viewerProtocolPolicy": "https-only", "cachePolicyId": cachingDisabled,
			"allowedMethods": []any{"GET", "HEAD"}, "cachedMethods": []any{"GET", "HEAD"},
		},
		"restrictions":      props{"geoRestriction": props{"restrictionType": "none"}},
		"viewerCertificate": props{"cloudfrontDefaultCertificate": true},
	}, change)
}

// originInputs returns the inputs of a custom origin, with the properties of change.
func originInputs(change props) props {
	return with(props{"originId": "api", "domainName": "api.example.net", "customOriginConfig": props{
		"httpPort": 80, "httpsPort": 443, "originProtocolPolicy": "https-only", "originSslProtocols": []any{"TLSv1.2"},
	}}, change)
}

// distributionInputsWithBehavior returns the inputs of a distribution. Its default cache behaviour
// has the properties of change.
func distributionInputsWithBehavior(change props) props {
	in := distributionInputs(nil)
	in["defaultCacheBehavior"] = with(in["defaultCacheBehavior"].(props), change)
	return in
}

// distributionInputsWithOrigin returns the inputs of a distribution with one origin, which has the
// properties of change.
func distributionInputsWithOrigin(change props) props {
	return distributionInputs(props{"origins": []any{originInputs(change)}})
}

// distributionInputsWithCertificate returns the inputs of a distribution with a viewer certificate.
// aliases are its alternate domain names.
func distributionInputsWithCertificate(certificate props, aliases ...any) props {
	return distributionInputs(props{"viewerCertificate": certificate, "aliases": aliases})
}

func TestCloudFrontRefusals(t *testing.T) {
	f := newEdgeFixture(t)
	cacheInputs := func(change, key props) props {
		in := with(cachePolicyInputs(), change)
		in["parametersInCacheKeyAndForwardedToOrigin"] = with(in["parametersInCacheKeyAndForwardedToOrigin"].(props), key)
		return in
	}
	cachingOff := props{"minTtl": 0, "defaultTtl": 0, "maxTtl": 0}
	emptyKey := props{
		"enableAcceptEncodingGzip": nil, "enableAcceptEncodingBrotli": nil, "headersConfig": props{"headerBehavior": "none"},
		"queryStringsConfig": props{"queryStringBehavior": "none"},
	}
	requestHeaders := func(behavior string, names ...any) props {
		return with(requestPolicyInputs(), props{"headersConfig": props{"headerBehavior": behavior, "headers": props{"items": names}}})
	}
	acmCertificate := func(change props) props {
		return with(props{"acmCertificateArn": f.certificate.id, "sslSupportMethod": "sni-only"}, change)
	}
	association := props{"functionAssociations": []any{props{"eventType": "viewer-request", "functionArn": f.unpublishedFunction.state["arn"]}}}
	ordered := with(distributionInputs(nil)["defaultCacheBehavior"].(props), props{"pathPattern": "/a"})
	f.s.requireRefusals([]refusal{
		{"a name that is in use", originAccessControlT, props{"name": "taken", "originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"}, "OriginAccessControlAlreadyExists"},
		{"a signing protocol that does not exist", originAccessControlT, props{"originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv5"}, "one of sigv4"},
		{"a minimum TTL above the default", cachePolicyT, cacheInputs(props{"minTtl": 700}, nil), "InvalidArgument"},
		{"compression without caching", cachePolicyT, cacheInputs(cachingOff, with(emptyKey, props{"enableAcceptEncodingGzip": true})), "EnableAcceptEncodingGzip is invalid for policy with caching disabled"},
		{"headers in the key without caching", cachePolicyT, cacheInputs(cachingOff, with(emptyKey, props{"headersConfig": props{"headerBehavior": "whitelist", "headers": props{"items": []any{"Authorization"}}}})), "HeaderBehavior is invalid for policy with caching disabled"},
		{"Accept-Encoding as a header of the key", cachePolicyT, cacheInputs(nil, props{"headersConfig": props{"headerBehavior": "whitelist", "headers": props{"items": []any{"Accept-Encoding"}}}}), "contains Accept-Encoding"},
		{"a whitelist without names", cachePolicyT, cacheInputs(nil, props{"headersConfig": props{"headerBehavior": "whitelist"}}), "must list names"},
		{"names with the behaviour none", cachePolicyT, cacheInputs(nil, props{"headersConfig": props{"headerBehavior": "none", "headers": props{"items": []any{"A"}}}}), "must list names"},
		{"too many headers", cachePolicyT, cacheInputs(nil, props{"headersConfig": props{"headerBehavior": "whitelist", "headers": props{"items": []any{"A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K"}}}}), "has 11 elements"},
		{"the Authorization header", requestPolicyT, requestHeaders("whitelist", "Authorization"), "The parameter Headers contains Authorization that is not allowed."},
		{"the Accept-Encoding header", requestPolicyT, requestHeaders("whitelist", "accept-encoding"), "contains accept-encoding that is not allowed"},
		{"a viewer's header in a list for CloudFront's headers", requestPolicyT, requestHeaders("allViewerAndWhitelistCloudFront", "X-Mine"), "contains X-Mine"},
		{"an empty policy", headersPolicyT, props{}, "at least one of"},
		{"a security header among the others", headersPolicyT, props{"customHeadersConfig": props{"items": []any{props{"header": "X-Frame-Options", "value": "DENY", "override": true}}}}, "belongs in securityHeadersConfig"},
		{"a large function", functionT, props{"runtime": "cloudfront-js-2.0", "code": strings.Repeat("x", 10241)}, "must have 1 to 10240"},
		{"a behaviour with an unknown origin", distributionT, distributionInputsWithBehavior(props{"targetOriginId": "web"}), "NoSuchOrigin"},
		{"a cache policy that does not exist", distributionT, distributionInputsWithBehavior(props{"cachePolicyId": "none"}), "NoSuchCachePolicy"},
		{"no cache policy", distributionT, distributionInputsWithBehavior(props{"cachePolicyId": nil}), "cachePolicyId: a required property is missing"},
		{"forwardedValues, which is deprecated", distributionT, distributionInputsWithBehavior(props{"forwardedValues": props{"queryString": true, "cookies": props{"forward": "none"}}}), "use cachePolicyId"},
		{"a set of methods that CloudFront does not allow", distributionT, distributionInputsWithBehavior(props{"allowedMethods": []any{"GET", "POST"}}), "must be one of"},
		{"POST as a cached method", distributionT, distributionInputsWithBehavior(props{"cachedMethods": []any{"GET", "HEAD", "POST"}}), "must be one of"},
		{"a function that is not published", distributionT, distributionInputsWithBehavior(association), "InvalidFunctionAssociation"},
		{"two behaviours with the same path", distributionT, distributionInputs(props{"orderedCacheBehaviors": []any{ordered, ordered}}), "more than once"},
		{"two origins with the same id", distributionT, distributionInputs(props{"origins": []any{originInputs(nil), originInputs(props{"domainName": "b.example.net"})}}), "the id of another origin"},
		{"an origin without settings", distributionT, distributionInputsWithOrigin(props{"customOriginConfig": nil}), "does not refer to a valid S3 bucket"},
		{"a URL as an origin", distributionT, distributionInputsWithOrigin(props{"domainName": "https://api.example.net"}), "a domain name"},
		{"a header that CloudFront sets", distributionT, distributionInputsWithOrigin(props{"customHeaders": []any{props{"name": "Host", "value": "x"}}}), "can't add to origin requests"},
		{"a header of CloudFront's own", distributionT, distributionInputsWithOrigin(props{"customHeaders": []any{props{"name": "X-Edge-Location", "value": "x"}}}), "can't add to origin requests"},
		{"a low port", distributionT, distributionInputsWithOrigin(props{"customOriginConfig": props{"httpPort": 81, "httpsPort": 443, "originProtocolPolicy": "https-only", "originSslProtocols": []any{"TLSv1.2"}}}), "must be 80, 443"},
		{"an access control for S3 at another kind of origin", distributionT, distributionInputsWithOrigin(props{"originAccessControlId": f.s3Control.id}), "is for origins of the type s3, and the origin api has another type"},
		{"an access control for Lambda at a bucket", distributionT, distributionInputsWithOrigin(props{"customOriginConfig": nil, "domainName": "main-bucket.s3.us-east-1.amazonaws.com", "originAccessControlId": f.lambdaControl.id}), "is for origins of the type lambda, and the origin api has another type"},
		{"an access control that does not exist", distributionT, distributionInputsWithOrigin(props{"originAccessControlId": "E0"}), "NoSuchOriginAccessControl"},
		{"a read timeout above the limit", distributionT, distributionInputsWithOrigin(props{"customOriginConfig": props{"httpPort": 80, "httpsPort": 443, "originProtocolPolicy": "https-only", "originSslProtocols": []any{"TLSv1.2"}, "originReadTimeout": 180}}), "must be 1 to 120"},
		{"an origin shield without a region", distributionT, distributionInputsWithOrigin(props{"originShield": props{"enabled": true}}), "for an enabled shield"},
		{"two certificates", distributionT, distributionInputsWithCertificate(acmCertificate(props{"cloudfrontDefaultCertificate": true})), "exactly one of cloudfrontDefaultCertificate"},
		{"no certificate", distributionT, distributionInputsWithCertificate(props{}), "exactly one of cloudfrontDefaultCertificate"},
		{"a certificate without sslSupportMethod", distributionT, distributionInputsWithCertificate(acmCertificate(props{"sslSupportMethod": nil})), "must be given with acmCertificateArn"},
		{"CloudFront's certificate with another TLS version", distributionT, distributionInputsWithCertificate(props{"cloudfrontDefaultCertificate": true, "minimumProtocolVersion": "TLSv1.2_2021"}), "must be TLSv1"},
		{"dedicated addresses with a new TLS version", distributionT, distributionInputsWithCertificate(acmCertificate(props{"sslSupportMethod": "vip", "minimumProtocolVersion": "TLSv1.2_2021"})), "SSLv3 or TLSv1 with vip"},
		{"an alias without a certificate", distributionT, distributionInputsWithCertificate(props{"cloudfrontDefaultCertificate": true}, "www.example.com"), "you must attach a trusted certificate"},
		{"an alias that the certificate does not cover", distributionT, distributionInputsWithCertificate(acmCertificate(nil), "a.b.example.com"), "doesn't cover the alternate domain name"},
		{"a certificate that is not issued", distributionT, distributionInputsWithCertificate(acmCertificate(props{"acmCertificateArn": f.pendingCertificate.id}), "pending.example.org"), "The specified SSL certificate doesn't exist"},
		{"a certificate that does not exist", distributionT, distributionInputsWithCertificate(acmCertificate(props{"acmCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/none"})), "InvalidViewerCertificate"},
		{"a name that is in use", distributionT, distributionInputsWithCertificate(acmCertificate(nil), "taken.example.com"), "CNAMEAlreadyExists"},
		{"an error page without a response code", distributionT, distributionInputs(props{"customErrorResponses": []any{props{"errorCode": 404, "responsePagePath": "/404.html"}}}), "go together"},
		{"an error code that CloudFront does not allow", distributionT, distributionInputs(props{"customErrorResponses": []any{props{"errorCode": 418}}}), "must be one of"},
		{"countries with the restriction none", distributionT, distributionInputs(props{"restrictions": props{"geoRestriction": props{"restrictionType": "none", "locations": []any{"DE"}}}}), "if restrictionType is blacklist or whitelist"},
		{"a whitelist without countries", distributionT, distributionInputs(props{"restrictions": props{"geoRestriction": props{"restrictionType": "whitelist", "locations": []any{}}}}), "if restrictionType is blacklist or whitelist"},
		{"a root object with a leading slash", distributionT, distributionInputs(props{"defaultRootObject": "/index.html"}), "can't begin with /"},
		{"a web ACL that does not exist", distributionT, distributionInputs(props{"webAclId": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"}), "InvalidWebACLId"},
		{"logs to a bucket that does not exist", distributionT, distributionInputs(props{"loggingConfig": props{"bucket": "none.s3.amazonaws.com"}}), "S3 bucket that you specified for CloudFront logs"},
		{"logs to a bucket without ACLs", distributionT, distributionInputs(props{"loggingConfig": props{"bucket": "main-bucket.s3.amazonaws.com"}}), "does not enable ACL access"},
	})
}
