package rules

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// The managed policies that a web platform uses, by id. Their pages in
// AmazonCloudFront/latest/DeveloperGuide are using-managed-cache-policies.html,
// using-managed-origin-request-policies.html and
// using-managed-response-headers-policies.html. The ids were looked up there or in public
// source code on 2026-11-23.
var (
	managedCachePolicies = map[string]Object{
		"658327ea-f89d-4fab-a63d-7e88639e58f6": managedCachePolicy("Managed-CachingOptimized", 1, 86400, 31536000, true),
		"b2884449-e4de-46a7-ac36-70bc7f1ddd6d": managedCachePolicy("Managed-CachingOptimizedForUncompressedObjects", 1, 86400, 31536000, false),
		"4135ea2d-6df8-44a3-9df3-4b5a84be39ad": managedCachePolicy("Managed-CachingDisabled", 0, 0, 0, false),
	}
	managedOriginRequestPolicies = map[string]Object{
		"216adef6-5c7f-47e4-b989-5492eafa07d3": managedOriginRequestPolicy("Managed-AllViewer", Object{"headerBehavior": "allViewer"}),
		"b689b0a8-53d0-40ab-baf2-68738e2966ac": managedOriginRequestPolicy("Managed-AllViewerExceptHostHeader", Object{
			"headerBehavior": "allExcept", "headers": map[string]any{"items": []any{"Host"}},
		}),
	}
	managedResponseHeadersPolicies = map[string]Object{
		"67f7725c-6f97-4210-82d7-5512b31e9d03": {"name": "Managed-SecurityHeadersPolicy"},
	}
)

// The references of a cache behaviour to policies.
var (
	toCachePolicy = &Ref{
		To: []string{cachePolicyType}, Noun: "cache policy", Missing: "NoSuchCachePolicy", InUseCode: "CachePolicyInUse", Predefined: isManaged(managedCachePolicies),
	}
	toOriginRequestPolicy = &Ref{
		To: []string{originRequestPolicyType}, Noun: "origin request policy", Missing: "NoSuchOriginRequestPolicy", InUseCode: "OriginRequestPolicyInUse",
		Predefined: isManaged(managedOriginRequestPolicies),
	}
	toResponseHeadersPolicy = &Ref{
		To: []string{responseHeadersPolicyType}, Noun: "response headers policy", Missing: "NoSuchResponseHeadersPolicy", InUseCode: "ResponseHeadersPolicyInUse",
		Predefined: isManaged(managedResponseHeadersPolicies),
	}
)

// isManaged returns a function that reports whether the policies in managed include the
// policy with an id.
func isManaged(managed map[string]Object) func(id string) bool {
	return func(id string) bool { _, ok := managed[id]; return ok }
}

// managedCachePolicy returns a cache policy without cookies, headers and query strings in
// the cache key. If compressed is true, the accepted content encoding is part of the key. The
// TTLs are in seconds.
func managedCachePolicy(name string, minTTL, defaultTTL, maxTTL float64, compressed bool) Object {
	return Object{
		"name": name, "minTtl": minTTL, "defaultTtl": defaultTTL, "maxTtl": maxTTL,
		cacheKeyProp: map[string]any{
			"cookiesConfig": map[string]any{"cookieBehavior": "none"}, "headersConfig": map[string]any{"headerBehavior": "none"},
			"queryStringsConfig":       map[string]any{"queryStringBehavior": "none"},
			"enableAcceptEncodingGzip": compressed, "enableAcceptEncodingBrotli": compressed,
		},
	}
}

// managedOriginRequestPolicy returns a policy that forwards all cookies and query strings.
func managedOriginRequestPolicy(name string, headers map[string]any) Object {
	return Object{
		"name": name, "headersConfig": headers, "cookiesConfig": map[string]any{"cookieBehavior": "all"},
		"queryStringsConfig": map[string]any{"queryStringBehavior": "all"},
	}
}

// getCachePolicy implements the Pulumi function aws:cloudfront/getCachePolicy.
func getCachePolicy(c *Call, in Object) (Object, error) {
	out, err := c.findPolicy(in, cachePolicyType, managedCachePolicies)
	if err != nil {
		return nil, err
	}
	out["parametersInCacheKeyAndForwardedToOrigins"] = []any{functionResult(out.Object(cacheKeyProp))}
	delete(out, cacheKeyProp)
	return out, nil
}

// getOriginRequestPolicy implements the Pulumi function
// aws:cloudfront/getOriginRequestPolicy.
func getOriginRequestPolicy(c *Call, in Object) (Object, error) {
	out, err := c.findPolicy(in, originRequestPolicyType, managedOriginRequestPolicies)
	return functionResult(out), err
}

// findPolicy returns the policy that has the id or the name in the inputs. It searches the
// policies in the store, and AWS's own policies of the type, which are in managed.
func (c *Call) findPolicy(in Object, token string, managed map[string]Object) (Object, error) {
	if !in.hasExactlyOne("id", "name") {
		return nil, errors.New("exactly one of id and name must be given")
	}
	var found Object
	useIfMatching := func(id string, state Object) {
		if id == in.String("id") || (in.Has("name") && state.String("name") == in.String("name")) {
			found = Object{"id": id}
			maps.Copy(found, state)
		}
	}
	for id, state := range managed {
		useIfMatching(id, state)
	}
	row := rows[token]
	c.Tx.Each(c.scope(row), token, func(o store.Object) bool {
		useIfMatching(o.ID, o.State)
		return true
	})
	if found == nil {
		return nil, fmt.Errorf("no matching %s found (%v)", row.Label, in)
	}
	policyCall := *c // expand uses the row and the id of the policy
	policyCall.Row, policyCall.ID = row, found.String("id")
	arn, err := policyCall.expand(row.Outputs["arn"])
	found["arn"] = arn
	return found, err
}

// functionResult returns a policy in the form of a Pulumi function's result. The parameter has
// the form of a resource. In the result, each block is a list of one element, and a name that
// ends in Config is plural.
func functionResult(o Object) map[string]any {
	out := map[string]any{}
	for name, v := range o {
		if m, isBlock := v.(map[string]any); isBlock {
			v = []any{functionResult(m)}
			if strings.HasSuffix(name, "Config") {
				name += "s"
			}
		}
		out[name] = v
	}
	return out
}
