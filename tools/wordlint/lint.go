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
		fragments, name, err := readFragments(root, path)
		if err != nil {
			return nil, err
		}
		addPackage(packages, path, name)
		for _, f := range fragments {
			findings = append(findings, checkFragment(path, f, rules)...)
		}
	}
	findings = append(findings, findNamesakes(packages)...)

	used := make([]bool, len(allowed))
	var reported []Finding
	for _, f := range findings {
		if !isPermitted(f, allowed, used) {
			reported = append(reported, f)
		}
	}
	for i, e := range allowed {
		if !used[i] {
			reported = append(reported, Finding{Path: "tools/wordlint/allow.go", Line: 1, Rule: e.Rule, Message: fmt.Sprintf(
				"the exception {%q, %q, %q} permits nothing: remove it", e.Path, e.Rule, e.Text)})
		}
	}
	return reported, nil
}

// checkFragment applies every rule to one fragment. It returns at most one finding for each rule
// and line.
func checkFragment(path string, f Fragment, rules []Rule) []Finding {
	var findings []Finding
	for _, r := range rules {
		pattern, text := r.Prose, f.Text
		if f.Name {
			pattern, text = r.Names, splitName(f.Text)
		}
		if pattern == nil || (r.Paths != nil && !r.Paths.MatchString(path)) || (r.Unless != nil && r.Unless.MatchString(text)) {
			continue
		}
		if r.Except != nil { // NUL bytes replace the exceptions: offsets and lines stay the same
			text = r.Except.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("\x00", len(s)) })
		}
		lastLine := -1
		for _, match := range pattern.FindAllStringIndex(text, -1) {
			line := f.Line + strings.Count(text[:match[0]], "\n")
			if line == lastLine {
				continue
			}
			lastLine = line
			word := strings.Join(strings.Fields(text[match[0]:match[1]]), " ")
			context := f.Text
			if !f.Name {
				context = strings.Split(f.Text, "\n")[line-f.Line]
			}
			findings = append(findings, Finding{path, line, r.Word, context, fmt.Sprintf("%q: say %s (rule %q): %s",
				word, r.Say, r.Word, strings.TrimSpace(context))})
		}
	}
	return findings
}

// isPermitted reports whether an exception permits the finding. It also marks all exceptions that
// permit it as used.
func isPermitted(f Finding, allowed []Exception, used []bool) bool {
	found := false
	for i, e := range allowed {
		if (e.Rule == "" || e.Rule == f.Rule) && strings.HasPrefix(f.Path, e.Path) && strings.Contains(f.Text, e.Text) {
			used[i], found = true, true
		}
	}
	return found
}
