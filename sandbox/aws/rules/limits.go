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

// checkLimits checks a text or a number against the limits in AWS's API model. path is the
// property's path in the rules, shownPath is the path in messages.
func (v *validator) checkLimits(p Prop, value any, path, shownPath string) {
	limit, ok := models.Load().Limit(v.row.Token, path)
	if !ok {
		return
	}
	switch value := value.(type) {
	case float64:
		if reason := checkNumber(limit, value); reason != "" {
			v.fail(shownPath, "%s (%s)", reason, limit.From)
		}
	case string:
		if value == "" {
			return // checkObject refuses a required empty string, and the provider does not send other empty strings
		}
		if reason := checkText(limit, p, value); reason != "" {
			v.fail(shownPath, "%s (%s)", reason, limit.From)
		}
	}
}

// checkText returns the reason why the limits of a model refuse the text s, or "". p is the
// row's rule of the property.
func checkText(limit models.Limit, p Prop, s string) string {
	if limit.Number {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return "" // the row has its own rule for a text that is not a number
		}
		return checkNumber(limit, n)
	}
	// The Enum of a row is a subset of the model's values, so only one of the two lists
	// is checked.
	if values := models.Load().Values(limit); len(p.Enum) == 0 && values != nil && !slices.Contains(values, s) {
		return fmt.Sprintf("is %q, must be one of %s", s, describeValues(values))
	}
	if n := float64(utf8.RuneCountInString(s)); !limit.Allows(n) {
		return fmt.Sprintf("has %v characters, must have %s", n, describeBounds(limit))
	}
	if limit.Pattern != "" && !compilePattern(limit.Pattern).MatchString(s) {
		return fmt.Sprintf("%q must match %s", s, limit.Pattern)
	}
	return ""
}

// checkNumber returns the reason why the limits of a model refuse a number, or "".
func checkNumber(limit models.Limit, n float64) string {
	if !limit.Allows(n) {
		return fmt.Sprintf("is %v, must be %s", n, describeBounds(limit))
	}
	return ""
}

// describeBounds returns the part of an error message that gives the limits of a number or
// of a text's length.
func describeBounds(l models.Limit) string {
	format := func(f *float64) string { return strconv.FormatFloat(*f, 'f', -1, 64) }
	switch {
	case l.Min == nil:
		return "at most " + format(l.Max)
	case l.Max == nil:
		return "at least " + format(l.Min)
	}
	return format(l.Min) + " to " + format(l.Max)
}

var patterns sync.Map // maps a pattern of the models to its *regexp.Regexp

// compilePattern returns the regular expression for a pattern of the models. The expression
// matches only whole texts. compilePattern cannot panic, because the generator of the models
// leaves out patterns that Go cannot compile.
func compilePattern(p string) *regexp.Regexp {
	if re, ok := patterns.Load(p); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(`^(?:` + p + `)$`)
	patterns.Store(p, re)
	return re
}

// checkItemCount checks the number of a list's elements against AWS's API model. An empty
// list is allowed, because the provider does not send it. path is the list's path in the
// rules, shownPath is the path in messages.
func (v *validator) checkItemCount(count int, path, shownPath string) {
	limit, ok := models.Load().Limit(v.row.Token, path)
	if ok && count > 0 && (count < limit.MinItems || (limit.MaxItems > 0 && count > limit.MaxItems)) {
		v.fail(shownPath, "has %d elements, must have %s (%s)", count, describeRange(limit.MinItems, limit.MaxItems), limit.From)
	}
}

// isRequired reports whether the row or AWS's API model requires a property. It uses the model
// only for properties inside objects, because the schema lists the required properties of the
// top level. It does not use the model if the provider or AWS has a default value.
func (v *validator) isRequired(p Prop, path string) bool {
	if p.Required {
		return true
	}
	limit, ok := models.Load().Limit(v.row.Token, path)
	nested := strings.Contains(path, ".")
	hasDefault := p.Default != nil || p.Preset != nil || p.Computed || p.AllowOmitted
	return ok && limit.Required && nested && !hasDefault
}

// describeValues returns the values, separated by commas, for an error text. It shortens a long
// list, such as EC2's instance types.
func describeValues(values []string) string {
	const maxShown = 60 // keeps the error shorter than a screen
	if len(values) > maxShown {
		return strings.Join(values[:maxShown], ", ") + fmt.Sprintf(" and %d more", len(values)-maxShown)
	}
	return strings.Join(values, ", ")
}
