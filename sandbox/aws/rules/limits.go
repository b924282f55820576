package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/progressive-framework/platform/sandbox/aws/models"
)

// checkLimits checks a value that is neither a list nor a map by AWS's model of the
// property.
func (v *validator) checkLimits(p Prop, value any, path, at string) {
	limit, ok := models.Load().Property(v.row.Token, path)
	if !ok {
		return
	}
	switch x := value.(type) {
	case float64:
		if reason := checkNumber(limit, x); reason != "" {
			v.fail(at, "%s (%s)", reason, limit.From)
		}
	case string:
		if x == "" {
			return // required, or not sent at all
		}
		if reason := checkText(limit, p, x); reason != "" {
			v.fail(at, "%s (%s)", reason, limit.From)
		}
	}
}

// checkText returns the reason why a model refuses a text.
func checkText(limit models.Limit, p Prop, s string) string {
	if limit.Number {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return "" // the row has the rule for a text that the provider accepts here
		}
		return checkNumber(limit, n)
	}
	// The Enum of a row is a subset of the model's values, so only one of the two lists
	// is checked.
	if values := models.Load().Values(limit); len(p.Enum) == 0 && values != nil && !slices.Contains(values, s) {
		return fmt.Sprintf("is %q, must be one of %s", s, shortList(values))
	}
	n := float64(utf8.RuneCountInString(s))
	if (limit.Min != nil && n < *limit.Min) || (limit.Max != nil && n > *limit.Max) {
		return fmt.Sprintf("has %v characters, must have %s", n, describeBounds(limit))
	}
	if limit.Pattern != "" && !compiled(limit.Pattern).MatchString(s) {
		return fmt.Sprintf("%q must match %s", s, limit.Pattern)
	}
	return ""
}

// checkNumber returns the reason why a model refuses a number.
func checkNumber(limit models.Limit, n float64) string {
	if (limit.Min != nil && n < *limit.Min) || (limit.Max != nil && n > *limit.Max) {
		return fmt.Sprintf("is %v, must be %s", n, describeBounds(limit))
	}
	return ""
}

// describeBounds describes the limits of a number or of a text's length.
func describeBounds(l models.Limit) string {
	show := func(f *float64) string { return strconv.FormatFloat(*f, 'f', -1, 64) }
	switch {
	case l.Min == nil:
		return "at most " + show(l.Max)
	case l.Max == nil:
		return "at least " + show(l.Min)
	}
	return show(l.Min) + " to " + show(l.Max)
}

var patterns sync.Map // maps a pattern of the models to its *regexp.Regexp

// compiled returns the expression of a model's pattern, which must match a whole text.
// The generator leaves out patterns that Go can't compile.
func compiled(p string) *regexp.Regexp {
	if re, ok := patterns.Load(p); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(`^(?:` + p + `)$`)
	patterns.Store(p, re)
	return re
}

// checkItems checks the number of a list's elements by AWS's model. The provider does
// not send an empty list, so that has no failure.
func (v *validator) checkItems(n int, path, at string) {
	limit, ok := models.Load().Property(v.row.Token, path)
	if ok && n > 0 && (n < limit.MinItems || (limit.MaxItems > 0 && n > limit.MaxItems)) {
		v.fail(at, "has %d elements, must have %s (%s)", n, describeRange(limit.MinItems, limit.MaxItems), limit.From)
	}
}

// isRequired says whether a property must be set in its object. The row says so, or
// AWS's model, if neither the provider nor AWS has a default. At the top level, the
// schema already requires properties.
func (v *validator) isRequired(p Prop, path string) bool {
	if p.Required {
		return true
	}
	limit, ok := models.Load().Property(v.row.Token, path)
	return ok && limit.Required && strings.Contains(path, ".") && p.Default == nil && p.Preset == nil && !p.Computed && !p.Omit
}

// shortList joins values. It shortens a long list, such as EC2's instance types.
func shortList(values []string) string {
	const most = 60
	if len(values) > most {
		return strings.Join(values[:most], ", ") + fmt.Sprintf(" and %d more", len(values)-most)
	}
	return strings.Join(values, ", ")
}
