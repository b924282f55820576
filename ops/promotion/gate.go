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
	// unchecked is the result of a gate without evidence that --without accepts. The table and the
	// commit show such a gate, so that a reviewer sees what was not checked.
	unchecked result = "not checked"
)

// gateResult is the result of one gate, with the reason.
type gateResult struct {
	name   gate.Name
	result result
	why    string
}

// gateResults has the results of all gates. All gates are checked, so that one run shows every
// problem.
type gateResults struct {
	list []gateResult
	// without lists the gates that may have no evidence, and required those that must have it.
	without, required []gate.Name
}

// add adds the result of a gate, with a formatted reason.
func (r *gateResults) add(name gate.Name, status result, format string, args ...any) {
	r.list = append(r.list, gateResult{name, status, fmt.Sprintf(format, args...)})
}

// addResult adds a gate with evidence. The gate is refused if err is not nil.
func (r *gateResults) addResult(name gate.Name, err error, format string, args ...any) {
	if err != nil {
		r.add(name, refused, "%v", err)
		return
	}
	r.add(name, passed, format, args...)
}

// addMissing adds a gate without evidence. The gate is refused unless --without names it.
func (r *gateResults) addMissing(name gate.Name, why string) {
	switch {
	case slices.Contains(r.without, name):
		r.add(name, unchecked, "%s", why)
	case slices.Contains(r.required, name):
		r.add(name, refused, "%s; get the evidence: images.requiredGates has this gate", why)
	default:
		r.add(name, refused, "%s; get the evidence, or accept that there is none with --without %s", why, name)
	}
}

// addEvidence adds a gate. The gate passes if err is nil, and has no evidence if err is
// errNoEvidence. With any other error it is refused.
func (r *gateResults) addEvidence(name gate.Name, err error, format string, args ...any) {
	if errors.Is(err, errNoEvidence) {
		r.addMissing(name, err.Error())
		return
	}
	r.addResult(name, err, format, args...)
}

// countRefused returns the number of refused gates.
func (r gateResults) countRefused() (n int) {
	for _, g := range r.list {
		if g.result == refused {
			n++
		}
	}
	return n
}

// write writes the results to out as a table.
func (r gateResults) write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, g := range r.list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", g.name, g.result, g.why)
	}
	return w.Flush()
}
