package behaviour

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// pattern is a path pattern of CloudFront: * is any number of characters, also of
// slashes; ? is exactly one (CloudFront Developer Guide, "Path
// pattern"). It begins with a slash.
type pattern string

// allowed are the characters of a pattern, by the same page, 255 at most.
var allowed = regexp.MustCompile(`^/[A-Za-z0-9_.*$/~"'@:+&?-]{0,254}$`)

func (p pattern) check() error {
	if !allowed.MatchString(string(p)) {
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
	literal byte
	min     int
	open    bool
}

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
	outer, in := p.tokens(), inner.tokens()
	// covered[j] is true if the outer tokens from i on cover the inner ones from j on.
	covered := make([]bool, len(in)+1)
	covered[len(in)] = true
	for i := len(outer) - 1; i >= 0; i-- {
		next := covered
		covered = make([]bool, len(in)+1)
		for j := range covered {
			covered[j] = outer[i].covers(in[j:], next[j:])
		}
	}
	return covered[0]
}

// covers reports whether t covers the first k of the inner tokens, for any k with
// rest[k]. rest[k] is true if the tokens after t cover the inner tokens after the
// first k. A literal covers an equal literal. A run covers whole tokens only: a
// literal follows it, and no part of an inner run is a literal.
func (t token) covers(inner []token, rest []bool) bool {
	if t.literal != 0 {
		return len(inner) > 0 && inner[0].literal == t.literal && rest[1]
	}
	length, open := 0, false
	for k := 0; ; k++ {
		fits := length == t.min && !open || t.open && length >= t.min
		if fits && rest[k] {
			return true
		}
		if k == len(inner) {
			return false
		}
		if inner[k].literal != 0 {
			length++
		}
		length += inner[k].min
		open = open || inner[k].open
	}
}

// compare orders the more specific pattern first. A pattern that another one
// covers has at least as many fixed characters and literals, and at most as many
// stars.
func (p pattern) compare(q pattern) int {
	wild := func(p pattern, c string) int { return strings.Count(string(p), c) }
	fixed := func(p pattern) int { return len(p) - wild(p, "*") }
	return cmp.Or(
		fixed(q)-fixed(p),
		wild(p, "?")-wild(q, "?"),
		wild(p, "*")-wild(q, "*"),
		strings.Compare(string(p), string(q)),
	)
}
