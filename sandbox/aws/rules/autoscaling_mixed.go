package rules

import (
	"fmt"
	"slices"
)

// maxOverrides is the maximum number of overrides in a mixed instances policy
// (autoscaling/ec2/userguide/ec2-auto-scaling-mixed-instances-groups.html).
const maxOverrides = 40

// mixedInstancesPolicyProps are the rules of a group's mixed instances policy.
var mixedInstancesPolicyProps = Props{
	"mixedInstancesPolicy":                                                           {Computed: true},
	"mixedInstancesPolicy.instancesDistribution":                                     {Computed: true},
	"mixedInstancesPolicy.instancesDistribution.onDemandAllocationStrategy":          {Computed: true, Enum: []string{"prioritized", "lowest-price"}},
	"mixedInstancesPolicy.instancesDistribution.onDemandBaseCapacity":                {Computed: true, Valid: numbers(0, 10000)},
	"mixedInstancesPolicy.instancesDistribution.onDemandPercentageAboveBaseCapacity": {Computed: true, Valid: numbers(0, 100)},
	"mixedInstancesPolicy.instancesDistribution.spotAllocationStrategy": {Computed: true, Enum: []string{
		"lowest-price", "capacity-optimized", "capacity-optimized-prioritized", "price-capacity-optimized",
	}},
	"mixedInstancesPolicy.instancesDistribution.spotInstancePools":         {Computed: true, Valid: numbers(0, 20)},
	"mixedInstancesPolicy.instancesDistribution.spotMaxPrice":              {Valid: pattern(`\d+(\.\d+)?`, "a price per hour")},
	"mixedInstancesPolicy.launchTemplate":                                  {},
	mixedSpecProp:                                                          {},
	mixedSpecProp + ".launchTemplateId":                                    {Computed: true, Ref: toLaunchTemplate},
	mixedSpecProp + ".launchTemplateName":                                  {Computed: true, Ref: toLaunchTemplateName},
	mixedSpecProp + ".version":                                             {Computed: true, Valid: checkTemplateVersion},
	mixedOverridesProp:                                                     {Computed: true, Max: maxOverrides},
	mixedOverridesProp + ".instanceType":                                   {Valid: checkInstanceType},
	mixedOverridesProp + ".weightedCapacity":                               {Valid: pattern(`[1-9]\d{0,2}`, "a number from 1 to 999")},
	mixedOverridesProp + ".launchTemplateSpecification":                    {},
	mixedOverridesProp + ".launchTemplateSpecification.launchTemplateId":   {Ref: toLaunchTemplate},
	mixedOverridesProp + ".launchTemplateSpecification.launchTemplateName": {Ref: toLaunchTemplateName},
	mixedOverridesProp + ".launchTemplateSpecification.version":            {Valid: checkTemplateVersion},
	mixedOverridesProp + ".instanceRequirements":                           {},
}.with(requirementProps(mixedOverridesProp + ".instanceRequirements."))

// distributionDefaults returns AWS's defaults for a policy's instances distribution
// (AutoScaling/latest/APIReference/API_InstancesDistribution.html).
func distributionDefaults(policy Object) map[string]any {
	out := map[string]any{
		"onDemandAllocationStrategy": "prioritized", "onDemandBaseCapacity": 0.0, "onDemandPercentageAboveBaseCapacity": 100.0,
		"spotAllocationStrategy": "lowest-price", "spotInstancePools": 0.0,
	}
	if hasRequirements(policy) {
		out["onDemandAllocationStrategy"] = "lowest-price"
	}
	// Only the strategy lowest-price, which is the default, has Spot pools.
	if strategy := policy.Object("instancesDistribution").String("spotAllocationStrategy"); strategy == "" || strategy == "lowest-price" {
		out["spotInstancePools"] = 2.0
	}
	return out
}

// hasRequirements reports whether a policy's overrides have instance requirements instead of
// instance types.
func hasRequirements(policy Object) bool {
	return slices.ContainsFunc(policy.Object("launchTemplate").Objects("overrides"), func(o Object) bool { return o.Has("instanceRequirements") })
}

// checkMixedInstancesPolicy reports failures for settings of a mixed instances policy that
// exclude each other. For a group without such a policy, it refuses a desiredCapacityType
// other than units.
func checkMixedInstancesPolicy(in Object, fail Fail) {
	policy := in.Object("mixedInstancesPolicy")
	if policy == nil {
		if in.Has("desiredCapacityType") && in.String("desiredCapacityType") != "units" {
			fail("desiredCapacityType", "is for instance requirements of a mixed instances policy")
		}
		return
	}
	spec := policy.Object("launchTemplate").Object("launchTemplateSpecification")
	if spec != nil && !spec.hasExactlyOne("launchTemplateId", "launchTemplateName") {
		fail(mixedSpecProp, "exactly one of launchTemplateId and launchTemplateName must be given")
	}
	usesRequirements, weightedCount := hasRequirements(policy), 0
	overrides := policy.Object("launchTemplate").Objects("overrides")
	for i, o := range overrides {
		path := fmt.Sprintf("%s[%d]", mixedOverridesProp, i)
		if o.Has("instanceType") && o.Has("instanceRequirements") {
			fail(path, "instanceType and instanceRequirements can't be given together")
		}
		if usesRequirements && !o.Has("instanceRequirements") {
			fail(path, "all overrides must have instanceRequirements, or none")
		}
		if spec := o.Object("launchTemplateSpecification"); spec != nil && !spec.hasExactlyOne("launchTemplateId", "launchTemplateName") {
			fail(path+".launchTemplateSpecification", "exactly one of launchTemplateId and launchTemplateName must be given")
		}
		if o.Has("weightedCapacity") {
			weightedCount++
		}
		checkRequirements(o.Object("instanceRequirements"), path+".instanceRequirements", fail)
	}
	if weightedCount != 0 && weightedCount != len(overrides) {
		fail(mixedOverridesProp, "all overrides must have a weightedCapacity, or none")
	}
	checkDistribution(policy.Object("instancesDistribution"), usesRequirements, fail)
}

// checkDistribution checks the strategies of a mixed instances policy. usesRequirements is true
// if the policy's overrides have instance requirements.
func checkDistribution(d Object, usesRequirements bool, fail Fail) {
	const prefix = "mixedInstancesPolicy.instancesDistribution."
	if usesRequirements && d.String("onDemandAllocationStrategy") == "prioritized" {
		fail(prefix+"onDemandAllocationStrategy", "must be lowest-price with instanceRequirements")
	}
	if usesRequirements && d.String("spotAllocationStrategy") == "capacity-optimized-prioritized" {
		fail(prefix+"spotAllocationStrategy", "capacity-optimized-prioritized needs instance types in an order")
	}
	if strategy := d.String("spotAllocationStrategy"); d.Int("spotInstancePools") > 0 && strategy != "" && strategy != "lowest-price" {
		fail(prefix+"spotInstancePools", "is for the strategy lowest-price")
	}
}
