package main

import (
	"strings"

	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusansbold"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
)

// Font sizes, and the heights of lines, in SVG units.
const (
	titleSize, textSize     = 13, 11.5
	titleHeight, textHeight = 18, 16
)

// style measures text in one font size. The SVG uses the default font of the viewer's browser, which
// differs from machine to machine. So text is measured with DejaVu Sans, the widest of the common
// default fonts.
type style struct{ face font.Face }

func newStyle(ttf []byte, size float64) (style, error) {
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		return style{}, err
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72})
	return style{face}, err
}

// styles has the style of the titles of boxes, and the style of all other text.
type styles struct{ title, text style }

func newStyles() (styles, error) {
	title, err := newStyle(dejavusansbold.TTF, titleSize)
	if err != nil {
		return styles{}, err
	}
	text, err := newStyle(dejavusans.TTF, textSize)
	return styles{title, text}, err
}

// width returns the length of text in SVG units.
func (s style) width(text string) float64 {
	return float64(font.MeasureString(s.face, text)) / 64
}

// wrap breaks text between words into lines that are at most as long as width. A word that
// is longer than a line is shortened.
func (s style) wrap(text string, width float64) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		word = s.shorten(word, width)
		if longer := line + " " + word; line != "" && s.width(longer) <= width {
			line = longer
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		line = word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// shorten cuts the end of a word until it fits, and adds an ellipsis.
func (s style) shorten(word string, width float64) string {
	if s.width(word) <= width {
		return word
	}
	runes := []rune(word)
	for len(runes) > 0 && s.width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
