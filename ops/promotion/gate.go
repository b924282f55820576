package promotion

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// result is what a gate found.
type result string

const (
	passed result = "passed"
	// refused stops the promotion.
	refused result = "refused"
	// unchecked is a gate without its evidence. It is shown, and in the commit, so that a
	// reviewer sees what nobody has looked at.
	unchecked result = "not checked"
)

// gate is one condition of a promotion, with the evidence.
type gate struct {
	name   string
	result result
	why    string
}

// gates are all conditions. All are judged, so that one run shows everything.
type gates []gate

func (g *gates) add(name string, r result, format string, args ...any) {
	*g = append(*g, gate{name, r, fmt.Sprintf(format, args...)})
}

// judge adds a gate that passes unless err is an error.
func (g *gates) judge(name string, err error, format string, args ...any) {
	if err != nil {
		g.add(name, refused, "%v", err)
		return
	}
	g.add(name, passed, format, args...)
}

// refusals counts the gates that refuse.
func (g gates) refusals() (n int) {
	for _, gate := range g {
		if gate.result == refused {
			n++
		}
	}
	return n
}

// write prints the gates as a table.
func (g gates) write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, gate := range g {
		fmt.Fprintf(w, "%s\t%s\t%s\n", gate.name, gate.result, gate.why)
	}
	return w.Flush()
}
