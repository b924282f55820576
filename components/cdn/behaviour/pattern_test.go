package behaviour

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// matcher is CloudFront's meaning of a pattern, written another way.
func matcher(p pattern) *regexp.Regexp {
	quoted := regexp.QuoteMeta(string(p))
	return regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted) + "$")
}

func patterns(t *rapid.T, label string) pattern {
	runes := rapid.SliceOfN(rapid.SampledFrom([]byte("ab*?")), 0, 5).Draw(t, label)
	return pattern("/" + string(runes))
}

// words are all strings of up to n letters; x stands for every letter that no
// pattern spells out.
func words(n int) []string {
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

// A pattern of five characters is told from another of five by a path of no
// more than six.
var short = words(6)

func TestCoversIsInclusion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		outer, inner := patterns(t, "outer"), patterns(t, "inner")
		out, in := matcher(outer), matcher(inner)
		escapes := slices.IndexFunc(short, func(w string) bool { return in.MatchString("/"+w) && !out.MatchString("/"+w) })
		if escapes >= 0 {
			require.False(t, outer.covers(inner), "%s doesn't match /%s of %s", outer, short[escapes], inner)
			return
		}
		require.True(t, outer.covers(inner), "%s matches all of %s", outer, inner)
	})
}

func TestCovers(t *testing.T) {
	for _, tc := range []struct {
		reason       string
		outer, inner pattern
		want         bool
	}{
		{"the design document's mistake: the API's rule before the agents'", "/api/*", "/api/v1/agents/*", true},
		{"the other way round", "/api/v1/agents/*", "/api/*", false},
		{"a star may be nothing", "/ws*", "/ws", true},
		{"a star matches slashes", "/a*.css", "/a/b/c.css", true},
		{"a question mark is one character", "/a?", "/a", false},
		{"no question mark is many", "/a?", "/a*", false},
		{"letters next to a star are any number, too", "/??", "/*ab", false},
		{"wildcards in another order are the same", "/*?a", "/?*a", true},
		{"a star next to a letter matches that letter as its one character", "/?*", "/*a*", true},
		{"repeated letters", "/*ab*ab", "/*abab", true},
	} {
		t.Run(tc.reason, func(t *testing.T) { require.Equal(t, tc.want, tc.outer.covers(tc.inner)) })
	}
}

func TestTheMoreSpecificComesFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wide, narrow := patterns(t, "wide"), patterns(t, "narrow")
		if !wide.covers(narrow) || narrow.covers(wide) {
			return
		}
		require.Negative(t, narrow.compare(wide), "%s is hidden by %s", narrow, wide)
	})
}

func TestPatternCheck(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		pattern pattern
		want    string
	}{
		{"an endpoint", "/api/v1/templates/*", ""},
		{"every character of AWS's list", `/aZ09_-.*$~"'@:+&?`, ""},
		{"AWS takes it without a slash, but then it has two spellings", "api/*", "must begin with /"},
		{"a folder above", "/api/v1/../users", "browsers send /api/users"},
		{"two slashes", "/api//users", "browsers send /api/users"},
		{"a slash at the end", "/api/users/", ""},
		{"a name that begins with dots", "/api/..users", ""},
		{"queries are not part of a path", "/api?x=1", "must begin with /"},
		{"too long", pattern("/" + strings.Repeat("a", 255)), "at most 255"},
		{"everything is the default's", "/*", "matches every path"},
		{"everything, spelled otherwise", "/**", "matches every path"},
		{"nothing", "", "must begin with /"},
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
