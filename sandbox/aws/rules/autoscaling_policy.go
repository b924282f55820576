package rules

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

const scalingPolicyType = "aws:autoscaling/policy:Policy"

// The paths of the properties of target tracking.
const (
	trackingProp           = "targetTrackingConfiguration"
	trackingCustomProp     = trackingProp + ".customizedMetricSpecification"
	trackingPredefinedProp = trackingProp + ".predefinedMetricSpecification"
)

// policyTypesOfProp maps a property to the policy types that may have it.
var policyTypesOfProp = map[string][]string{
	"adjustmentType":          {"SimpleScaling", "StepScaling"},
	"minAdjustmentMagnitude":  {"SimpleScaling", "StepScaling"},
	"cooldown":                {"SimpleScaling"},
	"scalingAdjustment":       {"SimpleScaling"},
	"stepAdjustments":         {"StepScaling"},
	"metricAggregationType":   {"StepScaling"},
	"estimatedInstanceWarmup": {"StepScaling", "TargetTrackingScaling"},
	trackingProp:              {"TargetTrackingScaling"},
}

// requiredByType maps a policy type to its required properties.
var requiredByType = map[string][]string{
	"SimpleScaling": {"adjustmentType", "scalingAdjustment"}, "StepScaling": {"adjustmentType", "stepAdjustments"}, "TargetTrackingScaling": {trackingProp},
}

var _ = registerRows(&Row{
	Token:  scalingPolicyType,
	Source: "autoscaling/policy.go", Page: "AutoScaling/latest/APIReference/API_PutScalingPolicy.html",
	// The id is the group and the name, as in an import. The provider's id is the name
	// only, and policies of two groups may have the same name.
	Label: "Auto Scaling Policy", ID: "{autoscalingGroupName}/{name}", NotFound: "ValidationError", Put: true,
	Naming: &Naming{Prop: "name", Max: 255},
	Props: Props{
		"name":                              {Replace: true, Valid: all(length(1, 255), pattern(`[^:]+`, "a name without a colon"))},
		"autoscalingGroupName":              {Replace: true, Ref: toScalingGroup},
		"policyType":                        {Default: "SimpleScaling", Enum: []string{"SimpleScaling", "StepScaling", "TargetTrackingScaling"}},
		"enabled":                           {Default: true},
		"adjustmentType":                    {Enum: []string{"ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"}},
		"cooldown":                          {Valid: numbers(0, 1e9)},
		"estimatedInstanceWarmup":           {Valid: numbers(0, 1e9)},
		"metricAggregationType":             {Computed: true, Enum: []string{"Minimum", "Maximum", "Average"}},
		"minAdjustmentMagnitude":            {Valid: numbers(1, 1e9)},
		"scalingAdjustment":                 {},
		"stepAdjustments":                   {Set: true, Max: 20},
		"stepAdjustments.scalingAdjustment": {},
		"stepAdjustments.metricIntervalLowerBound":       {Valid: checkDecimal, Same: sameNumber},
		"stepAdjustments.metricIntervalUpperBound":       {Valid: checkDecimal, Same: sameNumber},
		"predictiveScalingConfiguration":                 {Refuse: "forecasts by AWS are not supported yet"},
		trackingProp:                                     {},
		trackingProp + ".targetValue":                    {Valid: numbers(math.SmallestNonzeroFloat64, 1e100)},
		trackingProp + ".disableScaleIn":                 {Default: false},
		trackingPredefinedProp:                           {},
		trackingPredefinedProp + ".predefinedMetricType": {},
		trackingPredefinedProp + ".resourceLabel":        {Valid: pattern(`app/[^/]+/[0-9a-f]+/targetgroup/[^/]+/[0-9a-f]+`, "arnSuffix of the load balancer, /, and arnSuffix of the target group")},
		trackingCustomProp:                               {},
		trackingCustomProp + ".metricName":               {Required: true, Valid: length(1, 255)},
		trackingCustomProp + ".namespace":                {Required: true, Valid: length(1, 255)},
		trackingCustomProp + ".statistic":                {Required: true},
		trackingCustomProp + ".unit":                     {Enum: metricUnits},
		trackingCustomProp + ".period":                   {Valid: oneOf(10, 30, 60)},
		trackingCustomProp + ".metricDimensions":         {Max: 30},
		trackingCustomProp + ".metricDimensions.name":    {Valid: length(1, 255)},
		trackingCustomProp + ".metricDimensions.value":   {Valid: length(1, 1024)},
		trackingCustomProp + ".metrics":                  {Set: true, Refuse: "expressions are not supported yet"},
	},
	Check:  checkScalingPolicy,
	Verify: verifyScalingPolicy,
	Fill: func(c *Call) error {
		if c.In.String("policyType") == "StepScaling" && !c.Out.Has("metricAggregationType") {
			c.Out["metricAggregationType"] = "Average"
		}
		if c.Old != nil {
			return nil
		}
		policyARN, err := c.expand("arn:{partition}:autoscaling:{region}:{account}:scalingPolicy:{uuid}:autoScalingGroupName/{autoscalingGroupName}:policyName/{name}")
		c.Out["arn"] = policyARN
		return err
	},
})

