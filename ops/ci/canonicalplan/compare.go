package canonicalplan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Differences returns the differences between an approved plan and a later plan, one text for each.
// The list is empty only if both plans have the same digest.
func Differences(approved, now *Plan) []string {
	if approved.Digest == now.Digest {
		return nil
	}
	var all []string
	for _, f := range []struct{ name, approved, now, fix string }{
		{"stack", approved.Stack, now.Stack, "approve a plan of this stack"},
		{"commit", approved.Commit, now.Commit, "the program has changed: preview it again and approve that plan"},
		{"configuration", approved.Config, now.Config, "the configuration has changed: preview again and approve that plan"},
		{"state", approved.State, now.State, "another update or refresh has run since: preview again and approve that plan"},
	} {
		if f.approved != f.now {
			all = append(all, fmt.Sprintf("%s: approved %s, now %s: %s", f.name, short(f.approved), short(f.now), f.fix))
		}
	}
	before, after := stepsByURN(approved), stepsByURN(now)
	for _, urn := range slices.Sorted(maps.Keys(before)) {
		switch later, ok := after[urn]; {
		case !ok:
			all = append(all, fmt.Sprintf("%s: approved %s, now unchanged", label(urn), before[urn].Op))
		default:
			if text := stepDifference(before[urn], later); text != "" {
				all = append(all, label(urn)+": "+text)
			}
		}
	}
	for _, urn := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[urn]; !ok {
			all = append(all, fmt.Sprintf("%s: not approved, now %s", label(urn), after[urn].Op))
		}
	}
	for _, i := range now.Images {
		at := slices.IndexFunc(approved.Images, func(a Image) bool { return a.Name == i.Name })
		if at >= 0 && approved.Images[at] != i {
			all = append(all, fmt.Sprintf("image %s: approved %s, now %s", i.Name, short(approved.Images[at].After), short(i.After)))
		}
	}
	if len(all) == 0 {
		all = append(all, fmt.Sprintf("digest: approved %s, now %s: %d and %d resources are unchanged",
			short(approved.Digest), short(now.Digest), approved.Unchanged, now.Unchanged))
	}
	return all
}

// stepsByURN returns the steps of a plan by URN.
func stepsByURN(p *Plan) map[string]Step {
	all := map[string]Step{}
	for _, s := range p.Steps {
		all[s.URN] = s
	}
	return all
}

// stepDifference describes how two steps of one resource differ. It returns "" if they are equal.
func stepDifference(a, b Step) string {
	if a.Op != b.Op {
		return fmt.Sprintf("approved %s, now %s", a.Op, b.Op)
	}
	var properties []string
	for name := range maps.Keys(b.Values) {
		if a.Values[name] != b.Values[name] {
			properties = append(properties, name)
		}
	}
	for name := range maps.Keys(a.Values) {
		if _, ok := b.Values[name]; !ok {
			properties = append(properties, name)
		}
	}
	slices.Sort(properties)
	switch {
	case len(properties) > 0:
		return "other new values of " + strings.Join(properties, ", ")
	case !slices.Equal(a.Changed, b.Changed):
		return fmt.Sprintf("approved a change of %s, now of %s", joinOrNothing(a.Changed), joinOrNothing(b.Changed))
	case !slices.Equal(a.Because, b.Because):
		return fmt.Sprintf("approved to replace for %s, now for %s", joinOrNothing(a.Because), joinOrNothing(b.Because))
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

// label returns the type and the name of a resource.
func label(urn string) string { return Type(urn) + " " + Name(urn) }

// short returns the first 12 characters of a digest or a commit, and "none" for an empty string.
// A commit with changes stays whole.
func short(s string) string {
	s = strings.TrimPrefix(s, "sha256:")
	switch {
	case s == "":
		return "none"
	case len(s) > 12 && !strings.Contains(s, "+"):
		return s[:12]
	}
	return s
}

// Since returns a plan of the changes between two plans. Both must be plans for an empty state, so
// they have every resource of the program. A resource that is only in after is created, and a
// resource that is only in before is deleted. A resource with other values is updated: Since can't
// know whether AWS would replace it.
func Since(before, after *Plan) (*Plan, error) {
	p := *after
	p.Steps, p.Unchanged, p.Images = []Step{}, 0, nil
	earlier, later := stepsByURN(before), stepsByURN(after)
	for urn, s := range later {
		old, ok := earlier[urn]
		switch {
		case !ok:
			p.Steps = append(p.Steps, s)
		case stepDifference(old, s) == "":
			p.Unchanged++
		default:
			changed := Step{Op: Update, URN: urn, Values: s.Values}
			for name := range s.Values {
				if old.Values[name] != s.Values[name] {
					changed.Changed = append(changed.Changed, name)
				}
			}
			for name := range old.Values {
				if _, ok := s.Values[name]; !ok {
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
	for _, i := range after.Images {
		if at := slices.IndexFunc(before.Images, func(b Image) bool { return b.Name == i.Name }); at >= 0 {
			i.Before = before.Images[at].After
		}
		p.Images = append(p.Images, i)
	}
	return &p, p.seal()
}

// Done is an operation that an update did.
type Done struct {
	URN string
	// Step is the engine's name of the operation, such as create-replacement.
	Step string
}

// Unplanned compares the operations of an update with the plan. unplanned are the operations that
// are not in the plan. unneeded are the planned operations that did not happen: a preview counts
// each unknown value as a change, so an update may do less than its plan.
func (p *Plan) Unplanned(done []Done) (unplanned, unneeded []string) {
	planned, seen := stepsByURN(p), map[string]bool{}
	for _, d := range done {
		op, changes := operation(d.Step)
		if !changes {
			continue
		}
		want, ok := planned[d.URN]
		first := !seen[d.URN+d.Step]
		seen[d.URN], seen[d.URN+d.Step] = true, true
		// The engine reports a replacement as one operation, or as a creation and a deletion.
		if ok && (want.Op == op || want.Op == Replace && op != Update) || !first {
			continue
		}
		text := fmt.Sprintf("%s: done %s, approved %s", label(d.URN), op, want.Op)
		if !ok {
			text = fmt.Sprintf("%s: done %s, not approved", label(d.URN), op)
		}
		unplanned = append(unplanned, text)
	}
	for _, s := range p.Steps {
		if !seen[s.URN] {
			unneeded = append(unneeded, fmt.Sprintf("%s: approved %s, was not needed", label(s.URN), s.Op))
		}
	}
	return unplanned, unneeded
}
