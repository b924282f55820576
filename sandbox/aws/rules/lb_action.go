package rules

import (
	"fmt"
	"slices"
)

// actionBlocks maps a type of action to the property that has its settings.
var actionBlocks = map[string]string{"forward": "forward", "redirect": "redirect", "fixed-response": "fixedResponse"}

// redirectPort validates the port of a redirect.
var redirectPort = pattern(`#\{port\}|[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5]`, "a port from 1 to 65535, or #{port}")

// actionProps returns the rules of the actions of listeners and listener rules:
// elasticloadbalancing/latest/application/rule-action-types.html.
func actionProps(at string) Props {
	return Props{
		at:                                  {Min: 1, Max: 1}, // AWS allows more only before a routing action, to authenticate users
		at + ".type":                        {Enum: []string{"forward", "redirect", "fixed-response"}},
		at + ".order":                       {Computed: true, Valid: numbers(1, 50000)},
		at + ".targetGroupArn":              {Valid: arn, Ref: toTargetGroup},
		at + ".forward":                     {},
		at + ".forward.targetGroups":        {Required: true, Set: true, Min: 1, Max: 5},
		at + ".forward.targetGroups.arn":    {Valid: arn, Ref: toTargetGroup},
		at + ".forward.targetGroups.weight": {Default: 1.0, Valid: numbers(0, 999)},
		at + ".forward.stickiness":          {},
		at + ".forward.stickiness.duration": {Valid: numbers(1, 604800)},
		at + ".forward.stickiness.enabled":  {Default: false},
		at + ".redirect":                    {},
		at + ".redirect.statusCode":         {},
		at + ".redirect.protocol":           {Default: "#{protocol}", Enum: []string{"#{protocol}", "HTTP", "HTTPS"}},
		at + ".redirect.host":               {Default: "#{host}", Valid: length(1, 128)},
		at + ".redirect.port":               {Default: "#{port}", Valid: redirectPort},
		at + ".redirect.path":               {Default: "/#{path}", Valid: all(length(1, 128), pattern(`/.*`, "a path that begins with a slash"))},
		at + ".redirect.query":              {Default: "#{query}", Valid: length(0, 128)},
		at + ".fixedResponse":               {},
		at + ".fixedResponse.contentType":   {Enum: []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}},
		at + ".fixedResponse.messageBody":   {Valid: length(0, 1024)},
		at + ".fixedResponse.statusCode":    {Required: true, Valid: pattern(`[245]\d\d`, "a code 2xx, 4xx or 5xx")},
		at + ".authenticateCognito":         {Refuse: "user pools have no row"},
		at + ".authenticateOidc":            {Refuse: "the authentication of users at the load balancer has no rules yet"},
	}
}

// checkActions checks that each action has the block of its type, and no other block.
// at is the property with the actions.
func checkActions(in Object, at string, fail Fail) {
	for i, a := range in.Objects(at) {
		path := fmt.Sprintf("%s[%d]", at, i)
		kind := a.String("type")
		block, ok := actionBlocks[kind]
		if !ok {
			continue // the type is not known yet, or its rule refuses it
		}
		for other, name := range actionBlocks {
			if other != kind && a.Has(name) {
				fail(path+"."+name, "does not belong to an action of the type %s", kind)
			}
		}
		if kind != "forward" && a.Has("targetGroupArn") {
			fail(path+".targetGroupArn", "does not belong to an action of the type %s", kind)
		}
		hasBlock := a.Has(block)
		if kind == "forward" {
			if hasBlock == a.Has("targetGroupArn") {
				fail(path, "exactly one of targetGroupArn and forward must be given")
			}
			continue
		}
		if !hasBlock {
			fail(path+"."+block, "a required property is missing: the type is %s", kind)
		}
		checkRedirect(a.Object("redirect"), path+".redirect", fail)
	}
}

// checkRedirect refuses a redirect r to the URL of the request. at is its path in messages.
func checkRedirect(r Object, at string, fail Fail) {
	if r == nil {
		return
	}
	for name, unchanged := range map[string]string{"protocol": "#{protocol}", "host": "#{host}", "port": "#{port}", "path": "/#{path}"} {
		if r.Has(name) && r.String(name) != unchanged {
			return
		}
	}
	fail(at, "InvalidLoadBalancerAction: The redirect configuration is not valid because it creates a loop")
}

// forwardTargets returns the target groups in the actions of a listener or a rule.
func forwardTargets(o Object, at string) []string {
	var out []string
	for _, path := range []string{at + ".targetGroupArn", at + ".forward.targetGroups.arn"} {
		for _, l := range leaves(o, path) {
			if s, ok := l.value.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// verifyForwards returns an error for target groups that a load balancer cannot use. at is
// the property with the actions that forward to them. The code
// TargetGroupAssociationLimit is from public logs; the other two codes are from memory.
func (c *Call) verifyForwards(at string, balancer Object, balancerID string) error {
	seen := map[string]bool{}
	for _, target := range forwardTargets(c.In, at) {
		if seen[target] {
			return refuse("ValidationError", "The target group %s is given twice in one action", target)
		}
		seen[target] = true
		group, _ := c.resolve(toTargetGroup, target)
		if vpc := Object(group.State).String("vpcId"); vpc != balancer.String("vpcId") {
			return refuse("InvalidConfigurationRequest", "The following target groups are in a different VPC than load balancer '%s': %s is in %s", balancerID, target, vpc)
		}
		if others := slices.DeleteFunc(c.balancersOf(target), func(other string) bool { return other == balancerID }); len(others) > 0 {
			return refuse("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s (it is with %s)",
				target, others[0])
		}
	}
	return nil
}

// verifyRedirects returns an error for a redirect from HTTPS to HTTP. at is the property
// with the actions. protocol is the protocol of the listener. The source is
// elasticloadbalancing/latest/application/rule-action-types.html, "Redirect actions".
func verifyRedirects(in Object, at, protocol string) error {
	for _, a := range in.Objects(at) {
		if protocol == "HTTPS" && a.Object("redirect").String("protocol") == "HTTP" {
			return refuse("InvalidLoadBalancerAction", "The redirect configuration is not valid: HTTPS can't be redirected to HTTP")
		}
	}
	return nil
}
