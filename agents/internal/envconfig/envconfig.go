// Package envconfig reads a service's configuration from its environment and
// reports all problems together. It owns the reading and the error texts. Each
// service owns its variables and their rules.
//
// It uses none of the public libraries for environment variables, for three reasons. They check
// types but no ranges. Their errors name the Go field instead of the variable. They treat an
// empty value as absent.
package envconfig

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Problem is one variable with a value that violates its rule.
type Problem struct {
	Variable string
	Value    string
	Rule     string // what the value must be, such as its range
	Fix      string // what the operator must do
}

// Error returns the variable, its value, the rule and the fix on one line.
func (p *Problem) Error() string {
	return fmt.Sprintf("%s=%q %s: %s", p.Variable, p.Value, p.Rule, p.Fix)
}

// Problems are all problems of one environment.
type Problems []*Problem

// Error returns a line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// LogProblems logs each problem of an error that Reader.Err returned. A problem is one
// record, with the variable as an attribute.
func LogProblems(log *slog.Logger, err error) {
	problems, _ := errors.AsType[Problems](err)
	for _, p := range problems {
		log.Error("wrong configuration: "+p.Error(), "variable", p.Variable)
	}
}

// Reader reads variables and collects problems. It is not safe for concurrent
// use.
type Reader struct {
	lookup   func(string) (string, bool)
	problems Problems
}

// New returns a Reader over lookup, which is os.LookupEnv outside tests.
func New(lookup func(string) (string, bool)) *Reader { return &Reader{lookup: lookup} }

// Int reads an integer from min to max, both included.
func (r *Reader) Int(name string, fallback, min, max int) int {
	rule := fmt.Sprintf("must be a whole number from %d to %d", min, max)
	return read(r, name, fallback, rule, func(text string) (int, bool) {
		n, err := strconv.Atoi(text)
		return n, err == nil && n >= min && n <= max
	})
}

// Duration reads a Go duration from min to max, both included.
func (r *Reader) Duration(name string, fallback, min, max time.Duration) time.Duration {
	rule := fmt.Sprintf("must be a duration with its unit, from %s to %s", min, max)
	return read(r, name, fallback, rule, func(text string) (time.Duration, bool) {
		d, err := time.ParseDuration(text)
		return d, err == nil && d >= min && d <= max
	})
}

// OneOf reads one of the allowed values. They are case-sensitive.
func (r *Reader) OneOf(name, fallback string, allowed ...string) string {
	rule := "must be " + strings.Join(allowed, " or ")
	return read(r, name, fallback, rule, func(text string) (string, bool) {
		return text, slices.Contains(allowed, text)
	})
}

// Address reads a TCP address to listen on: HOST:PORT with a numeric port. An
// empty host means every interface. Port 0 means any free port.
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

// Err returns every problem so far as Problems, in the order of reading, or
// nil.
func (r *Reader) Err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return r.problems
}

// read returns the parsed value of the variable, or the fallback if the variable is
// absent or invalid. It reports an invalid value as a problem. It does not treat an
// empty value as absent, because an empty value usually is an error in the manifest.
func read[T any](r *Reader, name string, fallback T, rule string, parse func(string) (T, bool)) T {
	text, isSet := r.lookup(name)
	if !isSet {
		return fallback
	}
	value, ok := parse(text)
	if !ok {
		fix := fmt.Sprintf("set such a value, or unset it for the default %v", fallback)
		r.problems = append(r.problems, &Problem{Variable: name, Value: text, Rule: rule, Fix: fix})
		return fallback
	}
	return value
}
