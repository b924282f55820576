package pgmetrics

import (
	"regexp"
	"strings"
)

// maxStatement is the number of characters of a statement that are served.
const maxStatement = 200

// pg_stat_statements replaces constants by $1 and so on. It does not in comments, and not
// if its entry was removed while the statement ran (PostgreSQL's documentation, F.32.1). So
// every literal is removed again.
var (
	comments = regexp.MustCompile(`(?s)/\*.*?(\*/|$)|--[^\n]*`)
	literals = regexp.MustCompile(`(?s)\$(\w*)\$.*|'[^']*('|$)`)
	numbers  = regexp.MustCompile(`(^|[^\w$"])[0-9][\w.]*`)
	spaces   = regexp.MustCompile(`\s+`)
)

// redact returns the beginning of a statement without literals and comments.
func redact(statement string) string {
	s := comments.ReplaceAllString(strings.ToValidUTF8(statement, "?"), " ")
	s = numbers.ReplaceAllString(literals.ReplaceAllString(s, "?"), "${1}?")
	s = strings.TrimSpace(spaces.ReplaceAllString(s, " "))
	if letters := []rune(s); len(letters) > maxStatement {
		return string(letters[:maxStatement])
	}
	return s
}
