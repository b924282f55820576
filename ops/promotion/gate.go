package promotion

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/progressive-framework/platform/release/gate"
)

// result is the result of a gate.
type result string

const (
	passed result = "passed"
	// refused stops the promotion.
	refused result = "refused"
	// unchecked means that the evidence was missing and --without accepted that. The table and the
	// commit show it, so that a reviewer sees what was not checked.
	unchecked result = "not checked"
)

// judgement is the result of one gate, with its reason.
type judgement struct {
	name   gate.Name
	result result
	why    string
}

// judgements has the results of all gates. All gates run, so that one run shows every problem.
type judgements struct {
	list []judgement
	// without lists the gates whose evidence may be missing.
	without []gate.Name
}

func (g *judgements) add(name gate.Name, r result, format string, args ...any) {
	g.list = append(g.list, judgement{name, r, fmt.Sprintf(format, args...)})
}

// judge adds a gate. It is refused if err is not nil.
func (g *judgements) judge(name gate.Name, err error, format string, args ...any) {
	if err != nil {
		g.add(name, refused, "%v", err)
		return
	}
	g.add(name, passed, format, args...)
}

// missing adds a gate without evidence. It is refused unless --without names it.
func (g *judgements) missing(name gate.Name, why string) {
	if slices.Contains(g.without, name) {
		g.add(name, unchecked, "%s", why)
		return
	}
	g.add(name, refused, "%s; get the evidence, or accept that there is none with --without %s", why, name)
}

// evidence adds a gate. If err is errUnanswered, its evidence is missing.
func (g *judgements) evidence(name gate.Name, err error, format string, args ...any) {
	if errors.Is(err, errUnanswered) {
		g.missing(name, err.Error())
		return
	}
	g.judge(name, err, format, args...)
}

// refusals returns the number of refused gates.
func (g judgements) refusals() (n int) {
	for _, j := range g.list {
		if j.result == refused {
			n++
		}
	}
	return n
}

// write prints the gates as a table.
func (g judgements) write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, j := range g.list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", j.name, j.result, j.why)
	}
	return w.Flush()
}
