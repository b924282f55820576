package rules

import (
	"slices"
	"strings"
)

const (
	originAccessControlType   = "aws:cloudfront/originAccessControl:OriginAccessControl"
	cachePolicyType           = "aws:cloudfront/cachePolicy:CachePolicy"
	originRequestPolicyType   = "aws:cloudfront/originRequestPolicy:OriginRequestPolicy"
	responseHeadersPolicyType = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
	cloudfrontInvalidArgument = "InvalidArgument"
	cloudfrontARN             = "arn:{partition}:cloudfront::{account}:"
)

// maxPolicyItems is the default quota of headers, cookies or query strings in a policy
// (AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html).
const maxPolicyItems = 10

// checkCloudfrontPolicyName returns a message unless the value is a valid name of a CloudFront
// policy.
var checkCloudfrontPolicyName = all(length(1, 128), pattern(`[A-Za-z0-9_-]+`, "letters, digits, _ and -"))

// policyBlockProps returns the property rules of a policy's block for cookies, headers
// or query strings. name is cookie, header or queryString. The block has a behaviour and
// the list of names to which the behaviour applies.
func policyBlockProps(path, name string) Props {
	block := path + name + "sConfig"
	return Props{
		block:                           {},
		block + "." + name + "Behavior": {Required: true},
		block + "." + name + "s":        {},
		block + "." + name + "s.items":  {Set: true, Min: 1, Max: maxPolicyItems},
	}
}

// cacheKeyProp is the property of a cache policy that defines the cache key.
const cacheKeyProp = "parametersInCacheKeyAndForwardedToOrigin"

var _ = registerRows(
	&Row{
		Token:  originAccessControlType,
		Source: "cloudfront/origin_access_control.go", Page: "cloudfront/latest/APIReference/API_OriginAccessControlConfig.html",
		Label: "CloudFront Origin Access Control", Global: true, ID: "E{id13}", NotFound: "NoSuchOriginAccessControl",
		Naming: &Naming{Prop: "name", Max: 255},
		Props: Props{
			"name":                          {Valid: length(1, 64)},
			"description":                   {Preset: "Managed by Pulumi", Valid: length(0, 256)},
			"originAccessControlOriginType": {},
			"signingBehavior":               {},
			"signingProtocol":               {},
		},
		Unique: []Unique{{
			Props: []string{"name"}, Code: "OriginAccessControlAlreadyExists", Message: "An origin access control with the name {name} already exists.",
		}},
		Outputs:  map[string]string{"arn": cloudfrontARN + "origin-access-control/{id}", "etag": "E{id13}"},
		Volatile: []string{"etag"},
	},
	&Row{
		Token:  cachePolicyType,
		Source: "cloudfront/cache_policy.go", Page: "cloudfront/latest/APIReference/API_CachePolicyConfig.html",
		Label: "CloudFront Cache Policy", Global: true, ID: "{uuid}", NotFound: "NoSuchCachePolicy",
		Naming: &Naming{Prop: "name", Max: 255},
		Props: Props{
			"name":       {Valid: checkCloudfrontPolicyName},
			"comment":    {Valid: length(0, 128)},
			"minTtl":     {Default: 0.0, Valid: numbers(0, 1<<31-1)},
			"defaultTtl": {Default: 86400.0, Valid: numbers(0, 1<<31-1)},
			"maxTtl":     {Default: 31536000.0, Valid: numbers(0, 1<<31-1)},
			cacheKeyProp: {},
			cacheKeyProp + ".enableAcceptEncodingBrotli": {},
			cacheKeyProp + ".enableAcceptEncodingGzip":   {AllowOmitted: true},
		}.with(
			policyBlockProps(cacheKeyProp+".", "cookie"),
			policyBlockProps(cacheKeyProp+".", "header"),
			policyBlockProps(cacheKeyProp+".", "queryString")),
		Unique: []Unique{{
			Props: []string{"name"}, Code: "CachePolicyAlreadyExists", Message: "A cache policy with the name {name} already exists.",
		}},
		Check: func(in Object, fail Fail) {
			checkPolicyBlocks(in.Object(cacheKeyProp), cacheKeyProp+".", fail)
		},
		Outputs:  map[string]string{"arn": cloudfrontARN + "cache-policy/{id}", "etag": "E{id13}"},
		Volatile: []string{"etag"},
		Verify:   verifyCachePolicy,
	},
	&Row{
		Token:  originRequestPolicyType,
		Source: "cloudfront/origin_request_policy.go", Page: "cloudfront/latest/APIReference/API_OriginRequestPolicyConfig.html",
		Label: "CloudFront Origin Request Policy", Global: true, ID: "{uuid}", NotFound: "NoSuchOriginRequestPolicy",
		Naming: &Naming{Prop: "name", Max: 255},
		Props: Props{"name": {Valid: checkCloudfrontPolicyName}, "comment": {Valid: length(0, 128)}}.with(
			policyBlockProps("", "cookie"),
			policyBlockProps("", "header"),
			policyBlockProps("", "queryString")),
		Unique: []Unique{{
			Props: []string{"name"}, Code: "OriginRequestPolicyAlreadyExists", Message: "An origin request policy with the name {name} already exists.",
		}},
		Check:    func(in Object, fail Fail) { checkPolicyBlocks(in, "", fail) },
		Outputs:  map[string]string{"arn": cloudfrontARN + "origin-request-policy/{id}", "etag": "E{id13}"},
		Volatile: []string{"etag"},
		Verify:   verifyOriginRequestPolicy,
	},
)

