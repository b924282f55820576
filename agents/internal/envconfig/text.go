package envconfig

import (
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// redacted replaces a value that may contain a password in an error text.
const redacted = "(not shown)"

// Require reports each of these variables that is absent. A variable that is set
// but empty is reported by the method that reads it, such as URL.
func (r *Reader) Require(names ...string) {
	for _, name := range names {
		if _, ok := r.lookup(name); !ok {
			r.problems = append(r.problems, &Problem{Variable: name, Rule: "must be set", Fix: "set it"})
		}
	}
}

// URL reads an absolute URL with one of the schemes and a host. A URL may
// contain a password, so no error shows it.
func (r *Reader) URL(name, fallback string, schemes ...string) string {
	problemsBefore := len(r.problems)
	value := read(r, name, fallback, "must be a URL "+strings.Join(schemes, ":// or ")+":// with a host", func(text string) (string, bool) {
		u, err := url.Parse(text)
		return text, err == nil && u.Host != "" && slices.Contains(schemes, u.Scheme)
	})
	for _, problem := range r.problems[problemsBefore:] {
		problem.Value = redacted
	}
	return value
}

// Path reads the absolute path of a file. It does not check that the file exists,
// because a mounted Secret may appear or change later.
func (r *Reader) Path(name, fallback string) string {
	return read(r, name, fallback, "must be an absolute path", func(text string) (string, bool) {
		return text, filepath.IsAbs(text)
	})
}

// Hosts reads a list of HOST:PORT, separated by commas.
func (r *Reader) Hosts(name string, fallback ...string) []string {
	return read(r, name, fallback, "must be one or more HOST:PORT, separated by commas", func(text string) ([]string, bool) {
		hosts := strings.Split(text, ",")
		for _, host := range hosts {
			if name, port, err := net.SplitHostPort(host); err != nil || name == "" || port == "" {
				return nil, false
			}
		}
		return hosts, true
	})
}

// Word reads 1 to 200 printable ASCII characters without spaces, such as a name
// or an identifier.
func (r *Reader) Word(name, fallback string) string {
	return read(r, name, fallback, "must be 1 to 200 printable characters without spaces", func(text string) (string, bool) {
		hasInvalidCharacter := strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' })
		return text, text != "" && len(text) <= 200 && !hasInvalidCharacter
	})
}

// Counts reads a positive number for each of the keys, as KEY=NUMBER separated by
// commas. Other keys are refused. There is no default.
func (r *Reader) Counts(name string, keys ...string) map[string]int {
	rule := "must have a positive number for each of " + strings.Join(keys, ", ") + ", as KEY=NUMBER separated by commas"
	return ReadRequired(r, name, rule, func(text string) (map[string]int, bool) {
		counts := map[string]int{}
		for pair := range strings.SplitSeq(text, ",") {
			key, number, _ := strings.Cut(pair, "=")
			count, err := strconv.Atoi(number)
			if _, isDuplicate := counts[key]; isDuplicate || err != nil || count < 1 || !slices.Contains(keys, key) {
				return nil, false
			}
			counts[key] = count
		}
		return counts, len(counts) == len(keys)
	})
}

// LogLevel reads debug, info, warn or error. The default is info.
func (r *Reader) LogLevel(name string) slog.Level {
	return map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[r.OneOf(name, "info", "debug", "info", "warn", "error")]
}
