package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/value"
)

var stackExamples = []example{
	{rule: "alarm-has-action", resource: "MetricAlarm web-cpu-high", path: "alarmActions", bad: nil},
	{rule: "alarm-enabled", resource: "MetricAlarm error-rate-high", path: "actionsEnabled", bad: false, ifAbsent: evaluate.Holds},
	{rule: "alarm-names-differ", resource: "MetricAlarm web-cpu-high", path: "name", bad: "progressive-framework-v5-app-prod-cpu-high", ifAbsent: evaluate.Holds, alsoBroken: []string{"alarm-names-differ @ MetricAlarm application-cpu-high"}},
	{rule: "names-within-limits", resource: "TargetGroup web", path: "name", bad: "a-name-that-is-longer-than-thirty-two-characters", ifAbsent: evaluate.Holds},
	{
		rule: "output-no-secret", resource: "Stack prod", edits: setOutputs(map[string]any{"adminPassword": "in clear text", "url": "x"}), ifAbsent: evaluate.Holds,
		without: setOutputs(map[string]any{"url": "x"}), hiding: setOutputs(map[string]any{"adminPassword": value.Undetermined{}, "url": "x"}),
	},
	{rule: "provider-account", resource: "aws aws", path: "allowedAccountIds", bad: nil},
	{rule: "tags-of-stack", resource: "aws aws", path: "defaultTags", bad: nil},
}

// setOutputs returns the edits that replace the outputs of the stack.
func setOutputs(all map[string]any) []edit {
	return []edit{change("Stack prod", func(r *graph.Resource) { r.Outputs = value.New(all) })}
}
