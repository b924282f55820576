// Package svgplot draws lines over time as SVG. The result needs no script and no
// other file, so that a report can be opened offline and attached to a ticket.
package svgplot

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Plot is one picture.
type Plot struct {
	Title string
	// TimeUnit is the unit of the times. Empty means seconds.
	TimeUnit string
	// Unit is the unit of the values, such as "ms".
	Unit  string
	Lines []Line
	// Limits are drawn as horizontal lines.
	Limits []Limit
}

// Line is one line of the plot. A NaN in Y interrupts the line.
type Line struct {
	Name string
	X, Y []float64
	// Steps draws each value as a horizontal line until the next one, as for a number of pods.
	Steps bool
}

// Limit is a horizontal line with its name.
type Limit struct {
	Name  string
	Value float64
}

// The size of the picture, and the margins around the plot area, in pixels.
const (
	width, height            = 460, 190
	left, right, top, bottom = 46, 10, 30, 22
)

// colours are the palette of Okabe and Ito, which people with colour blindness can distinguish
// (https://jfly.uni-koeln.de/color/).
var colours = []string{"#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"}

//go:embed plot.svg.tmpl
var templateSource string

var plotTemplate = template.Must(template.New("plot").Parse(templateSource))

// drawing has the values that the template draws, in pixels.
type drawing struct {
	Title                                string
	Width, Height, Left, Right, Baseline int
	XTicks, YTicks                       []tick
	Lines                                []path
	Limits                               []tick
}

// tick is a mark on an axis, or a limit, at a position in pixels.
type tick struct {
	At   float64
	Text string
}

// path is a line in the SVG, with its name in the legend.
type path struct {
	Name, Colour, Points string
	LegendX              int
}

// SVG returns the plot as an SVG element.
func (p Plot) SVG() (template.HTML, error) {
	xMax, yMax := p.axisEnds()
	x := func(v float64) float64 { return roundToTenth(left + v/xMax*(width-left-right)) }
	y := func(v float64) float64 { return roundToTenth(height - bottom - v/yMax*(height-top-bottom)) }
	d := drawing{Title: p.Title, Width: width, Height: height, Left: left, Right: width - right, Baseline: height - bottom}
	if p.Unit != "" {
		d.Title += ", " + p.Unit
	}
	for _, v := range tickValues(xMax) {
		d.XTicks = append(d.XTicks, tick{x(v), fmt.Sprintf("%g %s", v, cmp.Or(p.TimeUnit, "s"))})
	}
	for _, v := range tickValues(yMax) {
		d.YTicks = append(d.YTicks, tick{y(v), fmt.Sprintf("%g", v)})
	}
	for _, limit := range p.Limits {
		d.Limits = append(d.Limits, tick{y(limit.Value), fmt.Sprintf("%s %g", limit.Name, limit.Value)})
	}
	legend := left
	for i, line := range p.Lines {
		d.Lines = append(d.Lines, path{line.Name, colours[i%len(colours)], line.pathData(x, y), legend})
		legend += 24 + 7*len(line.Name)
	}
	var out bytes.Buffer
	err := plotTemplate.Execute(&out, d)
	return template.HTML(out.String()), err //nolint:gosec // the template has escaped it
}

// axisEnds returns the ends of the axes. x is the highest time. y is 5 % above the highest value or
// limit. Times and values below 1 count as 1.
func (p Plot) axisEnds() (x, y float64) {
	for _, line := range p.Lines {
		for i := range line.X {
			x = max(x, line.X[i])
			if !math.IsNaN(line.Y[i]) {
				y = max(y, line.Y[i])
			}
		}
	}
	for _, limit := range p.Limits {
		y = max(y, limit.Value)
	}
	return max(x, 1), 1.05 * max(y, 1)
}

// pathData returns the attribute d of the SVG path of the line. x and y convert values to pixels.
func (l Line) pathData(x, y func(float64) float64) string {
	var b strings.Builder
	command := "M"
	for i := range l.X {
		if math.IsNaN(l.Y[i]) {
			command = "M"
			continue
		}
		if l.Steps && command == "L" {
			fmt.Fprintf(&b, "H%g", x(l.X[i]))
		}
		fmt.Fprintf(&b, "%s%g %g", command, x(l.X[i]), y(l.Y[i]))
		command = "L"
	}
	return b.String()
}

// roundToTenth rounds a position to a tenth of a pixel.
func roundToTenth(v float64) float64 { return math.Round(v*10) / 10 }

// tickValues returns four to eight round numbers, from 0 to at most highest.
func tickValues(highest float64) (list []float64) {
	step := math.Pow(10, math.Floor(math.Log10(highest/3)))
	for _, factor := range []float64{5, 2} {
		if highest/(step*factor) >= 3 {
			step *= factor
			break
		}
	}
	for v := 0.; v <= highest; v += step {
		list = append(list, math.Round(v*1e6)/1e6)
	}
	return list
}
