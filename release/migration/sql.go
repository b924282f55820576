package migration

import "strings"

// cutUpSection returns the SQL that goose runs to apply a step: the text after "-- +goose Up", and
// before "-- +goose Down" if there is one. Without the first mark it returns "".
func cutUpSection(text string) string {
	_, section, found := strings.Cut(text, "-- +goose Up")
	if !found {
		return ""
	}
	section, _, _ = strings.Cut(section, "-- +goose Down")
	return section
}

// splitStatements splits SQL of PostgreSQL into its statements. Each statement is in upper case,
// with one space between words. Comments are removed. A text in single quotes or between dollar
// signs becomes an empty string in single quotes. Names in double quotes do not change.
func splitStatements(text string) []string {
	var statements []string
	var b strings.Builder
	endStatement := func() {
		if s := strings.Join(strings.Fields(b.String()), " "); s != "" {
			statements = append(statements, s)
		}
		b.Reset()
	}
	for i := 0; i < len(text); {
		remaining := text[i:]
		switch {
		case strings.HasPrefix(remaining, "--"):
			i += lineCommentLength(remaining)
			b.WriteByte(' ')
		case strings.HasPrefix(remaining, "/*"):
			i += blockCommentLength(remaining)
			b.WriteByte(' ')
		case remaining[0] == '\'' && hasEscapePrefix(text[:i]):
			i += escapedStringLength(remaining)
			b.WriteString("''")
		case remaining[0] == '\'':
			i += 1 + lengthUntil(remaining[1:], "'")
			b.WriteString("''")
		case remaining[0] == '"':
			length := 1 + lengthUntil(remaining[1:], `"`)
			b.WriteString(remaining[:length]) // upper and lower case are different in a quoted name
			i += length
		case dollarTag(remaining) != "" && !endsInName(text[:i]):
			tag := dollarTag(remaining)
			i += len(tag) + lengthUntil(remaining[len(tag):], tag)
			b.WriteString("''")
		case remaining[0] == ';':
			endStatement()
			i++
		default:
			b.WriteString(strings.ToUpper(remaining[:1]))
			i++
		}
	}
	endStatement()
	return statements
}

// lengthUntil returns the number of bytes from the start of a text to the end of the mark. If the
// text does not have the mark, it returns the length of the text.
func lengthUntil(text, mark string) int {
	if index := strings.Index(text, mark); index >= 0 {
		return index + len(mark)
	}
	return len(text)
}

// lineCommentLength returns the number of bytes of the comment at the beginning of a text. The
// comment ends with its line.
func lineCommentLength(text string) int {
	if index := strings.IndexAny(text, "\r\n"); index >= 0 {
		return index + 1
	}
	return len(text)
}

// blockCommentLength returns the number of bytes of the comment /* */ at the beginning of a text.
// Comments may be nested.
func blockCommentLength(text string) int {
	for i, depth := 0, 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "/*"):
			depth, i = depth+1, i+2
		case strings.HasPrefix(text[i:], "*/"):
			depth, i = depth-1, i+2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return len(text)
}

// escapedStringLength returns the number of bytes of the text in single quotes at the beginning of a
// text. A backslash escapes the next character. Without a closing quote the result is the length of
// the whole text.
func escapedStringLength(text string) int {
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

// hasEscapePrefix reports whether a quote after this text begins a string with escapes, such as
// E'text'.
func hasEscapePrefix(before string) bool {
	length := len(before)
	return length > 0 && (before[length-1] == 'e' || before[length-1] == 'E') && !endsInName(before[:length-1])
}

// endsInName reports whether a text ends within a name. A name may contain dollar signs.
func endsInName(before string) bool {
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
	var actions []string
	depth, start := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				actions, start = append(actions, strings.TrimSpace(text[start:i])), i+1
			}
		}
	}
	return append(actions, strings.TrimSpace(text[start:]))
}
