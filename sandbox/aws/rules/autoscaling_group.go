package rules

import (
	"fmt"
	"slices"
	"time"
)

const scalingGroupType = "aws:autoscaling/group:Group"

// toScalingGroup is a reference to an Auto Scaling group. The deletion of the group also
// deletes the resource that has the reference.
var toScalingGroup = &Ref{To: []string{scalingGroupType}, By: []string{"name"}, Noun: "AutoScalingGroup name", Missing: "ValidationError", DeletedWith: true}

// groupMetrics are the metrics in
// autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html, without the metrics of warm
// pools.
var groupMetrics = []string{
	"GroupMinSize", "GroupMaxSize", "GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupStandbyInstances",
	"GroupTerminatingInstances", "GroupTotalInstances", "GroupInServiceCapacity", "GroupPendingCapacity", "GroupStandbyCapacity",
	"GroupTerminatingCapacity", "GroupTotalCapacity",
}

// checkGroupName returns a message unless the value is printable ASCII without spaces and colons
// (AutoScaling/latest/APIReference/API_CreateAutoScalingGroup.html).
var checkGroupName = pattern(`[!-9;-~]+`, "characters of ASCII from 33 to 126 without a colon")

// templateSources are the properties that can define a group's instances. A program sets
// exactly one of them.
var templateSources = []string{"launchTemplate", "mixedInstancesPolicy", "launchConfiguration"}

var _ = registerRows(&Row{
	Token:  scalingGroupType,
	Source: "autoscaling/group.go", Page: "AutoScaling/latest/APIReference/API_CreateAutoScalingGroup.html",
	Label: "Auto Scaling Group", ID: "{name}", NotFound: "ValidationError",
	ExistsCode: "AlreadyExists", ExistsText: "AutoScalingGroup by this name already exists - A group with the name {name} already exists",
	Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 255},
	Props: Props{
		"name":                          {Replace: true, Computed: true, Valid: checkGroupName},
		"namePrefix":                    {Replace: true, Computed: true, Valid: all(length(1, 229), checkGroupName)},
		"minSize":                       {Valid: numbers(0, 10000)},
		"maxSize":                       {Valid: numbers(0, 10000)},
		"desiredCapacity":               {Computed: true, Valid: numbers(0, 10000)},
		"desiredCapacityType":           {Enum: []string{"units", "vcpu", "memory-mib"}},
		"vpcZoneIdentifiers":            {Set: true, Computed: true, Ref: toSubnet},
		"availabilityZones":             {Set: true, Computed: true, Refuse: "groups outside a VPC have no rules; use vpcZoneIdentifiers"},
		"launchTemplate":                {Computed: true},
		"launchTemplate.id":             {Computed: true, Ref: toLaunchTemplate},
		"launchTemplate.name":           {Computed: true, Ref: toLaunchTemplateName},
		"launchTemplate.version":        {Computed: true, Valid: checkTemplateVersion},
		"launchConfiguration":           {Refuse: "AWS recommends launch templates instead"},
		"targetGroupArns":               {Set: true, Computed: true, Valid: checkARN, Ref: toAutoScalingTargets},
		"healthCheckType":               {Computed: true, Enum: []string{"EC2", "ELB"}},
		"healthCheckGracePeriod":        {Default: 300.0, Valid: numbers(0, 1e9)},
		"defaultCooldown":               {Computed: true, Valid: numbers(0, 1e9)},
		"defaultInstanceWarmup":         {Valid: numbers(0, 1e9)},
		"capacityRebalance":             {},
		"protectFromScaleIn":            {Default: false},
		"maxInstanceLifetime":           {Valid: zeroOr(86400, 31536000)},
		"terminationPolicies":           {Enum: terminationPolicies},
		"suspendedProcesses":            {Set: true, Enum: scalingProcesses},
		"enabledMetrics":                {Set: true, Enum: groupMetrics},
		"metricsGranularity":            {Default: "1Minute", Enum: []string{"1Minute"}},
		"serviceLinkedRoleArn":          {Computed: true, Valid: checkARN},
		"forceDelete":                   {Default: false},
		"forceDeleteWarmPool":           {Default: false},
		"ignoreFailedScalingActivities": {Default: false},
		"waitForCapacityTimeout":        {Default: "10m", Valid: checkDuration},
		"waitForElbCapacity":            {Valid: numbers(0, 10000)},
		"minElbCapacity":                {Valid: numbers(0, 10000)},
		"tags":                          {Set: true, Max: maxTags},
		"tags.key":                      {},
		"tags.value":                    {},
		"tags.propagateAtLaunch":        {},
		"instanceMaintenancePolicy":     {},
		"instanceMaintenancePolicy.minHealthyPercentage": {Valid: numbers(0, 100)},
		"instanceMaintenancePolicy.maxHealthyPercentage": {Valid: numbers(100, 200)},
		"initialLifecycleHooks":                          {Replace: true, Set: true, Refuse: "are not supported yet; use lifecycleHook"},
		"trafficSources":                                 {Set: true, Computed: true, Refuse: "is not supported yet; use targetGroupArns"},
		"loadBalancers":                                  {Set: true, Computed: true, Refuse: "classic load balancers are not supported"},
		"availabilityZoneDistribution":                   {Computed: true, Refuse: "is not supported yet"},
		"capacityReservationSpecification":               {Computed: true, Refuse: "capacity reservations are not supported"},
		"placementGroup":                                 {Refuse: "placement groups are not supported"},
		"warmPool":                                       {Refuse: "is not supported yet"},
		"context":                                        {Refuse: "reserved by AWS"},
	}.with(mixedInstancesPolicyProps).with(instanceRefreshProps),
	ExactlyOne: [][]string{templateSources, {"vpcZoneIdentifiers", "availabilityZones"}},
	AtMostOne:  [][]string{{"name", "namePrefix"}},
	Check:      checkScalingGroup,
	Verify:     verifyScalingGroup,
	Fill:       fillScalingGroup,
	Refresh:    refreshScalingGroup,
})