// checkPolicyBlocks reports a behaviour that needs a list of names and has none. It also
// reports a behaviour that has a list but does not use it. path is the path of the object
// with the behaviour.
func checkPolicyBlocks(in Object, path string, fail Fail) {
	for _, name := range []string{"cookie", "header", "queryString"} {
		block := in.Object(name + "sConfig")
		behavior := block.String(name + "Behavior")
		if behavior == "" || !in.Known(name+"sConfig") {
			continue
		}
		needsNames := !slices.Contains([]string{"none", "all", "allViewer"}, behavior)
		if hasNames := len(leaves(block, name+"s.items")) > 0; hasNames != needsNames {
			fail(path+name+"sConfig."+name+"s", "must list names for %s whitelist, allExcept or allViewerAndWhitelistCloudFront, and for those alone; it is %s",
				name+"Behavior", behavior)
		}
	}
}

// verifyCachePolicy returns an error if:
//
//   - defaultTtl is not between minTtl and maxTtl
//   - the cache key contains the header Accept-Encoding and also has a compression setting
//   - maxTtl is 0, which disables caching, but the cache key is not empty or has a compression
//     setting
//
// The error texts for the cache key are from public bug reports.
func verifyCachePolicy(c *Call) error {
	minTTL, defaultTTL, maxTTL := c.In.Int("minTtl"), c.In.Int("defaultTtl"), c.In.Int("maxTtl")
	if minTTL > defaultTTL || defaultTTL > maxTTL {
		return refuse(cloudfrontInvalidArgument, "The parameter TTL is invalid: minTtl %d <= defaultTtl %d <= maxTtl %d must hold", minTTL, defaultTTL, maxTTL)
	}
	key := c.In.Object(cacheKeyProp)
	headers := leaves(key, "headersConfig.headers.items")
	compressed := key.Bool("enableAcceptEncodingGzip") || key.Bool("enableAcceptEncodingBrotli")
	for _, h := range headers {
		if name, _ := h.value.(string); compressed && strings.EqualFold(name, "Accept-Encoding") {
			return refuse(cloudfrontInvalidArgument, "The parameter Headers contains Accept-Encoding that is not allowed with compressed objects in the cache.")
		}
	}
	if maxTTL > 0 {
		return nil // caching is enabled
	}
	for _, name := range []string{"Gzip", "Brotli"} {
		if key.Bool("enableAcceptEncoding" + name) {
			return refuse(cloudfrontInvalidArgument, "The parameter EnableAcceptEncoding%s is invalid for policy with caching disabled.", name)
		}
	}
	for name, parameter := range map[string]string{"cookie": "CookieBehavior", "header": "HeaderBehavior", "queryString": "QueryStringBehavior"} {
		if behavior := key.Object(name + "sConfig").String(name + "Behavior"); behavior != "none" {
			return refuse(cloudfrontInvalidArgument, "The parameter %s is invalid for policy with caching disabled: it is %s, must be none", parameter, behavior)
		}
	}
	return nil
}

// verifyOriginRequestPolicy returns an error for headers that only a cache policy may have
// (AmazonCloudFront/latest/DeveloperGuide/http-401-unauthorized.html).
func verifyOriginRequestPolicy(c *Call) error {
	config := c.In.Object("headersConfig")
	if config.String("headerBehavior") == "allExcept" {
		return nil
	}
	for _, h := range leaves(config, "headers.items") {
		name, _ := h.value.(string)
		if strings.EqualFold(name, "Authorization") || strings.EqualFold(name, "Accept-Encoding") {
			return refuse(cloudfrontInvalidArgument, "The parameter Headers contains %s that is not allowed.", name)
		}
		if config.String("headerBehavior") == "allViewerAndWhitelistCloudFront" && !strings.HasPrefix(name, "CloudFront-") {
			return refuse(cloudfrontInvalidArgument, "The parameter Headers contains %s that is not allowed: all viewer headers are sent anyway, and CloudFront-* can be added", name)
		}
	}
	return nil
}
