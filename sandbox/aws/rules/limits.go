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

// limited checks one value, which is no list and no map, by AWS's model of the property.
func (v *validator) limited(p Prop, value any, path, at string) {
	limit, ok := models.Load().Property(v.row.Token, path)
	if !ok {
		return
	}
	switch x := value.(type) {
	case float64:
		if reason := within(limit, x); reason != "" {
			v.fail(at, "%s (%s)", reason, limit.From)
		}
	case string:
		if x == "" {
			return // required, or not sent at all
		}
		if reason := text(limit, p, x); reason != "" {
			v.fail(at, "%s (%s)", reason, limit.From)
		}
	}
}

// text returns the reason why a model refuses a text.
func text(limit models.Limit, p Prop, s string) string {
	if limit.Number {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return "" // the provider's own value, by the row
		}
		return within(limit, n)
	}
	// The values in a row are a part of the model's.
	if values := models.Load().Values(limit); len(p.Enum) == 0 && values != nil && !slices.Contains(values, s) {
		return fmt.Sprintf("is %q, must be one of %s", s, shortList(values))
	}
	n := float64(utf8.RuneCountInString(s))
	if (limit.Min != nil && n < *limit.Min) || (limit.Max != nil && n > *limit.Max) {
		return fmt.Sprintf("has %v characters, must have %s", n, bounds(limit))
	}
	if limit.Pattern != "" && !compiled(limit.Pattern).MatchString(s) {
		return fmt.Sprintf("%q must match %s", s, limit.Pattern)
	}
	return ""
}

// within returns the reason why a model refuses a number.
func within(limit models.Limit, n float64) string {
	if (limit.Min != nil && n < *limit.Min) || (limit.Max != nil && n > *limit.Max) {
		return fmt.Sprintf("is %v, must be %s", n, bounds(limit))
	}
	return ""
}

// bounds describes the limits of a number or of a text's length.
func bounds(l models.Limit) string {
	show := func(f *float64) string { return strconv.FormatFloat(*f, 'f', -1, 64) }
	switch {
	case l.Min == nil:
		return "at most " + show(l.Max)
	case l.Max == nil:
		return "at least " + show(l.Min)
	}
	return show(l.Min) + " to " + show(l.Max)
}

var patterns sync.Map // by the pattern of a model: its *regexp.Regexp

// compiled returns the expression of a model's pattern, which must match a whole text. The
// generator has left out the patterns that Go can't compile.
func compiled(p string) *regexp.Regexp {
	if re, ok := patterns.Load(p); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(`^(?:` + p + `)$`)
	patterns.Store(p, re)
	return re
}

// items checks the number of a list's elements by AWS's model. Without elements nothing is
// sent.
func (v *validator) items(n int, path, at string) {
	limit, ok := models.Load().Property(v.row.Token, path)
	if ok && n > 0 && (n < limit.MinItems || (limit.MaxItems > 0 && n > limit.MaxItems)) {
		v.fail(at, "has %d elements, must have %s (%s)", n, describeRange(limit.MinItems, limit.MaxItems), limit.From)
	}
}

// requires says whether a property must be set in its object: by the row, or by AWS's
// model if neither the provider nor AWS has a default. The schema requires properties at
// the top level.
func (v *validator) requires(p Prop, path string) bool {
	if p.Required {
		return true
	}
	limit, ok := models.Load().Property(v.row.Token, path)
	return ok && limit.Required && strings.Contains(path, ".") && p.Default == nil && p.Preset == nil && !p.Computed && !p.Omit
}

// shortList joins values. A list as long as EC2's instance types is shortened.
func shortList(values []string) string {
	const most = 60
	if len(values) > most {
		return strings.Join(values[:most], ", ") + fmt.Sprintf(" and %d more", len(values)-most)
	}
	return strings.Join(values, ", ")
}