// scalingProcesses are the processes of a group that can be suspended
// (autoscaling/ec2/userguide/as-suspend-resume-processes.html).
var scalingProcesses = []string{
	"Launch", "Terminate", "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck", "InstanceRefresh", "ReplaceUnhealthy", "ScheduledActions",
}

// terminationPolicies are the predefined policies in
// autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html. The stand-in
// does not support Lambda functions as policies yet.
var terminationPolicies = []string{
	"Default", "AllocationStrategy", "OldestLaunchTemplate", "OldestLaunchConfiguration", "ClosestToNextInstanceHour", "NewestInstance", "OldestInstance",
}

// checkDuration returns a message unless v is a duration in Go's format, which the
// provider requires.
func checkDuration(v any) string {
	s, _ := v.(string)
	if d, err := time.ParseDuration(s); err != nil || d < 0 {
		return fmt.Sprintf("%q must be a duration as in 10m", s)
	}
	return ""
}

// checkScalingGroup checks the sizes, the subnets, the launch template, the tags and the policies
// of a group.
func checkScalingGroup(in Object, fail Fail) {
	low, lowKnown := in["minSize"].(float64)
	high, highKnown := in["maxSize"].(float64)
	desired, desiredKnown := in["desiredCapacity"].(float64)
	if lowKnown && highKnown && low > high {
		fail("minSize", "%v is above maxSize, %v", low, high)
	}
	tooLow, tooHigh := lowKnown && desired < low, highKnown && desired > high
	if desiredKnown && (tooLow || tooHigh) {
		fail("desiredCapacity", "Desired capacity:%v must be between the specified min size:%v and max size:%v", desired, low, high)
	}
	if len(in.Strings("vpcZoneIdentifiers")) == 0 && in.Known("vpcZoneIdentifiers") {
		fail("vpcZoneIdentifiers", "at least one subnet must be given")
	}
	if in.Known("launchTemplate") && !in.Object("launchTemplate").hasExactlyOne("id", "name") {
		fail("launchTemplate", "exactly one of id and name must be given")
	}
	tags := map[string]any{}
	for i, tag := range in.Objects("tags") {
		key := tag.String("key")
		if !tag.Known("key") {
			continue
		}
		if _, exists := tags[key]; exists {
			fail(fmt.Sprintf("tags[%d].key", i), "the tag %s is given twice", key)
		}
		tags[key] = tag["value"]
	}
	checkTags(tags, maxTags, fail)
	// AutoScaling/latest/APIReference/API_InstanceMaintenancePolicy.html
	policy := in.Object("instanceMaintenancePolicy")
	bothKnown := policy.Known("minHealthyPercentage") && policy.Known("maxHealthyPercentage")
	if bothKnown && policy.Int("maxHealthyPercentage")-policy.Int("minHealthyPercentage") > 100 {
		fail("instanceMaintenancePolicy.maxHealthyPercentage", "may be at most 100 above minHealthyPercentage")
	}
	checkMixedInstancesPolicy(in, fail)
	checkInstanceRefresh(in, fail)
}

// fillScalingGroup computes the outputs of a group. If an update requires an instance refresh,
// fillScalingGroup stores a record of the refresh.
func fillScalingGroup(c *Call) error {
	c.Out.setDefaults(map[string]any{
		"desiredCapacity": c.Out["minSize"], "healthCheckType": "EC2", "defaultCooldown": 300.0, "targetGroupArns": []any{},
		"serviceLinkedRoleArn": fmt.Sprintf("arn:%s:iam::%s:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling", c.Partition, c.Account),
		"predictedCapacity":    0.0, "warmPoolSize": 0.0,
	})
	// If the desired capacity is outside new limits, AWS sets it to the nearest limit
	// (autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html).
	c.Out["desiredCapacity"] = float64(min(max(c.Out.Int("desiredCapacity"), c.Out.Int("minSize")), c.Out.Int("maxSize")))
	zones := []any{}
	for _, subnet := range c.referencedObjects("vpcZoneIdentifiers") {
		if zone := subnet.State["availabilityZone"]; !slices.Contains(zones, zone) {
			zones = append(zones, zone)
		}
	}
	c.Out["availabilityZones"] = zones
	c.fillLaunchTemplates()
	if c.Old == nil {
		groupARN, err := c.expand("arn:{partition}:autoscaling:{region}:{account}:autoScalingGroup:{uuid}:autoScalingGroupName/{name}")
		c.Out["arn"] = groupARN
		return err
	}
	return c.recordInstanceRefresh()
}
