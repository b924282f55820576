package ruleset_test

import (
	"testing"

	"github.com/progressive-framework/platform/policy/evaluate"
)

// setConfig returns an edit that sets the value of the key progressive-framework:policy.
func setConfig(config string) edit {
	return func(_ testing.TB, env *environment) { env.config = config }
}

var spendingExamples = []example{
	// Redis with three shards of two nodes is within the budget, and with 30 shards it is not.
	// Without numNodeGroups there is one shard.
	{
		rule: "cost-within-budget", subject: "Stack prod", resource: "ReplicationGroup redis-cluster", path: "numNodeGroups", bad: 30.0,
		preparation: []edit{setConfig(`{"cost":{"monthlyBudget":8000}}`)}, ifAbsent: evaluate.Holds,
	},
	{rule: "cost-within-budget", resource: "Stack prod", edits: []edit{setConfig(`{"cost":{"monthlyBudget":1000}}`)}},
	{rule: "cost-within-budget", resource: "Stack prod", edits: []edit{setConfig(`{"cost":{"monthlyBudget":-1}}`)}},
	{rule: "cost-within-budget", resource: "Stack prod", edits: []edit{setConfig(`{"cost":{"maxGrowthPercent":-1}}`)}},
	{rule: "cost-within-budget", resource: "Stack prod", edits: []edit{setConfig(`{"cost":{"estimates":{"natGb":1}}}`)}},
}
