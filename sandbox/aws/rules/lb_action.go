package rules

import (
	"fmt"
	"slices"
)

// actionBlocks maps a type of action to the property that has its settings.
var actionBlocks = map[string]string{"forward": "forward", "redirect": "redirect", "fixed-response": "fixedResponse"}

// redirectPort validates the port of a redirect.
var redirectPort = pattern(`#\{port\}|[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5]`, "a port from 1 to 65535, or #{port}")

// actionProps returns the property rules of the actions of listeners and listener rules
// (elasticloadbalancing/latest/application/rule-action-types.html). property is the
// property with the actions: "defaultActions" of a listener, or "actions" of a listener
// rule.
func actionProps(property string) Props {
	return Props{
		property:                                  {Min: 1, Max: 1}, // AWS allows more only before a routing action, to authenticate users
		property + ".type":                        {Enum: []string{"forward", "redirect", "fixed-response"}},
		property + ".order":                       {Computed: true, Valid: numbers(1, 50000)},
		property + ".targetGroupArn":              {Valid: checkARN, Ref: toTargetGroup},
		property + ".forward":                     {},
		property + ".forward.targetGroups":        {Required: true, Set: true, Min: 1, Max: 5},
		property + ".forward.targetGroups.arn":    {Valid: checkARN, Ref: toTargetGroup},
		property + ".forward.targetGroups.weight": {Default: 1.0, Valid: numbers(0, 999)},
		property + ".forward.stickiness":          {},
		property + ".forward.stickiness.duration": {Valid: numbers(1, 604800)},
		property + ".forward.stickiness.enabled":  {Default: false},
		property + ".redirect":                    {},
		property + ".redirect.statusCode":         {},
		property + ".redirect.protocol":           {Default: "#{protocol}", Enum: []string{"#{protocol}", "HTTP", "HTTPS"}},
		property + ".redirect.host":               {Default: "#{host}", Valid: length(1, 128)},
		property + ".redirect.port":               {Default: "#{port}", Valid: redirectPort},
		property + ".redirect.path":               {Default: "/#{path}", Valid: all(length(1, 128), pattern(`/.*`, "a path that begins with a slash"))},
		property + ".redirect.query":              {Default: "#{query}", Valid: length(0, 128)},
		property + ".fixedResponse":               {},
		property + ".fixedResponse.contentType":   {Enum: []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}},
		property + ".fixedResponse.messageBody":   {Valid: length(0, 1024)},
		property + ".fixedResponse.statusCode":    {Required: true, Valid: pattern(`[245]\d\d`, "a code 2xx, 4xx or 5xx")},
		property + ".authenticateCognito":         {Refuse: "user pools are not supported"},
		property + ".authenticateOidc":            {Refuse: "the authentication of users at the load balancer is not supported yet"},
	}
}

// checkActions checks that each action has the block of its type, and no other block. property
// is the property with the actions.
func checkActions(in Object, property string, fail Fail) {
	for i, a := range in.Objects(property) {
		path := fmt.Sprintf("%s[%d]", property, i)
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
			if hasBlock == a.Has("targetGroupArn") { // both or none
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

// checkRedirect reports a failure for a redirect to the URL of the request, because a client
// would follow such a redirect without end. path is the path of the redirect in messages.
func checkRedirect(redirect Object, path string, fail Fail) {
	if redirect == nil {
		return
	}
	for name, unchanged := range map[string]string{"protocol": "#{protocol}", "host": "#{host}", "port": "#{port}", "path": "/#{path}"} {
		if redirect.Has(name) && redirect.String(name) != unchanged {
			return
		}
	}
	fail(path, "InvalidLoadBalancerAction: The redirect configuration is not valid because it creates a loop")
}

// targetGroupARNs returns the ARNs of the target groups in the actions of a listener or a
// listener rule. property is the property with the actions.
func targetGroupARNs(o Object, property string) []string {
	var out []string
	for _, path := range []string{property + ".targetGroupArn", property + ".forward.targetGroups.arn"} {
		for _, l := range leaves(o, path) {
			if s, ok := l.value.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// verifyForwards returns an error for a target group that the load balancer cannot use: it is
// given twice, is in another VPC, or is used by another load balancer. property is the property
// with the actions. The error code TargetGroupAssociationLimit is from public logs. The other
// two codes were not checked against AWS's documentation.
func (c *Call) verifyForwards(property string, balancer Object, balancerID string) error {
	seen := map[string]bool{}
	for _, targetARN := range targetGroupARNs(c.In, property) {
		if seen[targetARN] {
			return refuse("ValidationError", "The target group %s is given twice in one action", targetARN)
		}
		seen[targetARN] = true
		group, _ := c.resolve(toTargetGroup, targetARN)
		if vpcID := Object(group.State).String("vpcId"); vpcID != balancer.String("vpcId") {
			return refuse("InvalidConfigurationRequest", "The following target groups are in a different VPC than load balancer '%s': %s is in %s", balancerID, targetARN, vpcID)
		}
		if others := slices.DeleteFunc(c.loadBalancerARNs(targetARN), func(other string) bool { return other == balancerID }); len(others) > 0 {
			return refuse("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s (it is with %s)",
				targetARN, others[0])
		}
	}
	return nil
}

// verifyRedirects returns an error for a redirect from HTTPS to HTTP. property is the
// property with the actions. protocol is the protocol of the listener. The source is
// elasticloadbalancing/latest/application/rule-action-types.html, "Redirect actions".
func verifyRedirects(in Object, property, protocol string) error {
	for _, a := range in.Objects(property) {
		if protocol == "HTTPS" && a.Object("redirect").String("protocol") == "HTTP" {
			return refuse("InvalidLoadBalancerAction", "The redirect configuration is not valid: HTTPS can't be redirected to HTTP")
		}
	}
	return nil
}
