package ruleset

import (
	"strings"

	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/value"
)

var spending = []*rule.Rule{
	{
		ID: "cost-within-budget", Title: "The stack costs no more than its budget",
		Why: "The bill comes a month after the change that raised it.",
		Fix: "the keys of sizes and numbers, or policy.cost.monthlyBudget", Standards: []string{"WA COST02"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			problems := cost.EstimateProblems(s.Spending.Estimates)
			s.Must(value.FromBool(len(problems) == 0), "policy.cost: %s", strings.Join(problems, "; "))
			growthLimit := s.Spending.MaxGrowthPercent
			s.Must(value.FromBool(growthLimit >= 0 && growthLimit <= maxGrowthLimit), "policy.cost.maxGrowthPercent is %d, must be 1 to %d", growthLimit, int64(maxGrowthLimit))
			budget := s.Spending.MonthlyBudget
			if budget == 0 {
				return
			}
			s.Must(value.FromBool(budget > 0 && budget <= maxBudget), "policy.cost.monthlyBudget is %d, must be 1 to %d", budget, int64(maxBudget))
			report := cost.Estimate(&source.Stack{Graph: s.Graph}, cost.Options{Now: s.Now, Estimates: s.Spending.Estimates})
			if report.NoFigure != "" {
				s.LeaveUndecided("the cost: " + report.NoFigure)
				return
			}
			// An item that is not known yet can only increase the cost, so a total within the
			// budget is not decided yet. An item without a price does not count; the message
			// has the number of such items.
			withinBudget := value.FromBool(report.Total.Expected <= cost.Micros(min(budget, maxBudget))*cost.Dollar)
			if len(report.Undecided) > 0 {
				withinBudget = value.All(withinBudget, value.Unknown)
			}
			s.Must(withinBudget, "the expected cost is %s a month, with %d items not known yet and %d without a price; the budget is %s",
				report.Total.Expected, len(report.Undecided), len(report.Unpriced), cost.Micros(budget)*cost.Dollar)
		}, "pulumi:pulumi:Stack"),
	},
}

const (
	// maxBudget is the largest budget, in dollars a month.
	maxBudget = 10_000_000
	// maxGrowthLimit is the largest limit for the growth by one change, in percent.
	maxGrowthLimit = 1_000
)
