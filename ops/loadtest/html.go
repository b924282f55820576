package loadtest

import (
	_ "embed"
	"html/template"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/load"
	"github.com/progressive-framework/platform/ops/svgplot"
)

//go:embed report.html.tmpl
var pageSource string

var pageTemplate = template.Must(template.New("report").Parse(pageSource))

// writeHTML writes the report as one page. The page needs no script and no other file.
func (r *report) writeHTML(out io.Writer) error {
	plots, err := r.renderPlots()
	if err != nil {
		return err
	}
	return pageTemplate.Execute(out, struct {
		*report
		Plots []template.HTML
	}{r, plots})
}

// renderPlots returns the plots of the report as SVG. They show the rate, the share of failures, the
// pods of each service and the latency of each request. The plots of pods have the bounds of the
// autoscaler, and the plots of latency have the limit.
func (r *report) renderPlots() (svgs []template.HTML, err error) {
	plots := []svgplot.Plot{r.ratePlot(), r.failurePlot()}
	for _, name := range slices.Sorted(maps.Keys(r.Replicas)) {
		plots = append(plots, r.podPlot(name))
	}
	for _, row := range r.Load {
		if len(row.Seconds) > 0 {
			plots = append(plots, row.latencyPlot())
		}
	}
	for _, plot := range plots {
		svg, err := plot.SVG()
		if err != nil {
			return nil, err
		}
		svgs = append(svgs, svg)
	}
	return svgs, nil
}

// ratePlot returns the plot of the correct and the failed responses in each second.
func (r *report) ratePlot() svgplot.Plot {
	correct, failed := svgplot.Line{Name: "correct"}, svgplot.Line{Name: "failed"}
	for _, row := range r.Load {
		for i, s := range row.Seconds {
			if i == len(correct.X) {
				correct.X, failed.X = append(correct.X, float64(i)), append(failed.X, float64(i))
				correct.Y, failed.Y = append(correct.Y, 0), append(failed.Y, 0)
			}
			correct.Y[i] += float64(s.Correct)
			failed.Y[i] += float64(s.Failed)
		}
	}
	return svgplot.Plot{
		Title: "All responses", Unit: "1/s", Lines: []svgplot.Line{correct, failed},
		Limits: []svgplot.Limit{{Name: "the web app's requests_per_second_max", Value: float64(load.MaxPerSecond())}},
	}
}

// failurePlot returns the plot of the share of failed responses in each second. A number of failures
// has no threshold, because the rate changes.
func (r *report) failurePlot() svgplot.Plot {
	rate := r.ratePlot()
	correct, failed := rate.Lines[0], rate.Lines[1]
	share := svgplot.Line{Name: "failed", X: failed.X}
	for i := range failed.X {
		share.Y = append(share.Y, 100*failed.Y[i]/(correct.Y[i]+failed.Y[i])) // NaN without a response
	}
	return svgplot.Plot{
		Title: "Share of failed responses", Unit: "%", Lines: []svgplot.Line{share},
		Limits: []svgplot.Limit{{Name: "error_rate_threshold", Value: float64(scaling.DesignThresholds().Web.ErrorRate)}},
	}
}

// podPlot returns the plot of the desired and the ready pods of a service.
func (r *report) podPlot(service string) svgplot.Plot {
	desired, ready := svgplot.Line{Name: "wanted", Steps: true}, svgplot.Line{Name: "ready", Steps: true}
	for _, replicas := range r.Replicas[service] {
		desired.X, ready.X = append(desired.X, replicas.Second), append(ready.X, replicas.Second)
		desired.Y, ready.Y = append(desired.Y, float64(replicas.Desired)), append(ready.Y, float64(replicas.Ready))
	}
	plot := svgplot.Plot{Title: "Pods of " + service, Lines: []svgplot.Line{desired, ready}}
	switch bounds, hasAutoscaler := r.Bounds[service]; {
	case hasAutoscaler && bounds.Min == bounds.Max:
		plot.Limits = []svgplot.Limit{{Name: "minimum and maximum", Value: float64(bounds.Max)}}
	case hasAutoscaler:
		plot.Limits = []svgplot.Limit{{Name: "minimum", Value: float64(bounds.Min)}, {Name: "maximum", Value: float64(bounds.Max)}}
	}
	return plot
}

// latencyPlot returns the plot of the latency of a request in each second.
func (r row) latencyPlot() svgplot.Plot {
	lines := []svgplot.Line{{Name: "p50"}, {Name: "p95"}, {Name: "p99"}}
	for i, s := range r.Seconds {
		for l, value := range []float64{s.P50, s.P95, s.P99} {
			if s.Correct == 0 {
				value = math.NaN()
			}
			lines[l].X, lines[l].Y = append(lines[l].X, float64(i)), append(lines[l].Y, value)
		}
	}
	return svgplot.Plot{Title: r.Name, Unit: "ms", Lines: lines, Limits: []svgplot.Limit{{Name: "limit of the p95", Value: r.Limit}}}
}
