package prcomment

import (
	"fmt"
	"math"
	"strings"
)

// section is a table of the comment. If the comment would be too long, renderWithin drops the last
// rows.
type section struct {
	title string
	// before and after are the texts around the rows.
	before, after string
	rows          []string
}

// renderWithin returns the section in at most maximum bytes, and the number of dropped rows. The
// text is "" if the section has no row or if no row fits.
func (s section) renderWithin(maximum int) (text string, dropped int) {
	if len(s.rows) == 0 {
		return "", 0
	}
	var b strings.Builder
	b.WriteString(s.before)
	for i, row := range s.rows {
		if b.Len()+len(row)+1+len(s.after) > maximum {
			dropped = len(s.rows) - i
			break
		}
		b.WriteString(row + "\n")
	}
	if dropped == len(s.rows) {
		return "", dropped
	}
	return b.String() + s.after, dropped
}

// Render renders the comment in at most limit bytes. The first part of the comment has the table of
// the stacks, the reasons to refuse the change, and the losses. That part has a few thousand bytes,
// and Render never shortens it.
func Render(stacks []Stack, limit int) string {
	sections := []section{violationSection(stacks), imageSection(stacks)}
	for _, newSection := range []func(Stack) section{costSection, changeSection, findingSection} {
		for _, s := range stacks {
			sections = append(sections, newSection(s))
		}
	}
	var text strings.Builder
	text.WriteString(renderHeader(stacks) + renderTable(stacks) + renderRefusalReasons(stacks) + renderLosses(stacks))
	var dropped []string
	for _, s := range sections {
		sectionText, droppedRows := s.renderWithin(limit - text.Len() - maxNoteLength(sections))
		text.WriteString(sectionText)
		if droppedRows > 0 {
			dropped = append(dropped, fmt.Sprintf("%s of %q", formatCount(droppedRows, "row"), s.title))
		}
	}
	if len(dropped) > 0 {
		fmt.Fprintf(&text, "\nLeft out, because a comment is limited to %d bytes: %s. The files of the workflow's run have them.\n", limit, strings.Join(dropped, ", "))
	}
	return text.String()
}

// maxNoteLength returns an upper limit for the length of the note about dropped rows. 160 bytes
// are enough for the fixed text of the note.
func maxNoteLength(sections []section) int {
	n := 160
	for _, s := range sections {
		n += len(s.title) + len(`123456 rows of "", `)
	}
	return n
}

// renderHeader returns the marker and the title of the comment.
func renderHeader(stacks []Stack) string {
	commit := "nothing"
	if len(stacks) > 0 {
		commit = shortCommit(stacks[0].Plan.Commit)
	}
	return fmt.Sprintf("%s\n### Preview of %s\n\n", Marker, codeCell(commit))
}

// shortCommit returns a commit in short form, for a title.
func shortCommit(commit string) string {
	head, edits, dirty := strings.Cut(commit, "+")
	if len(head) > 12 {
		head = head[:12]
	}
	if dirty {
		return head + " with changes " + edits
	}
	return head
}

// renderTable returns the table of the stacks.
func renderTable(stacks []Stack) string {
	var b strings.Builder
	b.WriteString("| stack | create | update | **replace** | delete | unchanged | policies | cost a month |\n|---|---|---|---|---|---|---|---|\n")
	for _, s := range stacks {
		c := s.Plan.Counts()
		replace := fmt.Sprint(c.Replace)
		if c.Replace > 0 {
			replace = "**" + replace + "**"
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %s | %d | %d | %s | %s |\n", s.nameCell(), c.Create, c.Update, replace, c.Delete, s.Plan.Unchanged, s.policyCell(), costCell(s))
	}
	return b.String()
}

// costCell returns the change of a stack's cost, for a table cell.
func costCell(s Stack) string {
	switch {
	case s.Cost == nil:
		return "no estimate"
	case s.Cost.Difference.NoFigure != "":
		return "no figure: " + textCell(s.Cost.Difference.NoFigure)
	}
	d := s.Cost.Difference
	text := fmt.Sprintf("%s → %s (%s)", d.Before.Expected, d.After.Expected, d.Change.Expected.Signed())
	if !s.Cost.After.Complete() {
		text += ", at least"
	}
	return text
}

// renderRefusalReasons returns the reasons to refuse the change.
func renderRefusalReasons(stacks []Stack) string {
	var b strings.Builder
	for _, s := range stacks {
		for _, f := range s.RefusalReasons() {
			fmt.Fprintf(&b, "\n> **%s is refused:** %s.\n", textCell(s.Plan.Stack), f)
		}
	}
	return b.String()
}

// maxLosses limits the rows of the table of losses. A reviewer can't check more losses in one review.
const maxLosses = 50

// renderLosses returns the table of the stateful resources that would be lost.
func renderLosses(stacks []Stack) string {
	var rows []string
	total := 0
	for _, s := range stacks {
		for _, loss := range s.Losses {
			if total++; total > maxLosses {
				continue
			}
			approved := "**no**"
			if loss.Refused != "" {
				approved += ": " + textCell(loss.Refused)
			}
			if loss.Approval != nil {
				approved = textCell(fmt.Sprintf("by %s until %s: %s", loss.Approval.Owner, loss.Approval.Until, loss.Approval.Reason))
			}
			rows = append(rows, fmt.Sprintf("| %s | **%s** | %s | %s | %s | %s |", s.nameCell(), loss.Op, codeCell(typeAndName(loss.URN)), textCell(loss.Holds), pathsCell(loss.Because), approved))
		}
	}
	if total > maxLosses {
		rows = append(rows, fmt.Sprintf("| | | %d more | | | |", total-maxLosses))
	}
	text, _ := titledSection("Stateful resources that would be lost", "| stack | what | resource | holds | because of | approved |\n|---|---|---|---|---|---|\n", rows).renderWithin(math.MaxInt)
	return text
}

// titledSection returns a section with a title above its table.
func titledSection(title, tableHead string, rows []string) section {
	return section{title: title, before: fmt.Sprintf("\n**%s (%d)**\n\n%s", title, len(rows), tableHead), rows: rows}
}

// foldedSection returns a section with a table that is hidden until the reader opens the section.
func foldedSection(title, tableHead string, rows []string) section {
	return section{
		title: title, rows: rows,
		before: fmt.Sprintf("\n<details><summary>%s (%d)</summary>\n\n%s", title, len(rows), tableHead), after: "\n</details>\n",
	}
}
