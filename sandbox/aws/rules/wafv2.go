package rules

import (
	"fmt"
	"maps"
	"slices"

	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

const webACLType = "aws:wafv2/webAcl:WebAcl"

// toWebACL is a reference to a web ACL of CloudFront by its ARN.
var toWebACL = &Ref{
	To: []string{webACLType}, By: []string{"arn"}, Noun: "web ACL", Missing: "InvalidWebACLId", InUseCode: "WAFAssociatedItemException",
}

// managedGroupCapacity maps the name of an AWS managed rule group to the web ACL capacity
// units (WCU) that the group uses
// (waf/latest/developerguide/aws-managed-rule-groups-list.html).
var managedGroupCapacity = map[string]int{
	"AWSManagedRulesCommonRuleSet": 700, "AWSManagedRulesKnownBadInputsRuleSet": 200, "AWSManagedRulesAmazonIpReputationList": 25,
}

// Web ACL capacity units. The numbers were not checked against AWS's documentation.
const (
	rateCapacity = 2    // used by a rate-based rule
	maxCapacity  = 5000 // the maximum that all rules of a web ACL can use together
)

const otherStatement = "the stand-in supports only managed rule groups and rate-based statements"

var (
	wafName   = pattern(`[0-9A-Za-z_-]{1,128}`, "1 to 128 letters, digits, _ and -")
	wafMetric = pattern(`[\w#:./-]{1,255}`, "1 to 255 letters, digits and _ # : . / -")
)

// visibilityProps returns the property rules of the block visibilityConfig below a path.
// The block configures metrics.
func visibilityProps(path string) Props {
	return Props{
		path + "visibilityConfig":                          {},
		path + "visibilityConfig.cloudwatchMetricsEnabled": {},
		path + "visibilityConfig.metricName":               {Valid: wafMetric},
		path + "visibilityConfig.sampledRequestsEnabled":   {},
	}
}

// refusedProps returns property rules that refuse the named properties below a path. All rules
// have the same reason.
func refusedProps(reason, path string, names ...string) Props {
	out := Props{}
	for _, name := range names {
		out[path+name] = Prop{Refuse: reason}
	}
	return out
}

const (
	wafStatement = "rules.statement."
	wafManaged   = wafStatement + "managedRuleGroupStatement"
	wafRate      = wafStatement + "rateBasedStatement"
	wafOverride  = wafManaged + ".ruleActionOverrides"
)

var _ = registerRows(&Row{
	Token:  webACLType,
	Source: "wafv2/web_acl.go", Page: "waf/latest/APIReference/API_CreateWebACL.html",
	Label: "WAFv2 WebACL", ID: "{uuid}", NotFound: "WAFNonexistentItemException",
	Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 255},
	Props: Props{
		"name":        {Replace: true, Computed: true, Valid: wafName},
		"namePrefix":  {Replace: true, Computed: true, Valid: all(length(1, 102), wafName)},
		"description": {},
		// The stand-in does not support web ACLs of a region (REGIONAL) yet.
		"scope":                                 {Replace: true, Enum: []string{"CLOUDFRONT"}},
		"defaultAction":                         {},
		"defaultAction.allow":                   {PresenceMatters: true},
		"defaultAction.block":                   {PresenceMatters: true},
		"rules":                                 {Set: true},
		"rules.name":                            {},
		"rules.priority":                        {Valid: numbers(0, 1<<31-1)},
		"rules.action":                          {},
		"rules.action.allow":                    {PresenceMatters: true},
		"rules.action.block":                    {PresenceMatters: true},
		"rules.action.count":                    {PresenceMatters: true},
		"rules.overrideAction":                  {},
		"rules.overrideAction.count":            {PresenceMatters: true},
		"rules.overrideAction.none":             {PresenceMatters: true},
		"rules.statement":                       {},
		wafManaged:                              {},
		wafManaged + ".name":                    {Enum: slices.Sorted(maps.Keys(managedGroupCapacity))},
		wafManaged + ".vendorName":              {Enum: []string{"AWS"}},
		wafManaged + ".version":                 {Valid: wafMetric},
		wafManaged + ".managedRuleGroupConfigs": {Refuse: otherStatement},
		wafManaged + ".scopeDownStatement":      {Refuse: otherStatement},
		wafOverride:                             {Max: 100},
		wafOverride + ".name":                   {Valid: length(1, 128)},
		wafOverride + ".actionToUse":            {},
		wafOverride + ".actionToUse.allow":      {PresenceMatters: true},
		wafOverride + ".actionToUse.block":      {PresenceMatters: true},
		wafOverride + ".actionToUse.count":      {PresenceMatters: true},
		wafRate:                                 {},
		wafRate + ".limit":                      {Valid: numbers(10, 2_000_000_000)},
		wafRate + ".aggregateKeyType":           {Default: "IP", Enum: []string{"IP"}},
		wafRate + ".evaluationWindowSec":        {Default: 300.0, Valid: oneOf(60, 120, 300, 600)},
		wafRate + ".customKeys":                 {Refuse: otherStatement},
		wafRate + ".forwardedIpConfig":          {Refuse: otherStatement},
		wafRate + ".scopeDownStatement":         {Refuse: otherStatement},
	}.with(
		visibilityProps(""), visibilityProps("rules."),
		refusedProps(noRules, "", "associationConfig", "captchaConfig", "challengeConfig", "customResponseBodies", "dataProtectionConfig", "ruleJson", "tokenDomains"),
		refusedProps(noRules, "rules.", "captchaConfig", "challengeConfig", "ruleLabels", "action.captcha", "action.challenge"),
		refusedProps(noRules, "rules.action.", "allow.customRequestHandling", "block.customResponse", "count.customRequestHandling"),
		refusedProps(noRules, "defaultAction.", "allow.customRequestHandling", "block.customResponse"),
		refusedProps(noRules, wafOverride+".actionToUse.", "captcha", "challenge", "allow.customRequestHandling", "block.customResponse", "count.customRequestHandling"),
		refusedProps(otherStatement, wafStatement, "andStatement", "asnMatchStatement", "byteMatchStatement", "geoMatchStatement", "ipSetReferenceStatement",
			"labelMatchStatement", "notStatement", "orStatement", "regexMatchStatement", "regexPatternSetReferenceStatement", "ruleGroupReferenceStatement",
			"sizeConstraintStatement", "sqliMatchStatement", "xssMatchStatement")),
	AtMostOne: [][]string{{"name", "namePrefix"}},
	Unique: []Unique{{
		Props: []string{"name", "scope"}, Code: "WAFDuplicateItemException",
		Message: "AWS WAF couldn't perform the operation because some resource in your request is a duplicate of an existing one: {name}",
	}},
	Check:    checkWebACL,
	Outputs:  map[string]string{"arn": "arn:{partition}:wafv2:{region}:{account}:global/webacl/{name}/{id}", "lockToken": "{uuid}"},
	Volatile: []string{"lockToken", "capacity"},
	Verify: func(c *Call) error {
		if c.Region != edgeRegion {
			return refuse("WAFInvalidParameterException", "Error reason: The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT: "+
				"the provider is in %s, must be in %s", c.Region, edgeRegion)
		}
		if n := webACLCapacity(c.In); n > maxCapacity {
			return refuse("WAFLimitsExceededException", "The rules need a capacity of %d; a web ACL has %d", n, maxCapacity)
		}
		return nil
	},
	Fill: func(c *Call) error {
		maps.Copy(c.Out, Object{"capacity": float64(webACLCapacity(c.In)), "applicationIntegrationUrl": ""})
		return nil
	},
})