// checkDecimal returns a message unless v is a string that represents a number.
func checkDecimal(v any) string {
	s, _ := v.(string)
	if _, err := strconv.ParseFloat(s, 64); err != nil {
		return fmt.Sprintf("%q must be a number", s)
	}
	return ""
}

// sameNumber reports whether two strings represent the same number, such as 1 and 1.0.
func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}

// checkScalingPolicy checks that the properties belong to the type of the policy, and that the
// properties that this type requires are set.
func checkScalingPolicy(in Object, fail Fail) {
	policyType := in.String("policyType")
	switch {
	case in.Has("policyType") && policyType == "":
		return // the type is not known yet
	case policyType == "":
		policyType = "SimpleScaling" // the provider's default
	}
	for name, allowedTypes := range policyTypesOfProp {
		if in.Has(name) && !slices.Contains(allowedTypes, policyType) {
			fail(name, "belongs to policies of the type %v, this is %s", allowedTypes, policyType)
		}
	}
	for _, name := range requiredByType[policyType] {
		if !in.Has(name) {
			fail(name, "a required property is missing: the type is %s", policyType)
		}
	}
	if in.Has("minAdjustmentMagnitude") && in.Known("adjustmentType") && in.String("adjustmentType") != "PercentChangeInCapacity" {
		fail("minAdjustmentMagnitude", "is for the adjustmentType PercentChangeInCapacity")
	}
	checkSteps(in, fail)
	configuration := in.Object(trackingProp)
	if configuration == nil {
		return
	}
	if !configuration.hasExactlyOne("predefinedMetricSpecification", "customizedMetricSpecification") {
		fail(trackingProp, "exactly one of predefinedMetricSpecification and customizedMetricSpecification must be given")
	}
	metric := configuration.Object("predefinedMetricSpecification")
	needsLabel := metric.String("predefinedMetricType") == "ALBRequestCountPerTarget"
	if metric.Known("predefinedMetricType") && needsLabel != metric.Has("resourceLabel") {
		fail(trackingPredefinedProp+".resourceLabel", "must be given for ALBRequestCountPerTarget, and for no other metric")
	}
}

// checkSteps reports failures for ranges of steps that are empty, overlap or leave a gap
// (autoscaling/ec2/userguide/as-scaling-simple-step.html, "Step adjustments").
func checkSteps(in Object, fail Fail) {
	type step struct{ low, high float64 } // the bounds of the range
	var steps []step
	for _, s := range in.Objects("stepAdjustments") {
		if !s.Known("scalingAdjustment") {
			return
		}
		bounds := step{math.Inf(-1), math.Inf(1)} // an omitted bound is infinite
		for name, bound := range map[string]*float64{"metricIntervalLowerBound": &bounds.low, "metricIntervalUpperBound": &bounds.high} {
			if n, err := strconv.ParseFloat(s.String(name), 64); err == nil {
				*bound = n
			} else if s.Has(name) {
				return // the bound is unknown, or checkDecimal refuses it
			}
		}
		steps = append(steps, bounds)
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.low, b.low) })
	for i, s := range steps {
		if s.low >= s.high {
			fail("stepAdjustments", "the bounds %v and %v contain no value between them", s.low, s.high)
		}
		if i > 0 && steps[i-1].high != s.low {
			fail("stepAdjustments", "StepAdjustment intervals can't overlap or have a gap between them: one ends at %v, the next begins at %v", steps[i-1].high, s.low)
		}
	}
}

// verifyScalingPolicy checks the resource label, which names a load balancer and a target
// group. The target group must be attached to the Auto Scaling group. A listener of the
// load balancer must forward to the target group
// (AutoScaling/latest/APIReference/API_PredefinedMetricSpecification.html).
func verifyScalingPolicy(c *Call) error {
	label := c.In.Object(trackingProp).Object("predefinedMetricSpecification").String("resourceLabel")
	balancerSuffix, targetSuffix, ok := strings.Cut(label, "/targetgroup/")
	if !ok {
		return nil
	}
	prefix := fmt.Sprintf("arn:%s:elasticloadbalancing:%s:%s:", c.Partition, c.Region, c.Account)
	balancerARN, targetARN := prefix+"loadbalancer/"+balancerSuffix, prefix+"targetgroup/"+targetSuffix
	group, _ := c.referencedObject("autoscalingGroupName")
	call := &Call{Cloud: c.Cloud, Row: rows[scalingGroupType], Tx: c.Tx, ID: group.ID, Out: group.State}
	if err := refreshScalingGroup(call); err != nil {
		return err
	}
	if !slices.Contains(call.Out.Strings("targetGroupArns"), targetARN) {
		return refuse("ValidationError", "The target group %s is not attached to the Auto Scaling group %s", targetARN, group.ID)
	}
	if !slices.Contains(c.loadBalancerARNs(targetARN), balancerARN) {
		return refuse("ValidationError", "The load balancer does not route traffic to the target group: no listener of %s forwards to %s; let the policy depend on it",
			balancerARN, targetARN)
	}
	return nil
}
