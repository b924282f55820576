package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// The default quotas of one rule
// (elasticloadbalancing/latest/application/load-balancer-limits.html). AWS can raise them,
// but a program must also work in an account with the default quotas.
const (
	maxConditionValues    = 5
	maxConditionWildcards = 5
)

// A rule may have each of singleConditions once, and each of repeatedConditions several
// times (elasticloadbalancing/latest/application/rule-condition-types.html).
var (
	singleConditions   = []string{"hostHeader", "httpRequestMethod", "pathPattern", "sourceIp"}
	repeatedConditions = []string{"httpHeader", "queryStrings"}
)

var _ = registerRows(&Row{
	Token:  listenerRuleType,
	Source: "elbv2/listener_rule.go", Page: "elasticloadbalancing/latest/APIReference/API_CreateRule.html",
	Label: "ELBv2 Listener Rule", NotFound: "RuleNotFound",
	NewID: func(c *Call) (string, error) {
		return c.expand(strings.Replace(c.In.String("listenerArn"), ":listener/", ":listener-rule/", 1) + "/{hex16}")
	},
	Props: Props{
		"listenerArn":                          {Replace: true, Valid: checkARN, Ref: toListener},
		"priority":                             {Computed: true},
		"conditions":                           {Set: true, Min: 1},
		"conditions.hostHeader":                {},
		"conditions.hostHeader.values":         {Required: true, Set: true, Min: 1, Valid: all(length(1, 128), pattern(`[A-Za-z0-9.*?-]+\.[A-Za-z*?]+`, "a host name, also with * and ?, with only letters after the last dot"))},
		"conditions.pathPattern":               {},
		"conditions.pathPattern.values":        {Required: true, Set: true, Min: 1, Valid: all(length(1, 128), pattern("[A-Za-z0-9_.$/~\"'@:+&*?-]+", "a path of letters, digits and _-.$/~\"'@:+&, with * and ?"))},
		"conditions.httpHeader":                {},
		"conditions.httpHeader.httpHeaderName": {Valid: all(pattern("[0-9A-Za-z_!#$%&'*+,.^`|~-]{1,40}", "a header's name of at most 40 characters"), checkNotHost)},
		"conditions.httpHeader.values":         {Required: true, Set: true, Min: 1, Valid: length(1, 128)},
		"conditions.httpRequestMethod":         {},
		"conditions.httpRequestMethod.values":  {Required: true, Set: true, Min: 1, Valid: pattern(`[A-Z_-]{1,40}`, "a method in capitals")},
		"conditions.queryStrings":              {Set: true},
		"conditions.queryStrings.key":          {Valid: length(1, 128)},
		"conditions.queryStrings.value":        {Valid: length(1, 128)},
		"conditions.sourceIp":                  {},
		"conditions.sourceIp.values":           {Required: true, Set: true, Min: 1, Valid: checkCIDR},
	}.with(actionProps("actions")),
	Unique: []Unique{{
		Props: []string{"listenerArn", "priority"}, Code: "PriorityInUse", Message: "Priority '{priority}' is currently in use",
	}},
	Outputs: map[string]string{"arn": "{id}"},
	Check: func(in Object, fail Fail) {
		checkActions(in, "actions", fail)
		checkConditions(in, fail)
	},
	Verify: func(c *Call) error {
		listener, _ := c.referencedObject("listenerArn")
		if err := verifyRedirects(c.In, "actions", Object(listener.State).String("protocol")); err != nil {
			return err
		}
		id := Object(listener.State).String("loadBalancerArn")
		balancer, _ := c.resolve(toLoadBalancer, id)
		return c.verifyForwards("actions", balancer.State, id)
	},
	Fill: func(c *Call) error {
		if c.Out.Has("priority") {
			return nil
		}
		// The provider uses the number after the highest priority of the listener's rules.
		highest := 0
		c.Tx.Each(c.scope(c.Row), c.Row.Token, func(o store.Object) bool {
			if other := Object(o.State); other.String("listenerArn") == c.In.String("listenerArn") {
				highest = max(highest, other.Int("priority"))
			}
			return true
		})
		c.Out["priority"] = float64(highest + 1)
		return nil
	},
})

// checkNotHost returns a message for the header Host, because the condition hostHeader is for
// this header. It returns "" for every other header.
func checkNotHost(v any) string {
	if s, _ := v.(string); strings.EqualFold(s, "host") {
		return "Host has a condition of its own, hostHeader"
	}
	return ""
}

// checkCIDR returns a message unless v is an IPv4 or IPv6 CIDR block.
func checkCIDR(v any) string {
	if s, _ := v.(string); strings.Contains(s, ":") {
		return cidr6(0, 128)(v)
	}
	return cidr4(0, 32)(v)
}

// checkConditions checks the kinds of the conditions and the quotas of a rule.
func checkConditions(in Object, fail Fail) {
	kinds := append(slices.Clone(singleConditions), repeatedConditions...)
	valueCount, wildcardCount := 0, 0
	seen := map[string]bool{}
	for i, condition := range in.Objects("conditions") {
		givenKinds := slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return !condition.Has(kind) })
		if len(givenKinds) != 1 {
			fail(fmt.Sprintf("conditions[%d]", i), "exactly one of %s must be given", strings.Join(kinds, ", "))
			continue
		}
		kind := givenKinds[0]
		if seen[kind] && slices.Contains(singleConditions, kind) {
			fail(fmt.Sprintf("conditions[%d].%s", i, kind), "a rule has one condition of this kind: give it more values")
		}
		seen[kind] = true
		for _, path := range []string{kind + ".values", kind + ".key", kind + ".value"} {
			for _, l := range leaves(condition, path) {
				text, _ := l.value.(string)
				wildcardCount += strings.Count(text, "*") + strings.Count(text, "?")
				if path != kind+".key" { // the key and the value of a query string count as one value
					valueCount++
				}
			}
		}
	}
	if valueCount > maxConditionValues {
		fail("conditions", "the rule has %d condition values, AWS allows %d in all its conditions", valueCount, maxConditionValues)
	}
	if wildcardCount > maxConditionWildcards {
		fail("conditions", "the rule has %d wildcards, AWS allows %d", wildcardCount, maxConditionWildcards)
	}
}