// webACLCapacity returns the capacity units that all rules of a web ACL use together.
func webACLCapacity(in Object) int {
	capacity := 0
	for _, rule := range in.Objects("rules") {
		statement := rule.Object("statement")
		capacity += managedGroupCapacity[statement.Object("managedRuleGroupStatement").String("name")]
		if statement.Has("rateBasedStatement") {
			capacity += rateCapacity
		}
	}
	return capacity
}

// checkWebACL reports failures for two rules with the same name or priority, and for
// actions that a rule cannot have.
func checkWebACL(in Object, fail Fail) {
	// requireOne checks that exactly one property of a nested object is set.
	requireOne := func(o Object, name, prefix string) {
		if n := len(o.Object(name)); n != 1 && !wire.IsUnknown(o[name]) {
			fail(prefix+name, "exactly one must be given, there are %d", n)
		}
	}
	requireOne(in, "defaultAction", "")
	seen := map[string]bool{}
	for i, rule := range in.Objects("rules") {
		prefix := fmt.Sprintf("rules[%d].", i)
		for _, name := range []string{"name", "priority"} {
			value := fmt.Sprint(name, " ", rule[name])
			if rule.Known(name) && seen[value] {
				fail(prefix+name, "is %v, which is also the %s of another rule", rule[name], name)
			}
			seen[value] = true
		}
		requireOne(rule, "statement", prefix)
		if wire.IsUnknown(rule["statement"]) {
			continue
		}
		// The rules inside a managed rule group have their own actions, which
		// overrideAction can change. Any other rule has the property action.
		required, refused := "action", "overrideAction"
		if rule.Object("statement").Has("managedRuleGroupStatement") {
			required, refused = "overrideAction", "action"
		}
		if rule.Has(refused) {
			fail(prefix+refused, "can't be given for this statement; use %s", required)
		}
		requireOne(rule, required, prefix)
	}
}
