// Package envconfig reads a service's configuration from its environment and
// reports every mistake at once. It owns the reading and the words of the
// errors; which variables exist and what they may be is each service's own.
//
// It is not built on a library: those at hand stop at "this is not an int",
// name the Go field instead of the variable, and take an empty value for an
// absent one. Here each line that reads a variable also says its range.
package envconfig

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Problem is one variable whose value breaks its rule.
type Problem struct {
	Variable string
	Value    string
	Rule     string // what the value must be, with its range
	Mend     string // what to do about it
}

// Error gives the variable, its value, the rule and the mend in one line.
func (p *Problem) Error() string {
	return fmt.Sprintf("%s=%q %s: %s", p.Variable, p.Value, p.Rule, p.Mend)
}

// Problems are all that is wrong with one environment.
type Problems []*Problem

// Error gives one line a problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Reader reads variables and keeps what is wrong with them. It is not safe
// for use by several goroutines.
type Reader struct {
	lookup   func(string) (string, bool)
	problems Problems
}

// New returns a Reader over lookup, which is os.LookupEnv outside tests.
func New(lookup func(string) (string, bool)) *Reader { return &Reader{lookup: lookup} }

// Int reads a whole number from lowest to highest, both included.
func (r *Reader) Int(name string, fallback, lowest, highest int) int {
	rule := fmt.Sprintf("must be a whole number from %d to %d", lowest, highest)
	return read(r, name, fallback, rule, func(text string) (int, bool) {
		n, err := strconv.Atoi(text)
		return n, err == nil && n >= lowest && n <= highest
	})
}

// Duration reads a Go duration from lowest to highest, both included.
func (r *Reader) Duration(name string, fallback, lowest, highest time.Duration) time.Duration {
	rule := fmt.Sprintf("must be a duration with its unit, from %s to %s", lowest, highest)
	return read(r, name, fallback, rule, func(text string) (time.Duration, bool) {
		d, err := time.ParseDuration(text)
		return d, err == nil && d >= lowest && d <= highest
	})
}

// OneOf reads one of the allowed words, which are case-sensitive.
func (r *Reader) OneOf(name, fallback string, allowed ...string) string {
	rule := "must be " + strings.Join(allowed, " or ")
	return read(r, name, fallback, rule, func(text string) (string, bool) {
		return text, slices.Contains(allowed, text)
	})
}

// Address reads a TCP address to listen on, HOST:PORT with a numeric port. An
// empty host means every interface, port 0 any free port.
func (r *Reader) Address(name, fallback string) string {
	const rule = "must be HOST:PORT, with an empty HOST for every interface and a PORT from 0 to 65535"
	return read(r, name, fallback, rule, func(text string) (string, bool) {
		_, port, err := net.SplitHostPort(text)
		if err != nil {
			return "", false
		}
		_, err = strconv.ParseUint(port, 10, 16)
		return text, err == nil
	})
}

// Err returns every Problem met so far as Problems, in the order of reading,
// or nil.
func (r *Reader) Err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return r.problems
}

// read returns the fallback where the variable is absent or wrong. A variable
// that is set but empty is not absent: an empty value in a manifest is far
// more often a mistake than a wish.
func read[T any](r *Reader, name string, fallback T, rule string, parse func(string) (T, bool)) T {
	text, set := r.lookup(name)
	if !set {
		return fallback
	}
	value, ok := parse(text)
	if !ok {
		mend := fmt.Sprintf("set it so, or unset it for the default %v", fallback)
		r.problems = append(r.problems, &Problem{Variable: name, Value: text, Rule: rule, Mend: mend})
		return fallback
	}
	return value
}
