package canonicalplan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Differences returns one text for each difference between an approved plan and the current plan. The
// list is empty only if both plans have the same digest.
func Differences(approved, current *Plan) []string {
	if approved.Digest == current.Digest {
		return nil
	}
	var differences []string
	for _, field := range []struct{ name, approved, current, fix string }{
		{"stack", approved.Stack, current.Stack, "approve a plan of this stack"},
		{"commit", approved.Commit, current.Commit, "the program has changed: preview it again and approve that plan"},
		{"configuration", approved.Config, current.Config, "the configuration has changed: preview again and approve that plan"},
		{"state", approved.State, current.State, "another update or refresh has run since: preview again and approve that plan"},
	} {
		if field.approved != field.current {
			differences = append(differences, fmt.Sprintf("%s: approved %s, now %s: %s", field.name, shortDigest(field.approved), shortDigest(field.current), field.fix))
		}
	}
	approvedSteps, currentSteps := stepsByURN(approved), stepsByURN(current)
	for _, urn := range slices.Sorted(maps.Keys(approvedSteps)) {
		switch currentStep, exists := currentSteps[urn]; {
		case !exists:
			differences = append(differences, fmt.Sprintf("%s: approved %s, now unchanged", typeAndName(urn), approvedSteps[urn].Op))
		default:
			if difference := describeDifference(approvedSteps[urn], currentStep); difference != "" {
				differences = append(differences, typeAndName(urn)+": "+difference)
			}
		}
	}
	for _, urn := range slices.Sorted(maps.Keys(currentSteps)) {
		if _, exists := approvedSteps[urn]; !exists {
			differences = append(differences, fmt.Sprintf("%s: not approved, now %s", typeAndName(urn), currentSteps[urn].Op))
		}
	}
	for _, image := range current.Images {
		index := slices.IndexFunc(approved.Images, func(a Image) bool { return a.Name == image.Name })
		if index >= 0 && approved.Images[index] != image {
			differences = append(differences, fmt.Sprintf("image %s: approved %s, now %s", image.Name, shortDigest(approved.Images[index].After), shortDigest(image.After)))
		}
	}
	if len(differences) == 0 {
		differences = append(differences, fmt.Sprintf("digest: approved %s, now %s: %d and %d resources are unchanged",
			shortDigest(approved.Digest), shortDigest(current.Digest), approved.Unchanged, current.Unchanged))
	}
	return differences
}

// stepsByURN returns the steps of a plan by URN.
func stepsByURN(p *Plan) map[string]Step {
	all := map[string]Step{}
	for _, s := range p.Steps {
		all[s.URN] = s
	}
	return all
}

// describeDifference describes how the current step of a resource differs from the approved step. It
// returns "" if the steps are equal.
func describeDifference(approved, current Step) string {
	if approved.Op != current.Op {
		return fmt.Sprintf("approved %s, now %s", approved.Op, current.Op)
	}
	var properties []string
	for name := range maps.Keys(current.Values) {
		if approved.Values[name] != current.Values[name] {
			properties = append(properties, name)
		}
	}
	for name := range maps.Keys(approved.Values) {
		if _, exists := current.Values[name]; !exists {
			properties = append(properties, name)
		}
	}
	slices.Sort(properties)
	switch {
	case len(properties) > 0:
		return "other new values of " + strings.Join(properties, ", ")
	case !slices.Equal(approved.Changed, current.Changed):
		return fmt.Sprintf("approved a change of %s, now of %s", joinOrNothing(approved.Changed), joinOrNothing(current.Changed))
	case !slices.Equal(approved.Because, current.Because):
		return fmt.Sprintf("approved to replace for %s, now for %s", joinOrNothing(approved.Because), joinOrNothing(current.Because))
	}
	return ""
}

// joinOrNothing returns the names with commas, or "nothing" for an empty list.
func joinOrNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// typeAndName returns the type and the name of a resource.
func typeAndName(urn string) string { return Type(urn) + " " + Name(urn) }

