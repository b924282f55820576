package pgmetrics

import (
	"regexp"
	"strings"
)

// maxStatement is the largest number of characters of a statement in a label.
const maxStatement = 200

// pg_stat_statements replaces most literals of a statement by $1, $2 and so on. It does
// not replace the literals in comments. If the server removes the entry of a statement
// while the statement runs, its literals also stay (PostgreSQL's documentation, F.32.1).
// These patterns match comments, and the literals that stay.
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
	if runes := []rune(s); len(runes) > maxStatement {
		return string(runes[:maxStatement])
	}
	return s
}
