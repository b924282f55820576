package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
)

var nodeExamples = []example{
	{rule: "nodes-bounds", at: "Group application-group", path: "minSize", bad: 60.0},
	{rule: "nodes-capacity-left-to-autoscaler", at: "Group web-group", path: "desiredCapacity", bad: 3.0, absent: evaluate.Holds, given: []edit{set("Group web-group", "desiredCapacity", nil), change("Group web-group", func(r *graph.Resource) { r.IgnoreChanges = nil })}},
	{rule: "nodes-drain-before-end", at: "LifecycleHook web-drain", path: "heartbeatTimeout", bad: 1.0, on: "Group web-group", absent: evaluate.Holds},
	{rule: "nodes-drain-before-end", at: "LifecycleHook web-drain", path: "autoscalingGroupName", bad: "another", on: "Group web-group"},
	{rule: "nodes-imdsv2", at: "LaunchTemplate application-template", path: "metadataOptions", bad: nil},
	{rule: "nodes-instance-type", at: "Group web-group", path: "mixedInstancesPolicy.launchTemplate.overrides.1.instanceType", bad: "m7i.3xlarge"},
	{rule: "nodes-instance-type", at: "LaunchTemplate web-template", path: "instanceType", bad: "m99.xlarge", absent: evaluate.Holds},
	{rule: "nodes-launch-template", at: "Group web-group", path: "mixedInstancesPolicy", bad: nil, also: []string{"nodes-several-types @ Group web-group"}},
	{rule: "nodes-launch-template", at: "Group application-group", path: "launchConfiguration", bad: true, absent: evaluate.Holds},
	{rule: "nodes-load-balancer-health", at: "Group web-group", path: "healthCheckType", bad: "EC2"},
	{rule: "nodes-metadata-hop-limit", at: "LaunchTemplate application-template", path: "metadataOptions.httpPutResponseHopLimit", bad: 999999.0, absent: evaluate.Holds},
	{rule: "nodes-no-key-pair", at: "LaunchTemplate application-template", path: "keyName", bad: true, absent: evaluate.Holds},
	{rule: "nodes-no-public-address", at: "LaunchTemplate web-template", path: "networkInterfaces", bad: []any{map[string]any{"associatePublicIpAddress": "true"}}, absent: evaluate.Holds},
	{rule: "nodes-one-capacity-owner", at: "Group web-group", path: "tags", bad: []any{map[string]any{"key": "k8s.io/cluster-autoscaler/enabled", "value": "true"}}, absent: evaluate.Holds, given: []edit{
		set("Group web-group", "tags", []any{}),
		add("aws:autoscaling/policy:Policy", "grow", map[string]any{"scalingAdjustment": 1.0}, map[string]string{"autoscalingGroupName": "Group web-group"}),
		add("aws:cloudwatch/metricAlarm:MetricAlarm", "busy", map[string]any{"alarmActions": []any{"arn"}}, map[string]string{"alarmActions": "Policy grow"}),
	}},
	{rule: "nodes-refresh-not-by-tags", at: "Group web-group", path: "instanceRefresh.triggers", bad: []any{"tag"}, absent: evaluate.Holds},
	{rule: "nodes-refresh-stops", at: "Group web-group", path: "instanceRefresh.preferences.autoRollback", bad: true, absent: evaluate.Holds},
	{rule: "nodes-refresh-stops", at: "Group web-group", path: "instanceRefresh.preferences.alarmSpecification", bad: nil},
	{rule: "nodes-refresh-stops", at: "Group web-group", path: "instanceRefresh.preferences.checkpointPercentages", bad: []any{100.0}},
	{rule: "nodes-several-types", at: "Group application-group", path: "mixedInstancesPolicy.launchTemplate.overrides", bad: nil},
	{rule: "nodes-two-zones", at: "Group application-group", path: "vpcZoneIdentifiers", bad: nil},
	{rule: "nodes-detailed-monitoring", at: "LaunchTemplate web-template", path: "monitoring.enabled", bad: false},
	{rule: "nodes-volumes-deleted", at: "LaunchTemplate web-template", path: "blockDeviceMappings.0.ebs.deleteOnTermination", bad: "false"},
	{rule: "nodes-volumes-encrypted", at: "LaunchTemplate application-template", path: "blockDeviceMappings.0.ebs.encrypted", bad: nil},
	{rule: "nodes-volumes-encrypted", at: "LaunchTemplate application-template", path: "blockDeviceMappings", bad: nil},
}
