// Package changerule owns the rules for values that can't change freely once a
// stack exists, such as the block of its VPC. It is pure: package changeguard
// registers the resource that keeps the recorded values, and the provider "ko"
// applies the rules in each preview.
package changerule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rule says which changes of a recorded value are accepted.
type Rule string

// The rules.
const (
	// Fixed accepts no change.
	Fixed Rule = "fixed"
	// Kept is for a value that the program chose from a list. The recorded value
	// stays while the list has all of it; a list without it is refused.
	Kept Rule = "kept"
	// Preferred is Kept, but a list without the recorded value is accepted: the
	// program then chooses again.
	Preferred Rule = "preferred"
	// Grows accepts an equal or a larger whole number.
	Grows Rule = "grows"
	// OneMinor accepts a version of the same minor, or of the next one.
	OneMinor Rule = "oneMinor"
	// Counter accepts the same whole number, or the next one.
	Counter Rule = "counter"
)

// separator is between the items of a value that is a list.
const separator = ", "

// List is the value of a list of which the order does not matter.
func List(items []string) string {
	return strings.Join(slices.Sorted(slices.Values(items)), separator)
}

// Items is the opposite of List.
func Items(value string) []string {
	if value == "" {
		return nil
	}
	return strings.Split(value, separator)
}

// Field is one value and its rule.
type Field struct {
	// Path is the configuration key that decides the value.
	Path string
	// Value is what the configuration says now; List for a list.
	Value string
	// From are what Kept and Preferred choose from.
	From []string
	Rule Rule
	// Reason says why the value can't change, in a clause: "AWS can't change the
	// block of a VPC".
	Reason string
	// Fix is what a person who needs the change does, in a sentence without a
	// period.
	Fix string
}

// Accept returns the value that the stack has from now on. The error names the
// key, both values, the rule and the fix.
func (f Field) Accept(recorded string) (string, error) {
	switch f.Rule {
	case Fixed:
		if f.Value != recorded {
			return "", f.refuse(recorded)
		}
	case Kept, Preferred:
		possible := !slices.ContainsFunc(Items(recorded), func(item string) bool { return !slices.Contains(f.From, item) })
		switch {
		case possible:
			return recorded, nil
		case f.Rule == Kept:
			return "", f.refuse(recorded)
		}
	case Grows, Counter:
		before, after, err := numbers(recorded, f.Value)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.Path, err)
		}
		if after < before || f.Rule == Counter && after > before+1 {
			return "", f.refuse(recorded)
		}
	case OneMinor:
		before, after, err := minors(recorded, f.Value)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.Path, err)
		}
		if after < before || after > before+1 {
			return "", f.refuse(recorded)
		}
	default:
		return "", fmt.Errorf("%s: no rule %q for changes", f.Path, f.Rule)
	}
	return f.Value, nil
}

func (f Field) refuse(recorded string) error {
	return fmt.Errorf("%s: %q can't become %q: %s. %s", f.Path, recorded, f.Value, f.Reason, f.Fix)
}

func numbers(before, after string) (b, a int, err error) {
	if b, err = strconv.Atoi(before); err != nil {
		return 0, 0, fmt.Errorf("recorded value: %w", err)
	}
	if a, err = strconv.Atoi(after); err != nil {
		return 0, 0, fmt.Errorf("new value: %w", err)
	}
	return b, a, nil
}

// minors are the minor numbers of two versions of the same major.
func minors(before, after string) (b, a int, err error) {
	beforeMajor, beforeMinor, _ := strings.Cut(before, ".")
	afterMajor, afterMinor, _ := strings.Cut(after, ".")
	if beforeMajor != afterMajor {
		return 0, 0, fmt.Errorf("versions %s and %s have different major numbers", before, after)
	}
	return numbers(beforeMinor, afterMinor)
}
