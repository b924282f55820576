package rules

import (
	"fmt"
	"slices"
	"strings"
)

// securityHeaders are the headers that CloudFront refuses as custom headers. The property
// securityHeadersConfig sets them.
var securityHeaders = []string{
	"content-security-policy", "referrer-policy", "strict-transport-security", "x-content-type-options", "x-frame-options", "x-xss-protection",
}

// securityPrefix is the start of the paths of the security headers. responseHeadersPolicyBlocks is a
// text for errors with the blocks of a policy.
const (
	securityPrefix              = "securityHeadersConfig."
	responseHeadersPolicyBlocks = "corsConfig, customHeadersConfig, removeHeadersConfig, securityHeadersConfig and serverTimingHeadersConfig"
)

var _ = registerRows(&Row{
	Token:  responseHeadersPolicyType,
	Source: "cloudfront/response_headers_policy.go", Page: "cloudfront/latest/APIReference/API_ResponseHeadersPolicyConfig.html",
	Label: "CloudFront Response Headers Policy", Global: true, ID: "{uuid}", NotFound: "NoSuchResponseHeadersPolicy",
	Naming: &Naming{Prop: "name", Max: 255},
	Props: Props{
		"name":                                   {Valid: checkCloudfrontPolicyName},
		"comment":                                {Valid: length(0, 128)},
		"etag":                                   {Computed: true, Refuse: "CloudFront's own"},
		"corsConfig":                             {Refuse: "CORS is not supported yet"},
		"serverTimingHeadersConfig":              {Refuse: "no rules yet"},
		"customHeadersConfig":                    {},
		"customHeadersConfig.items":              {Set: true, Min: 1, Max: maxPolicyItems},
		"customHeadersConfig.items.header":       {Valid: length(1, 256)},
		"customHeadersConfig.items.override":     {},
		"customHeadersConfig.items.value":        {Valid: length(0, 1783)},
		"removeHeadersConfig":                    {},
		"removeHeadersConfig.items":              {Set: true, Min: 1, Max: maxPolicyItems},
		"removeHeadersConfig.items.header":       {Valid: length(1, 256)},
		"securityHeadersConfig":                  {},
		securityPrefix + "contentSecurityPolicy": {},
		securityPrefix + "contentSecurityPolicy.contentSecurityPolicy":    {Valid: length(1, 1783)},
		securityPrefix + "contentSecurityPolicy.override":                 {},
		securityPrefix + "contentTypeOptions":                             {},
		securityPrefix + "contentTypeOptions.override":                    {},
		securityPrefix + "frameOptions":                                   {},
		securityPrefix + "frameOptions.frameOption":                       {},
		securityPrefix + "frameOptions.override":                          {},
		securityPrefix + "referrerPolicy":                                 {},
		securityPrefix + "referrerPolicy.override":                        {},
		securityPrefix + "referrerPolicy.referrerPolicy":                  {},
		securityPrefix + "strictTransportSecurity":                        {},
		securityPrefix + "strictTransportSecurity.accessControlMaxAgeSec": {Valid: numbers(0, 1<<31-1)},
		securityPrefix + "strictTransportSecurity.includeSubdomains":      {},
		securityPrefix + "strictTransportSecurity.override":               {},
		securityPrefix + "strictTransportSecurity.preload":                {},
		securityPrefix + "xssProtection":                                  {},
		securityPrefix + "xssProtection.modeBlock":                        {},
		securityPrefix + "xssProtection.override":                         {},
		securityPrefix + "xssProtection.protection":                       {},
		securityPrefix + "xssProtection.reportUri":                        {},
	},
	Unique: []Unique{{
		Props: []string{"name"}, Code: "ResponseHeadersPolicyAlreadyExists", Message: "A response headers policy with the name {name} already exists.",
	}},
	Check: func(in Object, fail Fail) {
		if !in.Has("customHeadersConfig") && !in.Has("removeHeadersConfig") && !in.Has("securityHeadersConfig") {
			fail("securityHeadersConfig", "at least one of %s must be given", responseHeadersPolicyBlocks)
		}
		if xss := in.Object("securityHeadersConfig").Object("xssProtection"); xss.Bool("modeBlock") && xss.Has("reportUri") {
			fail(securityPrefix+"xssProtection.reportUri", "can't be given with modeBlock (API_ResponseHeadersPolicyXSSProtection.html)")
		}
		for i, item := range in.Object("customHeadersConfig").Objects("items") {
			if name := item.String("header"); slices.Contains(securityHeaders, strings.ToLower(name)) {
				fail(fmt.Sprintf("customHeadersConfig.items[%d].header", i), "%s belongs in securityHeadersConfig", name)
			}
		}
	},
	Outputs:  map[string]string{"arn": cloudfrontARN + "response-headers-policy/{id}", "etag": "E{id13}"},
	Volatile: []string{"etag"},
})
