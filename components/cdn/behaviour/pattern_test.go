package behaviour

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// pathRegexp returns a regular expression that matches the same paths as p. The tests check the
// methods covers and compare against this expression.
func pathRegexp(p pattern) *regexp.Regexp {
	quoted := regexp.QuoteMeta(string(p))
	return regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted) + "$")
}

// drawPattern returns a random pattern: a slash and up to five further characters.
func drawPattern(t *rapid.T, label string) pattern {
	runes := rapid.SliceOfN(rapid.SampledFrom([]byte("ab*?")), 0, 5).Draw(t, label)
	return pattern("/" + string(runes))
}

// allWords returns all strings of up to n letters a, b or x. No pattern of the tests
// contains x, so x represents every other letter.
func allWords(n int) []string {
	all, last := []string{""}, []string{""}
	for range n {
		var longer []string
		for _, w := range last {
			longer = append(longer, w+"a", w+"b", w+"x")
		}
		all, last = append(all, longer...), longer
	}
	return all
}

// paths are all paths of up to six letters, without the leading slash. They are enough to compare
// two patterns of up to five characters: if the patterns do not match the same paths, then a path in
// this list matches only one pattern.
var paths = allWords(6)

func TestCoversAgreesWithMatchingAllShortPaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		outer, inner := drawPattern(t, "outer"), drawPattern(t, "inner")
		out, in := pathRegexp(outer), pathRegexp(inner)
		uncovered := slices.IndexFunc(paths, func(w string) bool { return in.MatchString("/"+w) && !out.MatchString("/"+w) })
		if uncovered >= 0 {
			require.False(t, outer.covers(inner), "%s doesn't match /%s of %s", outer, paths[uncovered], inner)
			return
		}
		require.True(t, outer.covers(inner), "%s matches all of %s", outer, inner)
	})
}

func TestCoversCombinationsOfWildcards(t *testing.T) {
	for _, tc := range []struct {
		reason       string
		outer, inner pattern
		want         bool
	}{
		{"the API's pattern covers the agents' (the design document has it first)", "/api/*", "/api/v1/agents/*", true},
		{"the other way round", "/api/v1/agents/*", "/api/*", false},
		{"a star also matches no character", "/ws*", "/ws", true},
		{"a star matches slashes", "/a*.css", "/a/b/c.css", true},
		{"a question mark does not match an empty text", "/a?", "/a", false},
		{"a question mark does not cover a star", "/a?", "/a*", false},
		{"two question marks do not cover a star with two letters", "/??", "/*ab", false},
		{"the order of adjacent wildcards does not matter", "/*?a", "/?*a", true},
		{"a question mark with a star covers a letter between two stars", "/?*", "/*a*", true},
		{"repeated letters", "/*ab*ab", "/*abab", true},
	} {
		t.Run(tc.reason, func(t *testing.T) { require.Equal(t, tc.want, tc.outer.covers(tc.inner)) })
	}
}

func TestCompareSortsTheMoreSpecificPatternFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wide, narrow := drawPattern(t, "wide"), drawPattern(t, "narrow")
		if !wide.covers(narrow) || narrow.covers(wide) {
			return
		}
		require.Negative(t, narrow.compare(wide), "%s is hidden by %s", narrow, wide)
	})
}

func TestCheckRefusesPatternsThatNeverApply(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		pattern pattern
		want    string
	}{
		{"an endpoint", "/api/v1/templates/*", ""},
		{"every character of AWS's list", `/aZ09_-.*$~"'@:+&?`, ""},
		{"no slash first: AWS accepts it, but then one path has two spellings", "api/*", "must begin with /"},
		{"a folder above", "/api/v1/../users", "browsers send /api/users"},
		{"two slashes", "/api//users", "browsers send /api/users"},
		{"a slash at the end", "/api/users/", ""},
		{"a name that begins with dots", "/api/..users", ""},
		{"queries are not part of a path", "/api?x=1", "must begin with /"},
		{"too long", pattern("/" + strings.Repeat("a", 255)), "at most 255"},
		{"every path: that is the default behaviour", "/*", "matches every path"},
		{"every path, with two stars", "/**", "matches every path"},
		{"an empty pattern", "", "must begin with /"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			err := tc.pattern.check()
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}
