package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
)

var nodeExamples = []example{
	{rule: "nodes-bounds", resource: "Group application-group", path: "minSize", bad: 60.0},
	{rule: "nodes-capacity-left-to-autoscaler", resource: "Group web-group", path: "desiredCapacity", bad: 3.0, ifAbsent: evaluate.Holds, preparation: []edit{set("Group web-group", "desiredCapacity", nil), change("Group web-group", func(r *graph.Resource) { r.IgnoreChanges = nil })}},
	{rule: "nodes-drain-before-end", resource: "LifecycleHook web-drain", path: "heartbeatTimeout", bad: 1.0, subject: "Group web-group", ifAbsent: evaluate.Holds},
	{rule: "nodes-drain-before-end", resource: "LifecycleHook web-drain", path: "autoscalingGroupName", bad: "another", subject: "Group web-group"},
	{rule: "nodes-imdsv2", resource: "LaunchTemplate application-template", path: "metadataOptions", bad: nil},
	{rule: "nodes-instance-type", resource: "Group web-group", path: "mixedInstancesPolicy.launchTemplate.overrides.1.instanceType", bad: "m7i.3xlarge"},
	{rule: "nodes-instance-type", resource: "LaunchTemplate web-template", path: "instanceType", bad: "m99.xlarge", ifAbsent: evaluate.Holds},
	{rule: "nodes-launch-template", resource: "Group web-group", path: "mixedInstancesPolicy", bad: nil, alsoBroken: []string{"nodes-several-types @ Group web-group"}},
	{rule: "nodes-launch-template", resource: "Group application-group", path: "launchConfiguration", bad: true, ifAbsent: evaluate.Holds},
	{rule: "nodes-load-balancer-health", resource: "Group web-group", path: "healthCheckType", bad: "EC2"},
	{rule: "nodes-metadata-hop-limit", resource: "LaunchTemplate application-template", path: "metadataOptions.httpPutResponseHopLimit", bad: 999999.0, ifAbsent: evaluate.Holds},
	{rule: "nodes-no-key-pair", resource: "LaunchTemplate application-template", path: "keyName", bad: true, ifAbsent: evaluate.Holds},
	{rule: "nodes-no-public-address", resource: "LaunchTemplate web-template", path: "networkInterfaces", bad: []any{map[string]any{"associatePublicIpAddress": "true"}}, ifAbsent: evaluate.Holds},
	{rule: "nodes-one-capacity-owner", resource: "Group web-group", path: "tags", bad: []any{map[string]any{"key": "k8s.io/cluster-autoscaler/enabled", "value": "true"}}, ifAbsent: evaluate.Holds, preparation: []edit{
		set("Group web-group", "tags", []any{}),
		add("aws:autoscaling/policy:Policy", "grow", map[string]any{"scalingAdjustment": 1.0}, map[string]string{"autoscalingGroupName": "Group web-group"}),
		add("aws:cloudwatch/metricAlarm:MetricAlarm", "busy", map[string]any{"alarmActions": []any{"arn"}}, map[string]string{"alarmActions": "Policy grow"}),
	}},
	{rule: "nodes-refresh-not-by-tags", resource: "Group web-group", path: "instanceRefresh.triggers", bad: []any{"tag"}, ifAbsent: evaluate.Holds},
	{rule: "nodes-refresh-stops", resource: "Group web-group", path: "instanceRefresh.preferences.autoRollback", bad: true, ifAbsent: evaluate.Holds},
	{rule: "nodes-refresh-stops", resource: "Group web-group", path: "instanceRefresh.preferences.alarmSpecification", bad: nil},
	{rule: "nodes-refresh-stops", resource: "Group web-group", path: "instanceRefresh.preferences.checkpointPercentages", bad: []any{100.0}},
	{rule: "nodes-several-types", resource: "Group application-group", path: "mixedInstancesPolicy.launchTemplate.overrides", bad: nil},
	{rule: "nodes-two-zones", resource: "Group application-group", path: "vpcZoneIdentifiers", bad: nil},
	{rule: "nodes-detailed-monitoring", resource: "LaunchTemplate web-template", path: "monitoring.enabled", bad: false},
	{rule: "nodes-volumes-deleted", resource: "LaunchTemplate web-template", path: "blockDeviceMappings.0.ebs.deleteOnTermination", bad: "false"},
	{rule: "nodes-volumes-encrypted", resource: "LaunchTemplate application-template", path: "blockDeviceMappings.0.ebs.encrypted", bad: nil},
	{rule: "nodes-volumes-encrypted", resource: "LaunchTemplate application-template", path: "blockDeviceMappings", bad: nil},
}
