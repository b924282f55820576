package rules

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// parameter is AWS's definition of one parameter of a database engine: the allowed
// values, and when a change takes effect.
type parameter struct {
	// unit is the unit of a number, such as 8kB. AWS expects the number without the unit.
	unit string
	// low and high are the limits of a number.
	low, high float64
	// whole means that a number must be a whole number.
	whole bool
	// extra is an additional allowed value outside of the limits.
	extra string
	// words are the allowed values of a parameter that is not a number.
	words []string
	// list means that the parameter can have several words, separated by commas. If
	// words is empty, any text is allowed.
	list bool
	// static means that a change takes effect only at a restart.
	static bool
	// fixed means that AWS does not allow a change.
	fixed bool
}

// noLimit is the value of the field high if a number has no upper limit.
const noLimit = math.MaxInt64

// wholeNumber returns a parameter that is a whole number from low to high, with a unit.
func wholeNumber(unit string, low, high float64) parameter {
	return parameter{unit: unit, low: low, high: high, whole: true}
}

// fraction returns a parameter that is a number from low to high, with or without a decimal
// point.
func fraction(low, high float64) parameter { return parameter{low: low, high: high} }

// oneWord returns a parameter that is one of the words.
func oneWord(words ...string) parameter { return parameter{words: words} }

// wordList returns a parameter that is a list of some of the words.
func wordList(words ...string) parameter { return parameter{words: words, list: true} }

// anyText returns a parameter that is any text.
func anyText() parameter { return parameter{list: true} }

// unchangeable returns a parameter that a user cannot change, because AWS sets it.
func unchangeable() parameter { return parameter{fixed: true} }

// orZero returns a copy of p that also allows the value 0.
func (p parameter) orZero() parameter { p.extra = "0"; return p }

// atRestart returns a copy of p for which a change takes effect only at a restart.
func (p parameter) atRestart() parameter { p.static = true; return p }

// isNumber reports whether the parameter is a number.
func (p parameter) isNumber() bool { return len(p.words) == 0 && !p.list }

// allows reports whether AWS accepts a value.
func (p parameter) allows(value string) bool {
	switch {
	case p.isNumber():
		return p.allowsNumber(value)
	case len(p.words) == 0:
		return true
	case !p.list:
		return slices.Contains(p.words, value)
	}
	for word := range strings.SplitSeq(value, ",") {
		if !slices.Contains(p.words, word) {
			return false
		}
	}
	return true
}

// allowsNumber reports whether AWS accepts a value of a parameter that is a number.
func (p parameter) allowsNumber(value string) bool {
	if p.extra != "" && value == p.extra {
		return true
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || n < p.low || n > p.high {
		return false
	}
	return !p.whole || (n == math.Trunc(n) && !strings.ContainsAny(value, ".eE"))
}

// describeAllowed returns a text for errors with the values that AWS accepts.
func (p parameter) describeAllowed() string {
	if !p.isNumber() {
		return strings.Join(p.words, ",")
	}
	out := formatNumber(p.low) + "-"
	if p.high < noLimit {
		out += formatNumber(p.high)
	}
	if p.extra != "" {
		out = p.extra + "," + out
	}
	if p.unit != "" {
		out += fmt.Sprintf(" (in %s: a number without a unit)", p.unit)
	}
	return out
}

// formatNumber returns a number as a text. Whole numbers below 1e15 have no exponent.
func formatNumber(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) < 1e15 {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return strconv.FormatFloat(n, 'g', -1, 64)
}

// formulaWords are the variables and functions of RDS's formulas
// (AmazonRDS/latest/UserGuide/USER_ParamValuesRef.html).
var formulaWords = regexp.MustCompile(`DBInstanceClassMemory|DBInstanceVCPU|AllocatedStorage|EndPointPort|GREATEST|LEAST|SUM|log`)

// formulaRest matches a formula from which the words in formulaWords were removed.
var formulaRest = regexp.MustCompile(`^[0-9\s(),*/+{}-]+$`)

// isFormula reports whether a value is a formula, such as {DBInstanceClassMemory/32768}.
func isFormula(value string) bool {
	return strings.Contains(value, "{") && formulaRest.MatchString(formulaWords.ReplaceAllString(value, ""))
}

// parameterProps returns the property rules of the parameters in a parameter group.
// defaultMethod is the default of applyMethod, which differs between RDS and DocumentDB.
func parameterProps(defaultMethod string) Props {
	return Props{
		"parameters":             {Set: true},
		"parameters.name":        {},
		"parameters.value":       {},
		"parameters.applyMethod": {Default: defaultMethod},
	}
}

// checkParameters refuses a parameter that is set twice.
func checkParameters(in Object, fail Fail) {
	seen := map[string]bool{}
	for i, p := range in.Objects("parameters") {
		name := p.String("name")
		if name != "" && seen[name] {
			fail(fmt.Sprintf("parameters[%d].name", i), "%s is set twice", name)
		}
		seen[name] = true
	}
}

// verifyParameters returns RDS's error for the parameters of a parameter group. table has the
// definitions of the known parameters. The error texts are from public logs, except the text
// for parameters that cannot be modified.
func verifyParameters(c *Call, table map[string]parameter) error {
	for _, in := range c.In.Objects("parameters") {
		name, value := in.String("name"), in.String("value")
		p, known := table[name]
		switch {
		case !known:
			return refuse("InvalidParameterValue", "Could not find parameter with name: %s", name)
		case p.fixed:
			return refuse("InvalidParameterValue", "The parameter %s cannot be modified.", name)
		case !p.allows(value) && !(p.isNumber() && isFormula(value)):
			return refuse("InvalidParameterValue", "Invalid parameter value: %s for: %s allowed values are: %s", value, name, p.describeAllowed())
		case p.static && in.String("applyMethod") == "immediate":
			return refuse("InvalidParameterCombination", "cannot use immediate apply method for static parameter: %s needs pending-reboot", name)
		}
	}
	return nil
}
