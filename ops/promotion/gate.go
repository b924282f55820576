package promotion

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/progressive-framework/platform/release/gate"
)

// result is what a gate found.
type result string

const (
	passed result = "passed"
	// refused stops the promotion.
	refused result = "refused"
	// unchecked is a gate without its evidence, which --without accepts. It is shown, and in
	// the commit, so that a reviewer sees what nobody has looked at.
	unchecked result = "not checked"
)

// judgement is what one gate found, and why.
type judgement struct {
	name   gate.Name
	result result
	why    string
}

// judgements are those of all gates. All are judged, so that one run shows everything.
type judgements struct {
	list []judgement
	// without are the gates whose evidence may be missing in this run.
	without []gate.Name
}

func (g *judgements) add(name gate.Name, r result, format string, args ...any) {
	g.list = append(g.list, judgement{name, r, fmt.Sprintf(format, args...)})
}

// judge adds a gate that passes unless err is an error.
func (g *judgements) judge(name gate.Name, err error, format string, args ...any) {
	if err != nil {
		g.add(name, refused, "%v", err)
		return
	}
	g.add(name, passed, format, args...)
}

// missing adds a gate without evidence. It refuses unless that was accepted.
func (g *judgements) missing(name gate.Name, why string) {
	if slices.Contains(g.without, name) {
		g.add(name, unchecked, "%s", why)
		return
	}
	g.add(name, refused, "%s; get the evidence, or accept that there is none with --without %s", why, name)
}

// evidence adds a gate whose evidence may be missing.
func (g *judgements) evidence(name gate.Name, err error, format string, args ...any) {
	if errors.Is(err, errUnanswered) {
		g.missing(name, err.Error())
		return
	}
	g.judge(name, err, format, args...)
}

// refusals counts the gates that refuse.
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
