package ruleset_test

import (
	"testing"

	"github.com/progressive-framework/platform/policy/evaluate"
)

// configured sets the value of the key progressive-framework:policy.
func configured(config string) edit {
	return func(_ testing.TB, env *environment) { env.config = config }
}

var spendingExamples = []example{
	// Three shards of two nodes are within the budget, 30 are not. Without the number
	// there is one shard.
	{
		rule: "cost-within-budget", on: "Stack prod", at: "ReplicationGroup redis-cluster", path: "numNodeGroups", bad: 30.0,
		given: []edit{configured(`{"cost":{"monthlyBudget":8000}}`)}, absent: evaluate.Holds,
	},
	{rule: "cost-within-budget", at: "Stack prod", edits: []edit{configured(`{"cost":{"monthlyBudget":1000}}`)}},
	{rule: "cost-within-budget", at: "Stack prod", edits: []edit{configured(`{"cost":{"monthlyBudget":-1}}`)}},
	{rule: "cost-within-budget", at: "Stack prod", edits: []edit{configured(`{"cost":{"maxGrowthPercent":-1}}`)}},
	{rule: "cost-within-budget", at: "Stack prod", edits: []edit{configured(`{"cost":{"estimates":{"natGb":1}}}`)}},
}
