package behaviour

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// pattern is a path pattern of CloudFront. It begins with a slash. The character * matches
// any number of characters, including slashes; ? matches exactly one character (CloudFront
// Developer Guide, "Path pattern").
type pattern string

// validPattern matches a pattern of at most 255 characters that CloudFront accepts (same page of
// the guide).
var validPattern = regexp.MustCompile(`^/[A-Za-z0-9_.*$/~"'@:+&?-]{0,254}$`)

// check returns an error for a pattern that CloudFront refuses, that can never apply, or
// that matches every path.
func (p pattern) check() error {
	if !validPattern.MatchString(string(p)) {
		return fmt.Errorf("path pattern %q: must begin with / and have at most 255 of the characters A-Z a-z 0-9 _ - . * $ / ~ \" ' @ : + & ?", string(p))
	}
	if clean := path.Clean(string(p)); clean != strings.TrimSuffix(string(p), "/") && p != "/" {
		return fmt.Errorf("path pattern %q: never applies, because browsers send %s", string(p), clean)
	}
	if p.covers("/*") {
		return fmt.Errorf("path pattern %q: matches every path; that is the default behaviour", string(p))
	}
	return nil
}

// token is one character of a pattern, or a run of wildcards. A run matches at
// least min characters, and any number of further ones if it is open.
type token struct {
	literal byte // 0 for a run
	min     int
	open    bool
}

// tokens returns the pattern as tokens. Adjacent wildcards become one run, because their
// order does not matter.
func (p pattern) tokens() []token {
	var ts []token
	for i := range len(p) {
		if p[i] != '*' && p[i] != '?' {
			ts = append(ts, token{literal: p[i]})
			continue
		}
		if len(ts) == 0 || ts[len(ts)-1].literal != 0 {
			ts = append(ts, token{})
		}
		run := &ts[len(ts)-1]
		if p[i] == '?' {
			run.min++
		}
		run.open = run.open || p[i] == '*'
	}
	return ts
}

// covers reports whether every path that matches inner also matches p.
func (p pattern) covers(inner pattern) bool {
	outerTokens, innerTokens := p.tokens(), inner.tokens()
	// covered[j] is true if outerTokens[i:] covers innerTokens[j:]. The loop fills covered from the
	// end.
	covered := make([]bool, len(innerTokens)+1)
	covered[len(innerTokens)] = true
	for i := len(outerTokens) - 1; i >= 0; i-- {
		next := covered
		covered = make([]bool, len(innerTokens)+1)
		for j := range covered {
			covered[j] = outerTokens[i].covers(innerTokens[j:], next[j:])
		}
	}
	return covered[0]
}

// covers reports whether t and the tokens after t cover all inner tokens. laterCovers[k] is true
// if the tokens after t cover inner[k:].
//
// A literal covers one equal literal. A run covers zero or more whole tokens, if their length
// fits. A run covers a whole inner run or nothing of it: the token after t is a literal, and a
// literal cannot cover the rest of the inner run, which matches any character.
func (t token) covers(inner []token, laterCovers []bool) bool {
	if t.literal != 0 {
		return len(inner) > 0 && inner[0].literal == t.literal && laterCovers[1]
	}
	// The loop searches for a k for which t covers inner[:k] and laterCovers[k] is true. inner[:k]
	// matches at least innerMin characters, and any number of further ones if innerOpen is true.
	innerMin, innerOpen := 0, false
	for k := 0; ; k++ {
		fits := innerMin == t.min && !innerOpen || t.open && innerMin >= t.min
		if fits && laterCovers[k] {
			return true
		}
		if k == len(inner) {
			return false
		}
		if inner[k].literal != 0 {
			innerMin++
		}
		innerMin += inner[k].min
		innerOpen = innerOpen || inner[k].open
	}
}

// compare returns a negative number if p is more specific than q. The pattern with more
// characters other than * is more specific. If both have the same number of them, the pattern
// with fewer ? is more specific. If these numbers are also equal, the pattern with fewer * is
// more specific. So a pattern comes before every pattern that covers it. Equally specific
// patterns are in alphabetical order.
func (p pattern) compare(q pattern) int {
	count := func(p pattern, c string) int { return strings.Count(string(p), c) }
	fixed := func(p pattern) int { return len(p) - count(p, "*") }
	return cmp.Or(
		fixed(q)-fixed(p),
		count(p, "?")-count(q, "?"),
		count(p, "*")-count(q, "*"),
		strings.Compare(string(p), string(q)),
	)
}
