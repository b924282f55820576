package ruleset_test

import (
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/value"
)

var stackExamples = []example{
	{rule: "alarm-has-action", at: "MetricAlarm web-cpu-high", path: "alarmActions", bad: nil},
	{rule: "alarm-enabled", at: "MetricAlarm error-rate-high", path: "actionsEnabled", bad: false, absent: evaluate.Holds},
	{rule: "alarm-names-differ", at: "MetricAlarm web-cpu-high", path: "name", bad: "progressive-framework-v5-app-prod-cpu-high", absent: evaluate.Holds, also: []string{"alarm-names-differ @ MetricAlarm application-cpu-high"}},
	{rule: "names-within-limits", at: "TargetGroup web", path: "name", bad: "a-name-that-is-longer-than-thirty-two-characters", absent: evaluate.Holds},
	{
		rule: "output-no-secret", at: "Stack prod", edits: outputs(map[string]any{"adminPassword": "in clear text", "url": "x"}), absent: evaluate.Holds,
		without: outputs(map[string]any{"url": "x"}), hiding: outputs(map[string]any{"adminPassword": value.Undetermined{}, "url": "x"}),
	},
	{rule: "provider-account", at: "aws aws", path: "allowedAccountIds", bad: nil},
	{rule: "tags-of-stack", at: "aws aws", path: "defaultTags", bad: nil},
}

// outputs sets the outputs of the stack.
func outputs(all map[string]any) []edit {
	return []edit{change("Stack prod", func(r *graph.Resource) { r.Outputs = value.New(all) })}
}
