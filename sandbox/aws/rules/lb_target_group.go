package rules

import (
	"slices"
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const targetGroupType = "aws:lb/targetGroup:TargetGroup"

// toTargetGroup is the reference of a listener or a rule to a target group. This reference
// prevents the deletion of the target group. toAutoScalingTargets is the reference of an Auto
// Scaling group to a target group. It does not prevent the deletion.
var (
	toTargetGroup        = &Ref{To: []string{targetGroupType}, Noun: "target group", Missing: "TargetGroupNotFound", InUseCode: "ResourceInUse"}
	toAutoScalingTargets = &Ref{To: []string{targetGroupType}, Noun: "target group", Missing: "ValidationError"}
)

var _ = registerRows(&Row{
	Token:  targetGroupType,
	Source: "elbv2/target_group.go", Page: "elasticloadbalancing/latest/application/edit-target-group-attributes.html",
	Label: "ELBv2 Target Group", NotFound: "TargetGroupNotFound",
	ID:     "arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/{name}/{hex16}",
	Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 32},
	Props: Props{
		"name":       {Replace: true, Computed: true, Valid: lbName},
		"namePrefix": {Replace: true, Computed: true, Valid: all(length(1, 6), pattern(`[0-9A-Za-z][0-9A-Za-z-]*`, "letters, digits and -"))},
		"targetType": {Replace: true, Default: "instance", Enum: []string{"instance", "ip"}},
		"port":       {Replace: true, Required: true, Valid: numbers(1, 65535)},
		"protocol":   {Replace: true, Required: true, Enum: []string{"HTTP", "HTTPS"}},
		// A target group does not prevent the deletion of its VPC. So the reference has no
		// InUseCode.
		"vpcId":                          {Replace: true, Required: true, Ref: &Ref{To: toVPC.To, Noun: toVPC.Noun, Missing: toVPC.Missing}},
		"protocolVersion":                {Replace: true, Computed: true, Enum: []string{"HTTP1", "HTTP2", "GRPC"}},
		"ipAddressType":                  {Replace: true, Computed: true},
		"deregistrationDelay":            {Default: 300.0, Valid: numbers(0, 3600)},
		"slowStart":                      {Default: 0.0, Valid: zeroOr(30, 900)},
		"loadBalancingAlgorithmType":     {Computed: true, Enum: []string{"round_robin", "least_outstanding_requests", "weighted_random"}},
		"loadBalancingAnomalyMitigation": {Computed: true, Enum: []string{"on", "off"}},
		"loadBalancingCrossZoneEnabled":  {Computed: true, Enum: []string{"true", "false", "use_load_balancer_configuration"}},
		"healthCheck":                    {Computed: true},
		"healthCheck.enabled":            {Default: true},
		"healthCheck.healthyThreshold":   {Default: 3.0},
		"healthCheck.unhealthyThreshold": {Default: 3.0},
		"healthCheck.interval":           {Default: 30.0},
		"healthCheck.timeout":            {Computed: true},
		"healthCheck.path":               {Computed: true, Valid: all(length(1, 1024), pattern(`/.*`, "a path that begins with a slash"))},
		"healthCheck.port":               {Default: "traffic-port", Valid: pattern(`traffic-port|[1-9]\d{0,4}`, "a port or traffic-port")},
		"healthCheck.protocol":           {Default: "HTTP", Enum: []string{"HTTP", "HTTPS"}},
		"healthCheck.matcher":            {Computed: true, Valid: matcher},
		"stickiness":                     {Computed: true},
		"stickiness.type":                {Enum: []string{"lb_cookie", "app_cookie"}},
		"stickiness.enabled":             {Default: true},
		"stickiness.cookieDuration":      {Default: 86400.0, Valid: numbers(1, 604800)},
		"stickiness.cookieName":          {},
		"targetGroupHealth":              {Computed: true, Refuse: "thresholds of zones are not supported yet"},
		"connectionTermination":          {Computed: true, Refuse: networkLBOnly},
		"preserveClientIp":               {Computed: true, Refuse: networkLBOnly},
		"proxyProtocolV2":                {Refuse: networkLBOnly},
		"targetFailovers":                {Computed: true, Refuse: networkLBOnly},
		"targetHealthStates":             {Computed: true, Refuse: networkLBOnly},
		"lambdaMultiValueHeadersEnabled": {Refuse: "Lambda functions as targets are not supported yet"},
	},
	AtMostOne: [][]string{{"name", "namePrefix"}},
	Unique: []Unique{{
		Props: []string{"name"}, Code: "DuplicateTargetGroupName", Message: "A target group with the same name '{name}' exists, but with different settings",
	}},
	Outputs: map[string]string{"arn": "{id}"},
	Check:   checkTargetGroup,
	Verify: func(c *Call) error {
		healthCheck := addDefaults(c.In.Object("healthCheck"), healthCheckDefaults(c.In))
		if timeout, interval := Object(healthCheck).Int("timeout"), Object(healthCheck).Int("interval"); timeout >= interval {
			return refuse("ValidationError", "Health check timeout '%d' must be smaller than the interval '%d'", timeout, interval)
		}
		return nil
	},
	Fill: func(c *Call) error {
		_, suffix, _ := strings.Cut(c.ID, ":targetgroup/")
		c.Out["arnSuffix"] = "targetgroup/" + suffix
		c.Out["healthCheck"] = addDefaults(c.Out.Object("healthCheck"), healthCheckDefaults(c.Out))
		c.Out["stickiness"] = addDefaults(c.Out.Object("stickiness"), map[string]any{"enabled": false, "type": "lb_cookie", "cookieDuration": 86400.0})
		c.Out.setDefaults(map[string]any{
			"protocolVersion": "HTTP1", "ipAddressType": "ipv4", "loadBalancingAlgorithmType": "round_robin",
			"loadBalancingAnomalyMitigation": "off", "loadBalancingCrossZoneEnabled": "use_load_balancer_configuration",
		})
		return nil
	},
	Refresh: func(c *Call) error {
		balancers := []any{}
		for _, id := range c.loadBalancerARNs(c.ID) {
			balancers = append(balancers, id)
		}
		c.Out["loadBalancerArns"] = balancers
		return nil
	},
})

