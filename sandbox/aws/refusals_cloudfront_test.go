package aws

import (
	"strings"
	"testing"
)

// distribution is the smallest one, with changes.
func distribution(change props) props {
	return with(props{
		"enabled": true,
		"origins": []any{origin(nil)},
		"defaultCacheBehavior": props{
			"targetOriginId": "api", "viewerProtocolPolicy": "https-only", "cachePolicyId": cachingDisabled,
			"allowedMethods": []any{"GET", "HEAD"}, "cachedMethods": []any{"GET", "HEAD"},
		},
		"restrictions":      props{"geoRestriction": props{"restrictionType": "none"}},
		"viewerCertificate": props{"cloudfrontDefaultCertificate": true},
	}, change)
}

func origin(change props) props {
	return with(props{"originId": "api", "domainName": "api.example.net", "customOriginConfig": props{
		"httpPort": 80, "httpsPort": 443, "originProtocolPolicy": "https-only", "originSslProtocols": []any{"TLSv1.2"},
	}}, change)
}

// behaving is a distribution whose default cache behavior has changes.
func behaving(change props) props {
	in := distribution(nil)
	in["defaultCacheBehavior"] = with(in["defaultCacheBehavior"].(props), change)
	return in
}

// from is a distribution with one origin.
func from(change props) props { return distribution(props{"origins": []any{origin(change)}}) }

// seen is a distribution with a viewer certificate.
func seen(certificate props, aliases ...any) props {
	return distribution(props{"viewerCertificate": certificate, "aliases": aliases})
}

