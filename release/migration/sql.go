package migration

import "strings"

// up returns the part of a step that goose runs to apply it: the text after "-- +goose Up", and
// before "-- +goose Down" if there is one. Without the first mark it returns "".
func up(text string) string {
	_, part, found := strings.Cut(text, "-- +goose Up")
	if !found {
		return ""
	}
	part, _, _ = strings.Cut(part, "-- +goose Down")
	return part
}

// statements splits SQL of PostgreSQL into its statements. Each statement is in upper case, with
// one blank between words. Comments are removed. A text in single quotes or between dollar signs
// becomes an empty string in single quotes. Names in double quotes do not change.
func statements(text string) []string {
	var all []string
	var b strings.Builder
	end := func() {
		if s := strings.Join(strings.Fields(b.String()), " "); s != "" {
			all = append(all, s)
		}
		b.Reset()
	}
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, "--"):
			i += lineEnd(rest)
			b.WriteByte(' ')
		case strings.HasPrefix(rest, "/*"):
			i += commentEnd(rest)
			b.WriteByte(' ')
		case rest[0] == '\'' && escapes(text[:i]):
			i += escapedEnd(rest)
			b.WriteString("''")
		case rest[0] == '\'':
			i += 1 + until(rest[1:], "'")
			b.WriteString("''")
		case rest[0] == '"':
			n := 1 + until(rest[1:], `"`)
			b.WriteString(rest[:n]) // a name, whose case counts
			i += n
		case dollarTag(rest) != "" && !inWord(text[:i]):
			tag := dollarTag(rest)
			i += len(tag) + until(rest[len(tag):], tag)
			b.WriteString("''")
		case rest[0] == ';':
			end()
			i++
		default:
			b.WriteString(strings.ToUpper(rest[:1]))
			i++
		}
	}
	end()
	return all
}

// until returns the number of bytes of a text until the end of the mark. Without a mark it is the
// whole text.
func until(text, mark string) int {
	if at := strings.Index(text, mark); at >= 0 {
		return at + len(mark)
	}
	return len(text)
}

// lineEnd returns the number of bytes of the comment at the beginning of a text. The comment ends with
// its line.
func lineEnd(text string) int {
	if at := strings.IndexAny(text, "\r\n"); at >= 0 {
		return at + 1
	}
	return len(text)
}

// commentEnd returns the number of bytes of the comment /* */ at the beginning of a text. Comments may
// be nested.
func commentEnd(text string) int {
	for i, depth := 0, 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "/*"):
			depth, i = depth+1, i+2
		case strings.HasPrefix(text[i:], "*/"):
			if depth, i = depth-1, i+2; depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return len(text)
}

// escapedEnd returns the number of bytes of the quoted text at the beginning of a text. A backslash
// escapes the next character.
func escapedEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '\'':
			return i + 1
		}
	}
	return len(text)
}

// escapes reports whether a quote after this text begins a quoted text with escapes, such as E'text'.
func escapes(before string) bool {
	n := len(before)
	return n > 0 && (before[n-1] == 'e' || before[n-1] == 'E') && !inWord(before[:n-1])
}

// inWord reports whether a text ends within a name. A name may contain dollar signs.
func inWord(before string) bool {
	if before == "" {
		return false
	}
	c := before[len(before)-1]
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// dollarTag returns the tag $$ or $name$ at the beginning of a text, or "" if there is none.
func dollarTag(text string) string {
	if text[0] != '$' {
		return ""
	}
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '$':
			return text[:i+1]
		case c == '_', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', i > 1 && c >= '0' && c <= '9':
		default:
			return ""
		}
	}
	return ""
}

// splitActions splits the actions of ALTER TABLE at the commas that are not in parentheses.
func splitActions(text string) []string {
	var all []string
	depth, from := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				all, from = append(all, strings.TrimSpace(text[from:i])), i+1
			}
		}
	}
	return append(all, strings.TrimSpace(text[from:]))
}
