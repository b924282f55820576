// Package approval decides which changes of a plan need an approval, and reads the file with
// the approvals. A resource with data, an address or an identity is replaced or deleted only
// if somebody has approved it. The package does no I/O.
package approval

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/protection/stateful"
	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
)

// Migrate and Rollback are operations of pf promote and pf rollback. Migrate is a schema migration
// of PostgreSQL that does more than add objects. Rollback is the return to a release that does not
// contain one of the applied migrations.
const (
	Migrate  canonicalplan.Op = "migrate"
	Rollback canonicalplan.Op = "rollback"
)

// Approval permits one operation that loses something. All fields are required.
type Approval struct {
	Stack string `json:"stack"`
	// Resource is the resource's name in Pulumi, or the file of the schema migration. * matches any
	// text without a slash.
	Resource string `json:"resource"`
	// Op is replace, delete, Migrate or Rollback.
	Op     canonicalplan.Op `json:"op"`
	Reason string           `json:"reason"`
	Owner  string           `json:"owner"`
	// Until is the last valid day, YYYY-MM-DD.
	Until string `json:"until"`
}

// File is the file with a project's approvals, relative to the project's folder.
const File = ".ci/approvals.yaml"

// maxDays is the maximum number of days from today to Until. An approval is for one change only, so
// it must expire soon.
const maxDays = 30

// Loss is a step of a plan that loses what a resource holds: data, an address or an identity.
type Loss struct {
	canonicalplan.Step
	// Holds names what the resource holds.
	Holds string
	// Approval is the approval that permits the change, or nil.
	Approval *Approval
	// Refused explains why no approval permits the change.
	Refused string
}

// Parse reads a file of approvals: a list named approvals. It reports every problem.
func Parse(raw []byte) ([]Approval, error) {
	var file struct {
		Approvals []Approval `json:"approvals"`
	}
	if err := yaml.UnmarshalStrict(raw, &file); err != nil {
		return nil, fmt.Errorf("approvals: %w", err)
	}
	var problems []string
	for i, a := range file.Approvals {
		for name, value := range map[string]string{"stack": a.Stack, "resource": a.Resource, "reason": a.Reason, "owner": a.Owner} {
			if strings.TrimSpace(value) == "" {
				problems = append(problems, fmt.Sprintf("approvals[%d].%s is empty", i, name))
			}
		}
		if !slices.Contains([]canonicalplan.Op{canonicalplan.Replace, canonicalplan.Delete, Migrate, Rollback}, a.Op) {
			problems = append(problems, fmt.Sprintf("approvals[%d].op is %q, must be replace, delete, migrate or rollback", i, a.Op))
		}
		if _, err := time.Parse(time.DateOnly, a.Until); err != nil {
			problems = append(problems, fmt.Sprintf("approvals[%d].until is %q, must be a day such as 2026-12-31", i, a.Until))
		}
		if _, err := path.Match(a.Resource, ""); err != nil {
			problems = append(problems, fmt.Sprintf("approvals[%d].resource is %q: %v", i, a.Resource, err))
		}
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return nil, fmt.Errorf("approvals: %s", strings.Join(problems, "; "))
	}
	return file.Approvals, nil
}

// Find returns the approval that is valid now for an operation on a resource of a stack. Without a
// valid approval it returns nil, and reason explains why.
func Find(approvals []Approval, stack string, op canonicalplan.Op, resource string, now time.Time) (found *Approval, reason string) {
	reason = "nobody has approved it"
	for _, a := range approvals {
		matches, err := path.Match(a.Resource, resource)
		if err != nil || !matches || a.Stack != stack || a.Op != op {
			continue
		}
		until, err := time.Parse(time.DateOnly, a.Until)
		switch {
		case err != nil: // Parse refuses such a day, so this approval does not count
		case now.After(until.AddDate(0, 0, 1)):
			reason = fmt.Sprintf("the approval of %s ended on %s", a.Owner, a.Until)
		case until.After(now.AddDate(0, 0, maxDays)):
			reason = fmt.Sprintf("the approval of %s is until %s, more than %d days ahead", a.Owner, a.Until, maxDays)
		default:
			return &a, ""
		}
	}
	return nil, reason
}

// FindLosses returns the steps of a plan that lose what a resource holds, deletions first. A
// resource with an unclassified type is also in the list, because it may hold data.
func FindLosses(plan *canonicalplan.Plan, approvals []Approval, now time.Time) []Loss {
	var losses []Loss
	for _, step := range plan.Steps {
		if step.Op != canonicalplan.Replace && step.Op != canonicalplan.Delete {
			continue
		}
		kind := canonicalplan.Type(step.URN)
		holds, known := stateful.HoldsState(kind, canonicalplan.IsInComponent(step.URN))
		if known && !holds {
			continue
		}
		loss := Loss{Step: step, Holds: cmp.Or(stateful.Reason(kind), "not classified")}
		loss.Approval, loss.Refused = Find(approvals, plan.Stack, step.Op, canonicalplan.Name(step.URN), now)
		losses = append(losses, loss)
	}
	slices.SortStableFunc(losses, func(a, b Loss) int { return cmp.Compare(a.Op, b.Op) })
	return losses
}

// CountUnapproved returns the number of losses without an approval.
func CountUnapproved(losses []Loss) int {
	n := 0
	for _, loss := range losses {
		if loss.Approval == nil {
			n++
		}
	}
	return n
}
