package pgmetrics

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestRedactRemovesLiteralsAndComments(t *testing.T) {
	for _, row := range []struct{ reason, statement, want string }{
		{"constants that the server has replaced", "SELECT a FROM t1 WHERE b = $1 AND c = $12", "SELECT a FROM t1 WHERE b = $1 AND c = $12"},
		{"text", "SELECT 'secret', 'it''s'", "SELECT ?, ??"},
		{"text that does not end", "SELECT 'secret", "SELECT ?"},
		{"numbers", "SELECT a1 FROM t WHERE b=42 AND c > -1.5e3 LIMIT 10", "SELECT a1 FROM t WHERE b=? AND c > -? LIMIT ?"},
		{"quoted by dollars", "SELECT $tag$secret$tag$ FROM t", "SELECT ?"},
		{"comments", "SELECT a -- user 17\nFROM t /* trace='x' */ WHERE b = $1 /* open", "SELECT a FROM t WHERE b = $1"},
		{"spaces", " SELECT\n\t a ", "SELECT a"},
		{"names", `SELECT "7up" FROM t`, `SELECT "7up" FROM t`},
		{"long: 200 characters are left", "SELECT " + strings.Repeat("é", 300), "SELECT " + strings.Repeat("é", 193)},
	} {
		t.Run(row.reason, func(t *testing.T) { require.Equal(t, row.want, redact(row.statement)) })
	}
}

func FuzzStatementsAreBounded(f *testing.F) {
	f.Add("SELECT 'a' /* b */ -- c\n$x$")
	f.Fuzz(func(t *testing.T, statement string) {
		s := redact(statement)
		require.True(t, utf8.ValidString(s))
		require.LessOrEqual(t, utf8.RuneCountInString(s), maxStatement)
		require.NotContains(t, s, "'")
	})
}
