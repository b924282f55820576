package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// implementationWords matches words that show how Load is implemented. No error message may have
// them.
var implementationWords = regexp.MustCompile(`mapstructure|reflect\.|json:|0x[0-9a-f]{6}|<nil>|%!|panic|unmarshal|Internal error`)

// unusualValues are values that a person may write for any key, by their kind.
var unusualValues = map[string]any{
	"null": nil, "empty text": "", "a space": " ", "text": "x", "text of two lines": "a\nb", "long text": strings.Repeat("a", 5000),
	"text that is no UTF-8": "a\xff", "zero": 0, "negative": -1, "huge": json.Number("99999999999999999999"), "fraction": json.Number("0.5"), "exponent": json.Number("1e3"),
	"true": true, "false": false, "empty list": []any{}, "list of null": []any{nil}, "list of lists": []any{[]any{}}, "list of numbers": []any{1, 1},
	"the same text twice": []any{"x", "x"}, "empty object": map[string]any{}, "an object": map[string]any{"x": 1}, "an object with an empty key": map[string]any{"": nil},
}

// refusedKinds returns the kinds of unusualValues that no key of type t accepts. Load must refuse
// them at the key's own path.
func refusedKinds(t reflect.Type) []string {
	always := []string{"null", "list of null", "list of lists", "list of numbers", "an object", "an object with an empty key"}
	switch t.Kind() {
	case reflect.String:
		return append(always, "empty text", "a space", "text of two lines", "long text", "fraction", "exponent", "negative", "true", "false", "empty list", "the same text twice", "empty object")
	case reflect.Int:
		return append(always, "empty text", "text", "negative", "huge", "fraction", "exponent", "true", "empty list", "the same text twice", "empty object")
	case reflect.Bool:
		return append(always, "empty text", "text", "zero", "huge", "fraction", "empty list", "the same text twice", "empty object")
	default:
		return append(always, "empty text", "text", "zero", "negative", "huge", "fraction", "true", "false", "the same text twice", "empty object")
	}
}

// allLeaves returns the keys of the project's namespace and of namespace aws.
func allLeaves() []leaf {
	return append(leaves(),
		leaf{"aws:profile", reflect.TypeFor[string](), ""}, leaf{"aws:assumeRole.roleArn", reflect.TypeFor[string](), ""},
		leaf{"aws:defaultTags.tags.CostCenter", reflect.TypeFor[string](), ""},
		leaf{"aws:ignoreTags.keys", reflect.TypeFor[[]string](), ""}, leaf{"aws:ignoreTags.keyPrefixes", reflect.TypeFor[[]string](), ""})
}

// configWith returns a configuration in which the key has a value. The encoding as JSON replaces
// bytes that are not UTF-8.
func (l leaf) configWith(t require.TestingT, value any) map[string]string {
	namespace, key, hasNamespace := strings.Cut(l.path, ":")
	if !hasNamespace {
		return l.projectConfigWith(t, value)
	}
	names := strings.Split(key, ".")
	top, members := names[0], names[1:]
	for _, name := range slices.Backward(members) {
		value = map[string]any{name: value}
	}
	values := validValues()
	values[namespace+":"+top] = encodeValue(t, value)
	return values
}

// requirePlainErrors checks that every problem has a path and is in plain words.
func requirePlainErrors(t require.TestingT, err error) {
	var loadErr *Error
	if !errors.As(err, &loadErr) {
		require.NoError(t, err)
		return
	}
	for _, p := range loadErr.Problems {
		require.Contains(t, p.Field, ":", "%v", p)
		require.NotRegexp(t, implementationWords, p.ErrorBody(), p.Field)
		require.Less(t, len(p.ErrorBody()), 8000, p.Field)
	}
}

// For every unusual value of every key, the errors of Load are in plain words. Load refuses a value
// that no key of the type accepts, at the path of the key.
func TestUnusualValuesAreRefusedAtTheirPath(t *testing.T) {
	for _, l := range allLeaves() {
		fullKey := l.path
		if !strings.Contains(fullKey, ":") {
			fullKey = Project + ":" + fullKey
		}
		refused := refusedKinds(l.valueType)
		for _, kind := range slices.Sorted(maps.Keys(unusualValues)) {
			_, err := Load("prod", l.configWith(t, unusualValues[kind]))
			requirePlainErrors(t, err)
			isTopLevel := !strings.Contains(fullKey, ".")
			isInvalidText := slices.Contains([]string{"empty text", "a space", "text of two lines", "long text"}, kind)
			if isTopLevel && l.valueType.Kind() != reflect.Struct && !isInvalidText {
				continue // Pulumi passes every top-level value as text, so a text key accepts it
			}
			if !slices.Contains(refused, kind) {
				continue
			}
			var loadErr *Error
			require.ErrorAs(t, err, &loadErr, "%s: %s must be refused", fullKey, kind)
			require.True(t, slices.ContainsFunc(problemPaths(loadErr), func(problemPath string) bool { return isWithin(problemPath, fullKey) || isWithin(fullKey, problemPath) }),
				"%s: %s must be refused by its path, not %v", fullKey, kind, problemPaths(loadErr))
		}
	}
}

// problemPaths returns the paths of the problems.
func problemPaths(loadErr *Error) []string {
	var paths []string
	for _, p := range loadErr.Problems {
		paths = append(paths, p.Field)
	}
	return paths
}

// A key with a fixed list of values refuses the values of every other such key.
func TestEveryChoiceRefusesTheValuesOfOthers(t *testing.T) {
	choices := map[leaf][]string{}
	var values []string
	for _, l := range leaves() {
		if c, ok := reflect.Zero(l.valueType).Interface().(choice); ok {
			choices[l] = c.Values()
			values = append(values, c.Values()...)
		}
	}
	require.Greater(t, len(choices), 10)
	for l, allowed := range choices {
		for _, value := range append(values, "url", "own ", "NONE", "off", "auto", "default") {
			_, err := Load("prod", l.configWith(t, value))
			requirePlainErrors(t, err)
			if !slices.Contains(allowed, value) {
				require.ErrorContains(t, err, l.path, "%s: %q must be refused", l.path, value)
			}
		}
	}
}

// For any values of any two keys, which may contradict each other, the errors of Load are in plain
// words.
func TestErrorsOfAnyTwoKeysAreInPlainWords(t *testing.T) {
	keys, kinds := allLeaves(), slices.Sorted(maps.Keys(unusualValues))
	plausible := []any{1, 2, 50, 1000, "none", "inCluster", "managed", "own", "single", "perZone", "on", "shadow", "controlPlane", "a", "example.com", "1.36", "10.0.0.0/20",
		[]any{"us-east-1a", "us-east-1b"}, []any{"us-east-1f", "us-east-1a", "us-east-1d"}, []any{"m7g.metal"}, []any{"t4g.nano"}, []any{"linux/arm64"}, []any{}}
	rapid.Check(t, func(t *rapid.T) {
		values := validValues()
		for range 2 {
			l := rapid.SampledFrom(keys).Draw(t, "key")
			var value any
			if rapid.Bool().Draw(t, "plausible") {
				value = rapid.SampledFrom(plausible).Draw(t, "value")
			} else {
				value = unusualValues[rapid.SampledFrom(kinds).Draw(t, "kind")]
			}
			for key, text := range l.configWith(t, value) {
				if validValues()[key] != text {
					values[key] = text
				}
			}
		}
		_, err := Load("prod", values)
		requirePlainErrors(t, err)
		if err != nil {
			require.NotEmpty(t, fmt.Sprint(err))
		}
	})
}
