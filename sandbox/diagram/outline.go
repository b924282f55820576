package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"
)

//go:embed picture.yaml
var pictureYAML []byte

// node is an entry of picture.yaml: boxes to draw and in which words.
type node struct {
	// Each makes a box of every resource of the type, All one box of all of
	// them. A node with neither stands only around or beside what is found.
	Each, All string
	// Where is a template; only resources for which it says something are taken.
	Where string
	// Title and Text are templates, of a resource's facts or of a list of them;
	// every line of Text that is not empty is one.
	Title, Text string
	// Class is how the box looks, by the template's style sheet.
	Class string
	// Rows are the boxes inside, line by line.
	Rows [][]node
	// Flow draws arrows from row to row and from box to box in a row.
	Flow bool
	// Wide is the box's share of its row's width beside the others; 0 is as 1.
	Wide float64
}

// box is a node filled with facts.
type box struct {
	Class       string
	Title, Text []string
	rows        [][]*box
	flow        bool
	wide        float64
	found       bool // a resource is in it
	fixed       bool // it stands beside what is found
	place
}

// outline fills picture.yaml with a state.
func outline(s *state) ([]*box, error) {
	var nodes []node
	decoder := yaml.NewDecoder(bytes.NewReader(pictureYAML))
	decoder.KnownFields(true)
	if err := decoder.Decode(&nodes); err != nil {
		return nil, fmt.Errorf("picture.yaml: %w", err)
	}
	boxes, err := s.fillAll(nodes)
	return slices.DeleteFunc(boxes, func(b *box) bool { return !b.found }), err
}

func (s *state) fillAll(nodes []node) ([]*box, error) {
	var boxes []*box
	for _, n := range nodes {
		filled, err := s.fill(n)
		if err != nil {
			return nil, err
		}
		boxes = append(boxes, filled...)
	}
	return boxes, nil
}

// fill makes the boxes of a node: none, one, or one a resource.
func (s *state) fill(n node) ([]*box, error) {
	kind := n.Each + n.All
	if kind == "" {
		b, err := s.box(n, s)
		return []*box{b}, err
	}
	var taken []facts
	for _, f := range s.byType[kind] {
		said, err := s.say(n.Where, f)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", kind, f["urnName"], err)
		}
		if n.Where == "" || strings.TrimSpace(said) != "" {
			taken = append(taken, f)
		}
	}
	if n.All != "" {
		if len(taken) == 0 {
			return nil, nil
		}
		b, err := s.box(n, taken)
		return []*box{b}, err
	}
	var boxes []*box
	for _, f := range taken {
		b, err := s.box(n, f)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", kind, f["urnName"], err)
		}
		boxes = append(boxes, b)
	}
	return boxes, nil
}

// box says what one box holds, and all that is in it.
func (s *state) box(n node, of any) (*box, error) {
	title, err := s.say(n.Title, of)
	if err != nil {
		return nil, err
	}
	text, err := s.say(n.Text, of)
	if err != nil {
		return nil, err
	}
	b := &box{
		Class: n.Class, Title: lines(title), Text: lines(text), flow: n.Flow, wide: cmp.Or(n.Wide, 1),
		found: n.Each+n.All != "", fixed: n.Each+n.All == "" && len(n.Rows) == 0,
	}
	for _, row := range n.Rows {
		boxes, err := s.fillAll(row)
		if err != nil {
			return nil, err
		}
		boxes = slices.DeleteFunc(boxes, func(inner *box) bool { return !inner.found && !inner.fixed })
		if slices.ContainsFunc(boxes, func(inner *box) bool { return inner.found }) {
			b.rows, b.found = append(b.rows, boxes), true
		}
	}
	return b, nil
}

// say fills a template; a property that is not there is an error, as the words
// would be wrong.
func (s *state) say(text string, of any) (string, error) {
	if text == "" {
		return "", nil
	}
	t, err := template.New("picture.yaml").Option("missingkey=error").Funcs(template.FuncMap{
		"of":     s.of,
		"every":  func(kind string) []facts { return s.byType[kind] },
		"own":    func(name string) string { return strings.TrimPrefix(name, s.Project+"-"+s.Stack+"-") },
		"get":    func(f facts, path string) any { return f.get(path) },
		"count":  count,
		"join":   join,
		"last":   last,
		"digest": digest,
		"suffix": strings.HasSuffix,
	}).Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = t.Execute(&out, of)
	return out.String(), err
}

// lines are those that hold something.
func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// count is "1 key" or "3 keys".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// join lists a property of each, sorted and once.
func join(of []facts, path, separator string) string {
	all := make([]string, len(of))
	for i, f := range of {
		all[i] = last("/", fmt.Sprint(f.get(path)))
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), separator)
}

// last is what stands after the last separator.
func last(separator, text string) string {
	parts := strings.Split(text, separator)
	return parts[len(parts)-1]
}

// digest is enough of one to know it by.
func digest(text string) string {
	hex := last(":", text)
	return hex[:min(12, len(hex))]
}
