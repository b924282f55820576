package main

import (
	"fmt"
	"io/fs"
	"strings"
)

// Finding is one place that violates a rule.
type Finding struct {
	Path string
	Line int
	Rule string
	// Text is the name or the line of prose in which the word was found.
	Text    string
	Message string
}

// String returns "file:line: message".
func (f Finding) String() string { return fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Message) }

// Lint checks every Go and Markdown file of root, and returns the findings that no exception
// permits. An exception that permits no finding is a finding itself.
func Lint(root fs.FS, rules []Rule, allowed []Exception) ([]Finding, error) {
	files, err := sourceFiles(root)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	packages := map[string][]string{}
	for _, path := range files {
		fragments, name, err := read(root, path)
		if err != nil {
			return nil, err
		}
		addPackage(packages, path, name)
		for _, f := range fragments {
			findings = append(findings, check(path, f, rules)...)
		}
	}
	findings = append(findings, namesakes(packages)...)

	used := make([]bool, len(allowed))
	var out []Finding
	for _, f := range findings {
		if !permitted(f, allowed, used) {
			out = append(out, f)
		}
	}
	for i, e := range allowed {
		if !used[i] {
			out = append(out, Finding{Path: "tools/wordlint/allow.go", Line: 1, Rule: e.Rule, Message: fmt.Sprintf(
				"the exception {%q, %q, %q} permits nothing: remove it", e.Path, e.Rule, e.Text)})
		}
	}
	return out, nil
}

// check applies every rule to one fragment. It returns at most one finding for
// each rule and line.
func check(path string, f Fragment, rules []Rule) []Finding {
	var out []Finding
	for _, r := range rules {
		pattern, text := r.Prose, f.Text
		if f.Name {
			pattern, text = r.Names, camelWords(f.Text)
		}
		if pattern == nil || (r.Paths != nil && !r.Paths.MatchString(path)) || (r.Unless != nil && r.Unless.MatchString(text)) {
			continue
		}
		if r.Except != nil { // NUL bytes replace the exceptions: offsets and lines stay the same
			text = r.Except.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("\x00", len(s)) })
		}
		last := -1
		for _, span := range pattern.FindAllStringIndex(text, -1) {
			line := f.Line + strings.Count(text[:span[0]], "\n")
			if line == last {
				continue
			}
			last = line
			word := strings.Join(strings.Fields(text[span[0]:span[1]]), " ")
			context := f.Text
			if !f.Name {
				context = strings.Split(f.Text, "\n")[line-f.Line]
			}
			out = append(out, Finding{path, line, r.Word, context, fmt.Sprintf("%q: say %s (rule %q): %s",
				word, r.Say, r.Word, strings.TrimSpace(context))})
		}
	}
	return out
}

// permitted reports whether an exception permits the finding. It marks all exceptions that
// permit it as used.
func permitted(f Finding, allowed []Exception, used []bool) bool {
	found := false
	for i, e := range allowed {
		if (e.Rule == "" || e.Rule == f.Rule) && strings.HasPrefix(f.Path, e.Path) && strings.Contains(f.Text, e.Text) {
			used[i], found = true, true
		}
	}
	return found
}
