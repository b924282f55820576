package main

import (
	_ "embed"
	"errors"
	"html/template"
	"io"
)

//go:embed picture.svg.tmpl
var svgTemplate string

// draw writes the picture of a state as an SVG.
func draw(s *state, out io.Writer) error {
	p, err := compose(s)
	if err != nil {
		return err
	}
	t, err := template.New("picture.svg").Parse(svgTemplate)
	if err != nil {
		return err
	}
	return t.Execute(out, p)
}

// compose returns the picture of a state: its boxes with their positions.
func compose(s *state) (*picture, error) {
	boxes, err := newPictureBoxes(s)
	if err != nil {
		return nil, err
	}
	if len(boxes) == 0 {
		return nil, errors.New("nothing in the state is in picture.yaml: bring the whole stack up first")
	}
	fonts, err := newStyles()
	if err != nil {
		return nil, err
	}
	return arrange(s, boxes, fonts), nil
}
