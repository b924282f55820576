package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Sizes of the drawing, in SVG units.
const (
	pageWidth    = 1100
	margin       = 24 // around the picture
	headerHeight = 72 // height of the page's title
	padding      = 14 // between the edge of a box and its content
	gap          = 12 // between boxes
	arrowGap     = 26 // between boxes that an arrow joins
	perRow       = 4  // the maximum number of boxes of one width in a row
)

// place is the position of a box, and the content that is drawn in the box.
type place struct {
	X, Y, W, H float64
	Lines      []textLine
	Arrows     []arrow
	Boxes      []*box // the boxes inside this one
}

// textLine is one line of text. It begins at X, and Y is its baseline.
type textLine struct {
	X, Y        float64
	Class, Text string
}

// arrow is a line from one point to another that is below it or to the right of it.
type arrow struct{ X1, Y1, X2, Y2 float64 }

// picture is the input of the template.
type picture struct {
	*state
	W, H        float64
	Description string
	Arrows      []arrow
	Boxes       []*box
}

// arrange sets the positions of the boxes, one below the other, and returns the picture.
func arrange(s *state, boxes []*box, fonts styles) *picture {
	page := &box{rows: make([][]*box, len(boxes)), flow: true}
	for i, b := range boxes {
		page.rows[i] = []*box{b}
	}
	end := page.putRows(margin, headerHeight, pageWidth-2*margin, fonts)
	return &picture{state: s, W: pageWidth, H: end + margin, Description: describe(boxes), Arrows: page.Arrows, Boxes: boxes}
}

// put sets the position of the box and of its content for a given width. The content
// decides the height.
func (b *box) put(x, y, width float64, fonts styles) {
	b.place = place{X: x, Y: y, W: width}
	innerX, innerWidth := x+padding, width-2*padding
	y += padding - 4 // a line includes some space above it
	writeLines := func(lines []string, class string, font style, height float64) {
		for _, line := range lines {
			for _, text := range font.wrap(line, innerWidth) {
				y += height
				b.Lines = append(b.Lines, textLine{innerX, y - height/4, class, text})
			}
		}
	}
	writeLines(b.Title, "title", fonts.title, titleHeight)
	y += 2
	writeLines(b.Text, "text", fonts.text, textHeight)
	if len(b.rows) > 0 {
		y = b.putRows(innerX, y+gap, innerWidth, fonts)
	}
	b.H = y + padding - b.Y
}

// putRows places the rows one below the other. It returns the y position at which the last row
// ends.
func (b *box) putRows(x, y, width float64, fonts styles) float64 {
	for i, row := range b.rows {
		switch {
		case i > 0 && b.flow:
			b.Arrows = append(b.Arrows, arrow{x + width/2, y, x + width/2, y + arrowGap})
			y += arrowGap
		case i > 0:
			y += gap
		}
		y = b.putRow(row, x, y, width, fonts)
	}
	return y
}

// putRow places boxes next to each other. It returns the y position at which the row ends. If all boxes
// have the same width and do not fit into one line, the row is split into several lines.
// The boxes of these lines form columns.
func (b *box) putRow(row []*box, x, y, width float64, fonts styles) float64 {
	b.Boxes = append(b.Boxes, row...)
	columns, totalWidth := len(row), 0.0 // totalWidth is the sum of the relative widths
	for _, inner := range row {
		totalWidth += inner.relativeWidth
	}
	haveSameWidth := totalWidth == float64(columns) // each relative width is 1
	if lines := math.Ceil(totalWidth / perRow); haveSameWidth && lines > 1 {
		columns = int(math.Ceil(totalWidth / lines)) // five boxes are split into three and two, not into four and one
		totalWidth = float64(columns)
	}
	space := float64(gap)
	if b.flow {
		space = arrowGap
	}
	unitWidth := (width - space*float64(columns-1)) / totalWidth
	for line := range slices.Chunk(row, columns) {
		y = b.putLine(line, x, y, unitWidth, space, fonts) + gap
	}
	return y - gap
}

// putLine places boxes next to each other and returns the y position at which the line ends.
// unitWidth is the width of a box with the relative width 1. If b has no arrows, all boxes get the
// height of the highest box. Otherwise the boxes keep their own height, and the arrows are at the
// middle of the boxes' sides.
func (b *box) putLine(line []*box, x, y, unitWidth, space float64, fonts styles) (end float64) {
	for _, inner := range line {
		inner.put(x, y, unitWidth*inner.relativeWidth, fonts)
		x, end = x+inner.W+space, max(end, y+inner.H)
	}
	for i, inner := range line {
		if !b.flow {
			inner.H = end - y
			continue
		}
		inner.moveDown((end - y - inner.H) / 2)
		if i > 0 {
			middle := (y + end) / 2
			b.Arrows = append(b.Arrows, arrow{inner.X - space, middle, inner.X, middle})
		}
	}
	return end
}

// moveDown moves the box and its content down.
func (b *box) moveDown(by float64) {
	b.Y += by
	for i := range b.Lines {
		b.Lines[i].Y += by
	}
	for i := range b.Arrows {
		b.Arrows[i].Y1 += by
		b.Arrows[i].Y2 += by
	}
	for _, inner := range b.Boxes {
		inner.moveDown(by)
	}
}

// describe returns the picture's description for screen readers.
func describe(boxes []*box) string {
	parts := make([]string, len(boxes))
	for i, b := range boxes {
		parts[i] = strings.Join(b.Title, " ")
		if inner := describe(slices.Concat(b.rows...)); inner != "" {
			parts[i] = fmt.Sprintf("%s (%s)", parts[i], inner)
		}
	}
	return strings.Join(parts, "; ")
}
