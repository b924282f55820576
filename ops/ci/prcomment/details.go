package prcomment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
	"github.com/progressive-framework/platform/policy/report"
)

// typeAndName returns the type and the name of a resource.
func typeAndName(urn string) string { return canonicalplan.Type(urn) + " " + canonicalplan.Name(urn) }

// maxPaths limits the property paths in one cell.
const maxPaths = 6

// pathsCell returns the first maxPaths paths as code, for a table cell.
func pathsCell(paths []string) string {
	var all []string
	for i, p := range paths {
		if i == maxPaths {
			all = append(all, fmt.Sprintf("%d more", len(paths)-maxPaths))
			break
		}
		all = append(all, codeCell(p))
	}
	return strings.Join(all, ", ")
}

// violationSection returns the section of the new mandatory violations.
func violationSection(stacks []Stack) section {
	var rows []string
	for _, s := range stacks {
		for _, f := range s.Policy.Findings {
			if f.Kind == report.Mandatory && f.New {
				rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s |", s.nameCell(), codeCell(f.Rule), codeCell(f.Resource)+sourceSuffix(f), textCell(f.Message), textCell(f.Fix)))
			}
		}
	}
	return titledSection("New violations", "| stack | rule | resource | what | fix |\n|---|---|---|---|---|\n", rows)
}

// sourceSuffix returns a space and the position (FILE:LINE) of the Go code that registered the finding's
// resource. It returns "" if the position is not known.
func sourceSuffix(f report.Finding) string {
	if f.Source.File == "" {
		return ""
	}
	return " " + codeCell(fmt.Sprintf("%s:%d", f.Source.File, f.Source.Line))
}

// imageSection returns the section of the images with a changed digest.
func imageSection(stacks []Stack) section {
	var rows []string
	for _, s := range stacks {
		for _, i := range s.Plan.Images {
			if i.Before != i.After {
				rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |", s.nameCell(), codeCell(i.Name), digestCell(i.Before), digestCell(i.After)))
			}
		}
	}
	return titledSection("Images", "| stack | image | before | after |\n|---|---|---|---|\n", rows)
}

// digestCell formats a digest in full, so that a reader can compare it with the registry. It
// returns a dash for an empty digest.
func digestCell(d string) string {
	if d == "" {
		return "–"
	}
	return codeCell(d)
}

// operationOrder is the order of the operations in the details.
var operationOrder = []canonicalplan.Op{canonicalplan.Replace, canonicalplan.Delete, canonicalplan.Update, canonicalplan.Create}

// changeSection returns the section of a stack's changed resources.
func changeSection(s Stack) section {
	steps := slices.Clone(s.Plan.Steps)
	rank := func(op canonicalplan.Op) int {
		if at := slices.Index(operationOrder, op); at >= 0 {
			return at
		}
		return len(operationOrder)
	}
	slices.SortStableFunc(steps, func(a, b canonicalplan.Step) int { return cmp.Compare(rank(a.Op), rank(b.Op)) })
	var rows []string
	for _, step := range steps {
		properties := pathsCell(step.Changed)
		if len(step.Because) > 0 {
			properties = "because of " + pathsCell(step.Because)
		}
		source := s.Plan.Sources[step.URN]
		if source != "" {
			source = codeCell(source)
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |", step.Op, codeCell(typeAndName(step.URN)), properties, source))
	}
	return foldedSection("Changes of "+textCell(s.Plan.Stack), "| what | resource | properties | registered at |\n|---|---|---|---|\n", rows)
}

// costSection returns the section of a stack's cost by component.
func costSection(s Stack) section {
	if s.Cost == nil || s.Cost.Difference.NoFigure != "" {
		return section{}
	}
	var rows []string
	for _, c := range s.Cost.Difference.Components {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |", textCell(c.Component), c.Before, c.After, c.Change.Expected.Signed()))
	}
	for _, g := range s.Cost.Difference.NewGaps {
		rows = append(rows, fmt.Sprintf("| %s | | no price | %s: %s |", textCell(g.Component), codeCell(g.Resource), textCell(g.Reason)))
	}
	table := foldedSection("Cost of "+textCell(s.Plan.Stack), "| component | before | after | change |\n|---|---|---|---|\n", rows)
	if len(s.Cost.After.NotCounted) > 0 {
		table.after = fmt.Sprintf("\nNot counted: %s.\n%s", textCell(strings.Join(s.Cost.After.NotCounted, ", ")), table.after)
	}
	return table
}

// findingSection returns the section of findings that do not refuse the change.
func findingSection(s Stack) section {
	var rows []string
	add := func(kind string, f report.Finding, what string) {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |", kind, codeCell(f.Rule), codeCell(f.Resource)+sourceSuffix(f), textCell(what)))
	}
	for _, f := range s.Policy.Fixed {
		add("fixed", f, f.Message)
	}
	for _, f := range s.Policy.Findings {
		switch {
		case f.Kind == report.Mandatory && !f.New:
			add("existing", f, f.Message)
		case f.Kind == report.Waived && f.Waiver != nil:
			add("waived", f, fmt.Sprintf("until %s by %s: %s", f.Waiver.Until, f.Waiver.Owner, f.Waiver.Reason))
		case f.Kind == report.Advisory && f.New:
			add("advisory, new", f, f.Message)
		}
	}
	return foldedSection("Policies of "+textCell(s.Plan.Stack), "| | rule | resource | what |\n|---|---|---|---|\n", rows)
}
