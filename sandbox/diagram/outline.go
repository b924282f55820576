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

// node is an entry of picture.yaml: the boxes to draw and their text.
type node struct {
	// Each is a resource type; every resource of this type gets its own box. All is a resource
	// type; all resources of this type together get one box. A node has at most one of these
	// two fields. A node without these fields is drawn only if the state has a resource
	// of another node: one inside this node, or one in the same row.
	Each, All string
	// Where is a template that is executed for each resource. If the result is empty,
	// the resource is not drawn.
	Where string
	// Title and Text are templates. With Each they get the properties of one
	// resource, with All a list of such properties. Empty lines are left out.
	Title, Text string
	// Class is a class in the style sheet of the SVG template.
	Class string
	// Rows are the rows of boxes inside this box.
	Rows [][]node
	// Flow is true if arrows are drawn from row to row, and from box to box in a row.
	Flow bool
	// Wide is the box's width relative to the others in its row; 0 means 1.
	Wide float64
}

// resourceType returns the type in Each or All, or "" if the node has none of them.
func (n node) resourceType() string { return n.Each + n.All }

// box is a node with the text of its resources.
type box struct {
	Class         string
	Title, Text   []string
	rows          [][]*box
	flow          bool
	relativeWidth float64
	hasResource   bool // this box, or a box inside it, is drawn for a resource of the state
	onlyText      bool // this box has no resource type and no rows; it is drawn if another box in its row has a resource
	place
}

// newPictureBoxes returns the boxes of picture.yaml for which the state has a resource.
func newPictureBoxes(s *state) ([]*box, error) {
	var nodes []node
	decoder := yaml.NewDecoder(bytes.NewReader(pictureYAML))
	decoder.KnownFields(true)
	if err := decoder.Decode(&nodes); err != nil {
		return nil, fmt.Errorf("picture.yaml: %w", err)
	}
	boxes, err := s.newBoxesOfNodes(nodes)
	return slices.DeleteFunc(boxes, func(b *box) bool { return !b.hasResource }), err
}

// newBoxesOfNodes returns the boxes of all nodes.
func (s *state) newBoxesOfNodes(nodes []node) ([]*box, error) {
	var all []*box
	for _, n := range nodes {
		boxes, err := s.newBoxes(n)
		if err != nil {
			return nil, err
		}
		all = append(all, boxes...)
	}
	return all, nil
}

// newBoxes returns the boxes of a node: one for each resource with Each, and at most one
// otherwise.
func (s *state) newBoxes(n node) ([]*box, error) {
	resourceType := n.resourceType()
	if resourceType == "" {
		b, err := s.newBox(n, s)
		return []*box{b}, err
	}
	var selected []properties
	for _, p := range s.byType[resourceType] {
		text, err := s.executeTemplate(n.Where, p)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", resourceType, p["urnName"], err)
		}
		if n.Where == "" || strings.TrimSpace(text) != "" {
			selected = append(selected, p)
		}
	}
	if n.All != "" {
		if len(selected) == 0 {
			return nil, nil
		}
		b, err := s.newBox(n, selected)
		return []*box{b}, err
	}
	var boxes []*box
	for _, p := range selected {
		b, err := s.newBox(n, p)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", resourceType, p["urnName"], err)
		}
		boxes = append(boxes, b)
	}
	return boxes, nil
}

// newBox returns one box with the boxes inside it. data is the input of the templates.
func (s *state) newBox(n node, data any) (*box, error) {
	title, err := s.executeTemplate(n.Title, data)
	if err != nil {
		return nil, err
	}
	text, err := s.executeTemplate(n.Text, data)
	if err != nil {
		return nil, err
	}
	b := &box{
		Class: n.Class, Title: nonEmptyLines(title), Text: nonEmptyLines(text), flow: n.Flow, relativeWidth: cmp.Or(n.Wide, 1),
		hasResource: n.resourceType() != "", onlyText: n.resourceType() == "" && len(n.Rows) == 0,
	}
	for _, row := range n.Rows {
		boxes, err := s.newBoxesOfNodes(row)
		if err != nil {
			return nil, err
		}
		boxes = slices.DeleteFunc(boxes, func(inner *box) bool { return !inner.hasResource && !inner.onlyText })
		if slices.ContainsFunc(boxes, func(inner *box) bool { return inner.hasResource }) {
			b.rows, b.hasResource = append(b.rows, boxes), true
		}
	}
	return b, nil
}

// executeTemplate returns the output of a template. It returns an error for a property that
// data does not have, because the text would contain "<no value>".
func (s *state) executeTemplate(text string, data any) (string, error) {
	if text == "" {
		return "", nil
	}
	t, err := template.New("picture.yaml").Option("missingkey=error").Funcs(template.FuncMap{
		"withValue": s.filterByValue,
		"every":     func(kind string) []properties { return s.byType[kind] },
		"shortName": func(name string) string { return strings.TrimPrefix(name, s.Project+"-"+s.Stack+"-") },
		"get":       func(p properties, path string) any { return p.get(path) },
		"count":     formatCount,
		"join":      joinValues,
		"last":      lastPart,
		"digest":    shortenDigest,
		"suffix":    strings.HasSuffix,
	}).Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = t.Execute(&out, data)
	return out.String(), err
}

// nonEmptyLines returns the lines that are not empty.
func nonEmptyLines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// formatCount returns a number with its noun, for example "1 key" or "3 keys".
func formatCount(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// joinValues joins the values of a property, sorted and without duplicates. If a value is a path, only
// the last part of the path is used.
func joinValues(list []properties, path, separator string) string {
	values := make([]string, len(list))
	for i, p := range list {
		values[i] = lastPart("/", fmt.Sprint(p.get(path)))
	}
	slices.Sort(values)
	return strings.Join(slices.Compact(values), separator)
}

// lastPart returns the text after the last separator.
func lastPart(separator, text string) string {
	parts := strings.Split(text, separator)
	return parts[len(parts)-1]
}

// shortenDigest shortens a digest to 12 characters.
func shortenDigest(text string) string {
	hex := lastPart(":", text)
	return hex[:min(12, len(hex))]
}