// shortDigest returns the first 12 characters of a digest or a commit, and "none" for an empty
// string. It does not shorten a commit that ends in + and the digest of uncommitted changes.
func shortDigest(s string) string {
	s = strings.TrimPrefix(s, "sha256:")
	switch {
	case s == "":
		return "none"
	case len(s) > 12 && !strings.Contains(s, "+"):
		return s[:12]
	}
	return s
}

// PlanBetween returns a plan of the changes from the plan before to the plan after. Both must be
// plans for an empty state, so they have every resource of the program. A resource that is only in
// after is created. A resource that is only in before is deleted. A resource with other values is
// updated, because the two plans do not show whether AWS would replace it.
func PlanBetween(before, after *Plan) (*Plan, error) {
	p := *after
	p.Steps, p.Unchanged, p.Images = []Step{}, 0, nil
	earlier, later := stepsByURN(before), stepsByURN(after)
	for urn, step := range later {
		earlierStep, ok := earlier[urn]
		switch {
		case !ok:
			p.Steps = append(p.Steps, step)
		case describeDifference(earlierStep, step) == "":
			p.Unchanged++
		default:
			changed := Step{Op: Update, URN: urn, Values: step.Values}
			for name := range step.Values {
				if earlierStep.Values[name] != step.Values[name] {
					changed.Changed = append(changed.Changed, name)
				}
			}
			for name := range earlierStep.Values {
				if _, ok := step.Values[name]; !ok {
					changed.Changed = append(changed.Changed, name)
				}
			}
			slices.Sort(changed.Changed)
			p.Steps = append(p.Steps, changed)
		}
	}
	for urn := range earlier {
		if _, ok := later[urn]; !ok {
			p.Steps = append(p.Steps, Step{Op: Delete, URN: urn})
		}
	}
	for _, image := range after.Images {
		if index := slices.IndexFunc(before.Images, func(b Image) bool { return b.Name == image.Name }); index >= 0 {
			image.Before = before.Images[index].After
		}
		p.Images = append(p.Images, image)
	}
	return &p, p.sortAndSetDigest()
}

// DoneOperation is an operation that an update did.
type DoneOperation struct {
	URN string
	// Step is the engine's name of the operation, such as create-replacement.
	Step string
}

// CompareOperations compares the operations of an update with the plan. unplanned describes the
// operations that are not in the plan. unneeded describes the planned operations that did not happen.
// A preview counts each unknown value as a change, so an update may do less than its plan.
func (p *Plan) CompareOperations(done []DoneOperation) (unplanned, unneeded []string) {
	planned := stepsByURN(p)
	seenURNs, seenSteps := map[string]bool{}, map[DoneOperation]bool{}
	for _, operation := range done {
		op, changes := planOperation(operation.Step)
		if !changes {
			continue
		}
		plannedStep, ok := planned[operation.URN]
		// An update can do the same step of a URN more than once, for example delete several old
		// copies of a resource. unplanned describes the step once.
		repeated := seenSteps[operation]
		seenURNs[operation.URN], seenSteps[operation] = true, true
		if repeated {
			continue
		}
		// The engine reports a replacement as one operation, or as a creation and a deletion.
		partOfReplacement := plannedStep.Op == Replace && op != Update
		if ok && (plannedStep.Op == op || partOfReplacement) {
			continue
		}
		difference := fmt.Sprintf("%s: done %s, approved %s", typeAndName(operation.URN), op, plannedStep.Op)
		if !ok {
			difference = fmt.Sprintf("%s: done %s, not approved", typeAndName(operation.URN), op)
		}
		unplanned = append(unplanned, difference)
	}
	for _, step := range p.Steps {
		if !seenURNs[step.URN] {
			unneeded = append(unneeded, fmt.Sprintf("%s: approved %s, was not needed", typeAndName(step.URN), step.Op))
		}
	}
	return unplanned, unneeded
}
