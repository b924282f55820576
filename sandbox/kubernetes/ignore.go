package kubernetes

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ignoring returns the target with the live values of the properties that the
// program ignores. The state's values, which the engine puts there, may be
// older: applying them would undo what an autoscaler did since.
func (t *target) ignoring(paths []string, standing *unstructured.Unstructured) *target {
	if len(paths) == 0 || standing == nil {
		return t
	}
	changed := *t
	changed.inputs = clone(t.inputs)
	for _, p := range paths {
		steps, err := parsePath(p)
		if err != nil {
			continue // the engine has refused it before
		}
		if live, ok := resolve(standing.Object, steps); ok {
			replace(changed.inputs, steps, live)
		}
	}
	return &changed
}

// parsePath is path.String's inverse.
func parsePath(s string) (path, error) {
	var p path
	for rest := s; rest != ""; {
		switch {
		case rest[0] == '.':
			rest = rest[1:]
		case strings.HasPrefix(rest, `["`):
			quoted, err := strconv.QuotedPrefix(rest[1:])
			if err != nil {
				return nil, fmt.Errorf("property path %q: %w", s, err)
			}
			after := rest[1+len(quoted):]
			key, err := strconv.Unquote(quoted)
			if err != nil || !strings.HasPrefix(after, "]") {
				return nil, fmt.Errorf("property path %q: no ] after %s", s, quoted)
			}
			p, rest = append(p, key), after[1:]
		case rest[0] == '[':
			index, after, ok := strings.Cut(rest[1:], "]")
			n, err := strconv.Atoi(index)
			if !ok || err != nil {
				return nil, fmt.Errorf("property path %q: %q is no place in a list", s, index)
			}
			p, rest = append(p, n), after
		default:
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			p, rest = append(p, rest[:end]), rest[end:]
		}
	}
	return p, nil
}

func resolve(value any, steps path) (any, bool) {
	for _, step := range steps {
		switch s := step.(type) {
		case string:
			m, ok := value.(map[string]any)
			if !ok {
				return nil, false
			}
			if value, ok = m[s]; !ok {
				return nil, false
			}
		case int:
			l, ok := value.([]any)
			if !ok || s >= len(l) {
				return nil, false
			}
			value = l[s]
		}
	}
	return value, true
}

// replace puts value where steps lead, if what leads there is there.
func replace(fields map[string]any, steps path, value any) {
	holder, ok := resolve(fields, steps[:len(steps)-1])
	if !ok {
		return
	}
	switch s := steps[len(steps)-1].(type) {
	case string:
		if m, ok := holder.(map[string]any); ok {
			m[s] = value
		}
	case int:
		if l, ok := holder.([]any); ok && s < len(l) {
			l[s] = value
		}
	}
}
