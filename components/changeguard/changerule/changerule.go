// Package changerule owns the rules for values that can't change freely after the stack
// was created, such as the CIDR block of its VPC. It imports no SDK. Package changeguard registers
// the resource that records the values, and the provider "ko" applies the rules in each
// preview.
package changerule

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Rule is a rule for the changes of a recorded value.
type Rule string

// The rules.
const (
	// Fixed accepts no change.
	Fixed Rule = "fixed"
	// Kept is for items that the program chose from a list. The recorded items stay as
	// long as the list has all of them. A list that lacks a recorded item is refused.
	Kept Rule = "kept"
	// Preferred is like Kept, but it accepts a list that lacks a recorded item. The
	// program then chooses again.
	Preferred Rule = "preferred"
	// Grows accepts an equal or a larger whole number.
	Grows Rule = "grows"
	// Forward accepts an item of From: the recorded item, or an item after it.
	Forward Rule = "forward"
	// OneMinor accepts a version with the same minor number, or with the next one.
	OneMinor Rule = "oneMinor"
	// Counter accepts the same whole number, or the next one.
	Counter Rule = "counter"
	// Chosen is for a value that the program chose at the creation of a stack, and that
	// the configuration does not name. The recorded value stays.
	Chosen Rule = "chosen"
	// Free accepts every value.
	Free Rule = "free"
)

// separator is between the items of a value that is a list.
const separator = ", "

// List returns the value of a field that is a list. The value is sorted, so the order of items
// does not matter.
func List(items []string) string {
	return strings.Join(slices.Sorted(slices.Values(items)), separator)
}

// Items returns the items of a value that List returned.
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
	// Value is the value in the current configuration. The value of a list has the form
	// that List returns.
	Value string
	// From are the items from which Kept and Preferred choose. For Forward, From has the
	// items in their order.
	From []string
	Rule Rule
	// Group is the name of fields that change one at a time; see CheckOneAtATime.
	Group string
	// Reason is the reason why the value can't change, as a clause: "AWS can't change the
	// block of a VPC".
	Reason string
	// Fix is the fix for a person who needs the change, in a sentence without a
	// period.
	Fix string
}

// Accept returns the value to record. If the rule refuses the change, the error has the
// key, both values, the reason and the fix.
func (f Field) Accept(recorded string) (string, error) {
	switch f.Rule {
	case Free: // accepts f.Value
	case Chosen:
		return recorded, nil
	case Fixed:
		if f.Value != recorded {
			return "", f.refusalError(recorded)
		}
	case Kept, Preferred:
		available := !slices.ContainsFunc(Items(recorded), func(item string) bool { return !slices.Contains(f.From, item) })
		switch {
		case available:
			return recorded, nil
		case f.Rule == Kept:
			return "", f.refusalError(recorded)
		}
	case Forward:
		if slices.Index(f.From, f.Value) < slices.Index(f.From, recorded) {
			return "", f.refusalError(recorded)
		}
	case Grows, Counter:
		before, after, err := parseNumbers(recorded, f.Value)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.Path, err)
		}
		if after < before || f.Rule == Counter && after > before+1 {
			return "", f.refusalError(recorded)
		}
	case OneMinor:
		before, after, err := parseMinors(recorded, f.Value)
		if err != nil {
			return "", fmt.Errorf("%s: %w", f.Path, err)
		}
		if after < before || after > before+1 {
			return "", f.refusalError(recorded)
		}
	default:
		return "", fmt.Errorf("%s: no rule %q for changes", f.Path, f.Rule)
	}
	return f.Value, nil
}

// CheckOneAtATime returns an error for each group in which more than one field differs from its
// recorded value. fields must have the values that Accept returned.
func CheckOneAtATime(fields map[string]Field, recorded map[string]string) []error {
	changed := map[string][]Field{}
	for _, id := range slices.Sorted(maps.Keys(fields)) {
		f := fields[id]
		if before, ok := recorded[id]; ok && f.Group != "" && f.Value != before {
			changed[f.Group] = append(changed[f.Group], f)
		}
	}
	var errs []error
	for _, group := range slices.Sorted(maps.Keys(changed)) {
		changedFields := changed[group]
		if len(changedFields) == 1 {
			continue
		}
		var paths []string
		for _, f := range changedFields {
			paths = append(paths, f.Path)
		}
		lastField := changedFields[len(changedFields)-1]
		errs = append(errs, fmt.Errorf("%s can't change in one update: %s. %s", strings.Join(paths, " and "), lastField.Reason, lastField.Fix))
	}
	return errs
}

// refusalError returns the error for a refused change.
func (f Field) refusalError(recorded string) error {
	return fmt.Errorf("%s: %q can't become %q: %s. %s", f.Path, recorded, f.Value, f.Reason, f.Fix)
}

// parseNumbers parses the recorded value and the new value as whole numbers.
func parseNumbers(before, after string) (beforeNumber, afterNumber int, err error) {
	if beforeNumber, err = strconv.Atoi(before); err != nil {
		return 0, 0, fmt.Errorf("recorded value: %w", err)
	}
	if afterNumber, err = strconv.Atoi(after); err != nil {
		return 0, 0, fmt.Errorf("new value: %w", err)
	}
	return beforeNumber, afterNumber, nil
}

// parseMinors returns the minor numbers of two versions. Different major numbers are an error.
func parseMinors(before, after string) (beforeNumber, afterNumber int, err error) {
	beforeMajor, beforeMinor, _ := strings.Cut(before, ".")
	afterMajor, afterMinor, _ := strings.Cut(after, ".")
	if beforeMajor != afterMajor {
		return 0, 0, fmt.Errorf("versions %s and %s have different major numbers", before, after)
	}
	return parseNumbers(beforeMinor, afterMinor)
}