func TestRefusalsOfCloudFront(t *testing.T) {
	w := newEdgeWorld(t)
	cache := func(change, key props) props {
		in := with(cachePolicy(), change)
		in["parametersInCacheKeyAndForwardedToOrigin"] = with(in["parametersInCacheKeyAndForwardedToOrigin"].(props), key)
		return in
	}
	off := props{"minTtl": 0, "defaultTtl": 0, "maxTtl": 0}
	plain := props{
		"enableAcceptEncodingGzip": nil, "enableAcceptEncodingBrotli": nil, "headersConfig": props{"headerBehavior": "none"},
		"queryStringsConfig": props{"queryStringBehavior": "none"},
	}
	listing := func(behavior string, names ...any) props {
		return with(requestPolicy(), props{"headersConfig": props{"headerBehavior": behavior, "headers": props{"items": names}}})
	}
	own := func(change props) props {
		return with(props{"acmCertificateArn": w.certificate.id, "sslSupportMethod": "sni-only"}, change)
	}
	association := props{"functionAssociations": []any{props{"eventType": "viewer-request", "functionArn": w.draft.state["arn"]}}}
	ordered := with(distribution(nil)["defaultCacheBehavior"].(props), props{"pathPattern": "/a"})
	w.s.refuses([]refusal{
		{"a name that is taken", controlT, props{"name": "taken", "originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"}, "OriginAccessControlAlreadyExists"},
		{"no such signature", controlT, props{"originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv5"}, "one of sigv4"},
		{"times out of order", cachePolicyT, cache(props{"minTtl": 700}, nil), "InvalidArgument"},
		{"nothing is cached, nothing compressed", cachePolicyT, cache(off, with(plain, props{"enableAcceptEncodingGzip": true})), "EnableAcceptEncodingGzip is invalid for policy with caching disabled"},
		{"nothing is cached, by no header", cachePolicyT, cache(off, with(plain, props{"headersConfig": props{"headerBehavior": "whitelist", "headers": props{"items": []any{"Authorization"}}}})), "HeaderBehavior is invalid for policy with caching disabled"},
		{"a header that CloudFront normalises", cachePolicyT, cache(nil, props{"headersConfig": props{"headerBehavior": "whitelist", "headers": props{"items": []any{"Accept-Encoding"}}}}), "contains Accept-Encoding"},
		{"a list of nothing", cachePolicyT, cache(nil, props{"headersConfig": props{"headerBehavior": "whitelist"}}), "must list names"},
		{"a list for none", cachePolicyT, cache(nil, props{"headersConfig": props{"headerBehavior": "none", "headers": props{"items": []any{"A"}}}}), "must list names"},
		{"too many headers", cachePolicyT, cache(nil, props{"headersConfig": props{"headerBehavior": "whitelist", "headers": props{"items": []any{"A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K"}}}}), "has 11 elements"},
		{"credentials belong in the cache key", requestT, listing("whitelist", "Authorization"), "The parameter Headers contains Authorization that is not allowed."},
		{"and so does the encoding", requestT, listing("whitelist", "accept-encoding"), "contains accept-encoding that is not allowed"},
		{"CloudFront adds its own headers alone", requestT, listing("allViewerAndWhitelistCloudFront", "X-Mine"), "contains X-Mine"},
		{"a policy for nothing", headersT, props{}, "at least one of"},
		{"a security header among the others", headersT, props{"customHeadersConfig": props{"items": []any{props{"header": "X-Frame-Options", "value": "DENY", "override": true}}}}, "belongs in securityHeadersConfig"},
		{"a large function", functionT, props{"runtime": "cloudfront-js-2.0", "code": strings.Repeat("x", 10241)}, "must have 1 to 10240"},
		{"an origin that no behavior knows", distributionT, behaving(props{"targetOriginId": "web"}), "NoSuchOrigin"},
		{"a cache policy that does not exist", distributionT, behaving(props{"cachePolicyId": "none"}), "NoSuchCachePolicy"},
		{"no cache policy", distributionT, behaving(props{"cachePolicyId": nil}), "cachePolicyId: a required property is missing"},
		{"settings of old", distributionT, behaving(props{"forwardedValues": props{"queryString": true, "cookies": props{"forward": "none"}}}), "use cachePolicyId"},
		{"methods that don't go together", distributionT, behaving(props{"allowedMethods": []any{"GET", "POST"}}), "must be one of"},
		{"cached posts", distributionT, behaving(props{"cachedMethods": []any{"GET", "HEAD", "POST"}}), "must be one of"},
		{"a function that is no more than a draft", distributionT, behaving(association), "InvalidFunctionAssociation"},
		{"one path twice", distributionT, distribution(props{"orderedCacheBehaviors": []any{ordered, ordered}}), "more than once"},
		{"two origins of one name", distributionT, distribution(props{"origins": []any{origin(nil), origin(props{"domainName": "b.example.net"})}}), "the id of another origin"},
		{"an origin without settings", distributionT, from(props{"customOriginConfig": nil}), "does not refer to a valid S3 bucket"},
		{"an origin that is no host", distributionT, from(props{"domainName": "https://api.example.net"}), "a domain name"},
		{"a header that CloudFront sets", distributionT, from(props{"customHeaders": []any{props{"name": "Host", "value": "x"}}}), "can't add to origin requests"},
		{"a header of CloudFront's own", distributionT, from(props{"customHeaders": []any{props{"name": "X-Edge-Location", "value": "x"}}}), "can't add to origin requests"},
		{"a low port", distributionT, from(props{"customOriginConfig": props{"httpPort": 81, "httpsPort": 443, "originProtocolPolicy": "https-only", "originSslProtocols": []any{"TLSv1.2"}}}), "must be 80, 443"},
		{"a bucket's access control elsewhere", distributionT, from(props{"originAccessControlId": w.control.id}), "which the origin api is not"},
		{"a function's access control at a bucket", distributionT, from(props{"customOriginConfig": nil, "domainName": "main-bucket.s3.us-east-1.amazonaws.com", "originAccessControlId": w.lambda.id}), "which the origin api is not"},
		{"an access control that does not exist", distributionT, from(props{"originAccessControlId": "E0"}), "NoSuchOriginAccessControl"},
		{"an origin that takes its time", distributionT, from(props{"customOriginConfig": props{"httpPort": 80, "httpsPort": 443, "originProtocolPolicy": "https-only", "originSslProtocols": []any{"TLSv1.2"}, "originReadTimeout": 180}}), "must be 1 to 120"},
		{"a shield without a place", distributionT, from(props{"originShield": props{"enabled": true}}), "for an enabled shield"},
		{"two certificates", distributionT, seen(own(props{"cloudfrontDefaultCertificate": true})), "exactly one of cloudfrontDefaultCertificate"},
		{"no certificate", distributionT, seen(props{}), "exactly one of cloudfrontDefaultCertificate"},
		{"a certificate for nobody", distributionT, seen(own(props{"sslSupportMethod": nil})), "must be given with acmCertificateArn"},
		{"CloudFront's certificate has one version", distributionT, seen(props{"cloudfrontDefaultCertificate": true, "minimumProtocolVersion": "TLSv1.2_2021"}), "must be TLSv1"},
		{"dedicated addresses have old versions", distributionT, seen(own(props{"sslSupportMethod": "vip", "minimumProtocolVersion": "TLSv1.2_2021"})), "SSLv3 or TLSv1 with vip"},
		{"a name without a certificate", distributionT, seen(props{"cloudfrontDefaultCertificate": true}, "www.example.com"), "you must attach a trusted certificate"},
		{"a name that the certificate lacks", distributionT, seen(own(nil), "a.b.example.com"), "doesn't cover the alternate domain name"},
		{"a certificate that is not issued", distributionT, seen(own(props{"acmCertificateArn": w.pending.id}), "pending.example.org"), "The specified SSL certificate doesn't exist"},
		{"a certificate that does not exist", distributionT, seen(own(props{"acmCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/none"})), "InvalidViewerCertificate"},
		{"a name that is taken", distributionT, seen(own(nil), "taken.example.com"), "CNAMEAlreadyExists"},
		{"a page without a code", distributionT, distribution(props{"customErrorResponses": []any{props{"errorCode": 404, "responsePagePath": "/404.html"}}}), "go together"},
		{"a code that can't be changed", distributionT, distribution(props{"customErrorResponses": []any{props{"errorCode": 418}}}), "must be one of"},
		{"countries for all", distributionT, distribution(props{"restrictions": props{"geoRestriction": props{"restrictionType": "none", "locations": []any{"DE"}}}}), "for blacklist and whitelist"},
		{"no countries for some", distributionT, distribution(props{"restrictions": props{"geoRestriction": props{"restrictionType": "whitelist", "locations": []any{}}}}), "for blacklist and whitelist"},
		{"a root object by its path", distributionT, distribution(props{"defaultRootObject": "/index.html"}), "can't begin with /"},
		{"a web ACL that does not exist", distributionT, distribution(props{"webAclId": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"}), "InvalidWebACLId"},
		{"logs to nowhere", distributionT, distribution(props{"loggingConfig": props{"bucket": "none.s3.amazonaws.com"}}), "S3 bucket that you specified for CloudFront logs"},
		{"logs to a bucket without ACLs", distributionT, distribution(props{"loggingConfig": props{"bucket": "main-bucket.s3.amazonaws.com"}}), "does not enable ACL access"},
	})
}
