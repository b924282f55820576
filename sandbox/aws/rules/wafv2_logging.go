package rules

import (
	"fmt"
	"strings"
)

const webACLLogType = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"

// wafLogPrefix is the prefix that the name of a log destination must have
// (waf/latest/APIReference/API_LoggingConfiguration.html).
const wafLogPrefix = "aws-waf-logs-"

const (
	wafFilter    = "loggingFilter.filters"
	wafCondition = wafFilter + ".conditions"
)

var _ = registerRows(&Row{
	Token:  webACLLogType,
	Source: "wafv2/web_acl_logging_configuration.go", Page: "waf/latest/APIReference/API_PutLoggingConfiguration.html",
	Label: "WAFv2 WebACL Logging Configuration", ID: "{resourceArn}", NotFound: "WAFNonexistentItemException", Put: true,
	Props: Props{
		"resourceArn": {Replace: true, Valid: checkARN, Ref: &Ref{
			To: []string{webACLType}, By: []string{"arn"}, Noun: "web ACL", Missing: "WAFNonexistentItemException", DeletedWith: true,
		}},
		// The provider allows 100 destinations, AWS allows one. The stand-in does not
		// support buckets and streams as destinations yet.
		"logDestinationConfigs": {Replace: true, Set: true, Min: 1, Max: 1, Valid: checkARN, Ref: &Ref{
			To: []string{logGroupType}, By: []string{"arn"}, Noun: "log group", Missing: "WAFLogDestinationPermissionIssueException",
		}},
		"loggingFilter":                          {},
		"loggingFilter.defaultBehavior":          {},
		wafFilter:                                {Set: true, Min: 1},
		wafFilter + ".behavior":                  {},
		wafFilter + ".requirement":               {},
		wafCondition:                             {Set: true, Min: 1},
		wafCondition + ".actionCondition":        {Required: true},
		wafCondition + ".actionCondition.action": {},
		wafCondition + ".labelNameCondition":     {Refuse: noRules},
		"redactedFields":                         {Set: true, Max: 100},
		"redactedFields.method":                  {PresenceMatters: true},
		"redactedFields.queryString":             {PresenceMatters: true},
		"redactedFields.uriPath":                 {PresenceMatters: true},
		"redactedFields.singleHeader":            {},
		"redactedFields.singleHeader.name":       {Valid: all(length(1, 64), pattern(`[^A-Z\s]+`, "a header in lower case, as AWS returns it"))},
	},
	Check: func(in Object, fail Fail) {
		for i, field := range in.Objects("redactedFields") {
			if len(field) != 1 {
				fail(fmt.Sprintf("redactedFields[%d]", i), "must have one of method, queryString, singleHeader and uriPath, has %d", len(field))
			}
		}
		for i, destination := range in.Strings("logDestinationConfigs") {
			if _, name, ok := strings.Cut(destination, ":log-group:"); ok && !strings.HasPrefix(name, wafLogPrefix) {
				fail(fmt.Sprintf("logDestinationConfigs[%d]", i), "WAFInvalidParameterException: Error reason: The ARN isn't valid., field: LOG_DESTINATION, "+
					"parameter: %s: the name must begin with %s", destination, wafLogPrefix)
			}
		}
	},
	// The configuration and its log group are in the region of CloudFront's web ACLs
	// (waf/latest/developerguide/logging-cw-logs.html).
	Verify: func(c *Call) error {
		if c.Region != edgeRegion {
			return refuse("WAFInvalidParameterException", "The log of a web ACL of CloudFront must be in %s, the provider is in %s", edgeRegion, c.Region)
		}
		return nil
	},
})
