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
	// refused is the result of a gate that stops the promotion.
	refused result = "refused"
	// unchecked is the result of a gate whose evidence is missing, if --without accepts that. The
	// table and the commit show it, so that a reviewer sees what was not checked.
	unchecked result = "not checked"
)

// judgement is the result of one gate, with its reason.
type judgement struct {
	name   gate.Name
	result result
	why    string
}

// judgements has the results of all gates. All gates are checked, so that one run shows every problem.
type judgements struct {
	list []judgement
	// without lists the gates whose evidence may be missing.
	without []gate.Name
}

func (g *judgements) add(name gate.Name, r result, format string, args ...any) {
	g.list = append(g.list, judgement{name, r, fmt.Sprintf(format, args...)})
}

// addResult adds a gate whose evidence was read. The gate is refused if err is not nil.
func (g *judgements) addResult(name gate.Name, err error, format string, args ...any) {
	if err != nil {
		g.add(name, refused, "%v", err)
		return
	}
	g.add(name, passed, format, args...)
}

// addMissing adds a gate without evidence. The gate is refused unless --without names it.
func (g *judgements) addMissing(name gate.Name, why string) {
	if slices.Contains(g.without, name) {
		g.add(name, unchecked, "%s", why)
		return
	}
	g.add(name, refused, "%s; get the evidence, or accept that there is none with --without %s", why, name)
}

// addEvidence adds a gate. If err is errUnanswered, the gate has no evidence. Any other error refuses
// it.
func (g *judgements) addEvidence(name gate.Name, err error, format string, args ...any) {
	if errors.Is(err, errUnanswered) {
		g.addMissing(name, err.Error())
		return
	}
	g.addResult(name, err, format, args...)
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