// healthCheckDefaults returns AWS's defaults of a target group's health check, with times in
// seconds (elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html).
func healthCheckDefaults(in Object) map[string]any {
	out := map[string]any{
		"enabled": true, "healthyThreshold": 5.0, "unhealthyThreshold": 2.0, "interval": 30.0, "timeout": 5.0,
		"path": "/", "port": "traffic-port", "protocol": "HTTP", "matcher": "200",
	}
	if in.String("protocolVersion") == "GRPC" {
		out["path"], out["matcher"] = "/AWS.ALB/healthcheck", "12"
	}
	return out
}

// checkTargetGroup checks the properties of a target group that depend on each other. The
// sources are the page in the field Page of the row and API_TargetGroupAttribute.html.
func checkTargetGroup(in Object, fail Fail) {
	algorithm := in.String("loadBalancingAlgorithmType")
	if in.Int("slowStart") > 0 && (algorithm == "least_outstanding_requests" || algorithm == "weighted_random") {
		fail("slowStart", "can't be used with the algorithm %s", algorithm)
	}
	algorithmUnknown := in.Has("loadBalancingAlgorithmType") && !in.Known("loadBalancingAlgorithmType")
	if in.String("loadBalancingAnomalyMitigation") == "on" && algorithm != "weighted_random" && !algorithmUnknown {
		fail("loadBalancingAnomalyMitigation", "needs loadBalancingAlgorithmType weighted_random")
	}
	if codes := in.Object("healthCheck").String("matcher"); codes != "" && (in.Known("protocolVersion") || !in.Has("protocolVersion")) {
		checkCodes(codes, in.String("protocolVersion") == "GRPC", fail)
	}
	if healthCheck := in.Object("healthCheck"); healthCheck.Known("enabled") && !healthCheck.Bool("enabled") {
		fail("healthCheck.enabled", "can't be false: targets that are instances or addresses are always checked")
	}
	stickiness := in.Object("stickiness")
	needsCookieName := stickiness.String("type") == "app_cookie"
	if stickiness.Known("type") && needsCookieName != stickiness.Has("cookieName") {
		fail("stickiness.cookieName", "must be given for the type app_cookie, and for no other type")
	}
	cookieName := stickiness.String("cookieName")
	if slices.Contains([]string{"AWSALB", "AWSALBAPP", "AWSALBTG"}, cookieName) {
		fail("stickiness.cookieName", "%s is the name of a cookie of the load balancer", cookieName)
	}
}

// loadBalancerARNs returns the sorted ARNs of the load balancers that forward requests to a
// target group with a listener or a rule.
func (c *Call) loadBalancerARNs(targetGroupARN string) []string {
	var out []string
	scope := store.Scope{Account: c.Account, Region: c.Region}
	c.Tx.Each(scope, listenerType, func(o store.Object) bool {
		listener := Object(o.State)
		forwards := slices.Contains(targetGroupARNs(listener, "defaultActions"), targetGroupARN)
		c.Tx.Each(scope, listenerRuleType, func(r store.Object) bool {
			rule := Object(r.State)
			forwards = forwards || (rule.String("listenerArn") == o.ID && slices.Contains(targetGroupARNs(rule, "actions"), targetGroupARN))
			return !forwards
		})
		if forwards {
			out = append(out, listener.String("loadBalancerArn"))
		}
		return true
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// matcher validates the codes of a healthy target: a list of codes and of ranges of codes.
var matcher = pattern(`\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?)*`, "codes as in 200,202 or 200-299")

// checkCodes checks the codes of a healthy target. HTTP codes must be 200 to 499, gRPC
// codes 0 to 99. The end of a range must be above its start. The source is
// elasticloadbalancing/latest/APIReference/API_Matcher.html.
func checkCodes(codes string, grpc bool, fail Fail) {
	low, high := 200, 499
	if grpc {
		low, high = 0, 99
	}
	for item := range strings.SplitSeq(codes, ",") { // a code or a range of codes
		start, end, isRange := strings.Cut(item, "-")
		first, _ := strconv.Atoi(start)
		last := first
		if isRange {
			last, _ = strconv.Atoi(end)
		}
		if first < low || last > high || (isRange && first >= last) {
			fail("healthCheck.matcher", "%q must be codes from %d to %d, ascending in a range", item, low, high)
		}
	}
}
