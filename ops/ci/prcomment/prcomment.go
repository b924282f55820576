// Package prcomment renders previews as a comment of a pull request. The comment begins with a table
// of the stacks, the reasons to refuse the change, and the resources that would be lost. Policies,
// images, cost and details follow. The package owns the order and the length of the text. It does no
// I/O.
package prcomment

import (
	"fmt"
	"strings"

	"github.com/progressive-framework/platform/ops/ci/approval"
	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/report"
)

// Marker is the first line of each comment. The next run finds the comment by this line, which
// GitHub does not show.
const Marker = "<!-- progressive-framework: preview -->"

// Limit is the maximum length of a comment in bytes. GitHub accepts 65,536 characters.
const Limit = 60_000

// Cost is the monthly cost of a stack before and after the change.
type Cost struct {
	Before     cost.Report     `json:"before"`
	After      cost.Report     `json:"after"`
	Difference cost.Difference `json:"difference"`
}

// Stack is the preview of one stack.
type Stack struct {
	// Plan has the steps of the change.
	Plan *canonicalplan.Plan
	// Policy has the findings. A finding is New if the state before the change, or the base commit,
	// does not have it.
	Policy *report.Report
	// Cost is nil if the cost could not be estimated.
	Cost *Cost
	// Budget is the highest monthly cost of the stack. 0 means no limit.
	Budget cost.Micros
	// MaxGrowth is the highest growth of the monthly cost that the change may cause, in percent.
	// 0 means no limit.
	MaxGrowth int64
	// Losses are the replaced or deleted resources that hold data, an address or an identity.
	Losses []approval.Loss
}

// RefusalReasons returns the reasons to refuse the change.
func (s Stack) RefusalReasons() (all []string) {
	if n := s.countFindings(report.Mandatory, true); n > 0 {
		all = append(all, fmt.Sprintf("%s that the state does not have", formatCount(n, "mandatory violation")))
	}
	if n := approval.CountUnapproved(s.Losses); n > 0 {
		all = append(all, fmt.Sprintf("%s would be replaced or deleted without an approval", formatCount(n, "stateful resource")))
	}
	if s.isOverBudget() {
		all = append(all, fmt.Sprintf("the stack would cost %s a month, the budget is %s", s.Cost.After.Total.Expected, s.Budget))
	}
	if growth, ok := s.costGrowth(); ok && s.MaxGrowth > 0 && growth > s.MaxGrowth {
		all = append(all, fmt.Sprintf("the cost of a month would grow by %d %%, policy.cost.maxGrowthPercent allows %d %%", growth, s.MaxGrowth))
	}
	return all
}

// costGrowth returns the growth of the monthly cost in percent. It returns false if there is no
// earlier cost to compare with.
func (s Stack) costGrowth() (int64, bool) {
	if s.Cost == nil {
		return 0, false
	}
	return s.Cost.Difference.Growth()
}

// isOverBudget reports whether the stack would cost more than its budget. Without a budget or without
// an estimate it returns false.
func (s Stack) isOverBudget() bool {
	return s.Budget > 0 && s.Cost != nil && s.Cost.After.NoFigure == "" && s.Cost.After.Total.Expected > s.Budget
}

// Summary returns the number of changes by operation and the number of policy findings, in one line.
func (s Stack) Summary() string {
	c := s.Plan.Counts()
	return fmt.Sprintf("%d to create, %d to update, %d to replace, %d to delete; policies: %s", c.Create, c.Update, c.Replace, c.Delete, s.policyCell())
}

// countFindings returns the number of findings of one kind. isNew selects the new findings or the
// existing findings.
func (s Stack) countFindings(kind report.Kind, isNew bool) int {
	n := 0
	for _, f := range s.Policy.Findings {
		if f.Kind == kind && f.New == isNew {
			n++
		}
	}
	return n
}

// policyCell returns the numbers of policy findings, for a table cell.
func (s Stack) policyCell() string {
	waived := s.countFindings(report.Waived, true) + s.countFindings(report.Waived, false)
	text := fmt.Sprintf("%d new", s.countFindings(report.Mandatory, true))
	if existing := s.countFindings(report.Mandatory, false); existing > 0 {
		text += fmt.Sprintf(", %d existing", existing)
	}
	return fmt.Sprintf("%s, %d fixed, %d waived", text, len(s.Policy.Fixed), waived)
}

// nameCell returns the stack's name for a table cell. For a plan without the stack's state it adds
// "(offline)".
func (s Stack) nameCell() string {
	if s.Plan.Offline {
		return codeCell(s.Plan.Stack) + " (offline)"
	}
	return codeCell(s.Plan.Stack)
}

// codeCell formats a text as code in a table cell. It replaces the characters that would end the
// code or the cell. A user name such as @octocat in code sends no
// notification.
func codeCell(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", `\|`, "\n", " ", "\r", " ").Replace(s) + "`"
}

// textCell formats a text for a table cell. It escapes the characters that are markup, end the
// cell or mention a user.
func textCell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;", ">", "&gt;", "`", "'", "@", "@&#8203;", "[", `\[`).Replace(s)
}

// formatCount returns a number with its noun, such as "1 row" or "2 rows".
func formatCount(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
