package svgplot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestPlotIsInsideItsPicture: the highest value and the limit are below the title, and 0 is on the
// axis.
func TestPlotIsInsideItsPicture(t *testing.T) {
	svg, err := Plot{Title: "GET <profile>", Unit: "ms", Limits: []Limit{{"limit", 500}},
		Lines: []Line{{Name: "p95", X: []float64{0, 1, 2, 3}, Y: []float64{0, 1000, math.NaN(), 3}}}}.SVG()
	require.NoError(t, err)
	text := string(svg)
	require.Contains(t, text, "GET &lt;profile&gt;, ms")
	require.Contains(t, text, "limit 500")
	require.Contains(t, text, `d="M46 168L180.7 36.6M450 167.6"`, "NaN interrupts the line")
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}

func TestStepsKeepAValueUntilTheNext(t *testing.T) {
	svg, err := Plot{Lines: []Line{{Name: "pods", Steps: true, X: []float64{0, 10}, Y: []float64{1, 2}}}}.SVG()
	require.NoError(t, err)
	require.Regexp(t, `d="M46 [\d.]+H450L450 [\d.]+"`, string(svg))
}

func TestTicksAreFew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		highest := rapid.Float64Range(1, 1e6).Draw(t, "highest")
		list := tickValues(highest)
		require.GreaterOrEqual(t, len(list), 4)
		require.LessOrEqual(t, len(list), 9)
		require.LessOrEqual(t, list[len(list)-1], highest)
	})
	require.Equal(t, []float64{0, 10, 20, 30}, tickValues(31))
}
