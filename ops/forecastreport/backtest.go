package forecastreport

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/progressive-framework/platform/forecast/backtest"
	"github.com/progressive-framework/platform/ops/svgplot"
)

const (
	// maxTraceBytes limits the size of a trace. A year in steps of 15 s has 50 MB.
	maxTraceBytes = 64 << 20
	// plotPoints is the number of points of each line in a plot.
	plotPoints = 400
)

// backtestReport is the JSON report of backtest.
type backtestReport struct {
	Name string `json:"trace"`
	backtest.Report
	Timeline backtest.Timeline `json:"timeline"`
}

// backtestFile runs all autoscalers over the load in a file.
func backtestFile(path string) (*backtestReport, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("backtest: %w", err)
	}
	defer f.Close()
	name := strings.TrimSuffix(filepath.Base(path), ".csv")
	bounded := &io.LimitedReader{R: f, N: maxTraceBytes + 1}
	trace, err := backtest.ReadTrace(name, bounded)
	if bounded.N == 0 {
		return nil, fmt.Errorf("backtest: %s has more than %d MB: keep the last 70 days, the rest is not evaluated", path, maxTraceBytes>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("backtest: %s: %w", path, err)
	}
	return newReport(trace), nil
}

// newReport runs all autoscalers over a trace.
func newReport(trace backtest.Trace) *backtestReport {
	return &backtestReport{
		Name: trace.Name, Report: backtest.Run([]backtest.Trace{trace}, runtime.GOMAXPROCS(0)), Timeline: backtest.NewTimeline(trace, plotPoints),
	}
}

// write writes the report to out. If htmlFile is not empty, it also writes the HTML page to that
// file.
func (r *backtestReport) write(out io.Writer, asJSON bool, htmlFile string) error {
	if htmlFile != "" {
		f, err := os.Create(htmlFile)
		if err != nil {
			return err
		}
		if err := errors.Join(r.writeHTML(f), f.Close()); err != nil {
			return err
		}
	}
	if asJSON {
		return writeJSON(out, r)
	}
	return r.Print(out)
}

//go:embed report.html.tmpl
var pageSource string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"percent": func(share float64) string { return fmt.Sprintf("%.3f %%", 100*share) },
}).Parse(pageSource))

// resultRow has the figures of one controller.
type resultRow struct {
	Controller backtest.Controller
	backtest.Result
	// Saving is the share of the pod-hours of the design document's HPA that the controller saves.
	Saving float64
}

// writeHTML writes the report as one page. The page needs no script and no other file.
func (r *backtestReport) writeHTML(out io.Writer) error {
	results := r.Traces[0].Results
	var rows []resultRow
	for _, c := range backtest.Controllers() {
		rows = append(rows, resultRow{c, results[c], 1 - results[c].PodHours/results[backtest.Document].PodHours})
	}
	var plots []template.HTML
	for _, p := range r.newPlots() {
		svg, err := p.SVG()
		if err != nil {
			return err
		}
		plots = append(plots, svg)
	}
	return pageTemplate.Execute(out, struct {
		*backtestReport
		Rows  []resultRow
		Plots []template.HTML
	}{r, rows, plots})
}

// newPlots returns the plots: the load with the median and the quantile 0.99 of the forecast, the
// pods, and the overload.
func (r *backtestReport) newPlots() []svgplot.Plot {
	t := r.Timeline
	newLine := func(name string, y []float64) svgplot.Line { return svgplot.Line{Name: name, X: t.Days, Y: y} }
	newLines := func(byController map[backtest.Controller][]float64, scale float64) (lines []svgplot.Line) {
		for _, c := range []backtest.Controller{backtest.Document, backtest.Predictive} {
			y := make([]float64, len(byController[c]))
			for i, v := range byController[c] {
				y[i] = scale * v
			}
			lines = append(lines, newLine(string(c), y))
		}
		return lines
	}
	return []svgplot.Plot{
		{Title: "Load and forecast", Unit: "pods", TimeUnit: "d", Lines: []svgplot.Line{newLine("load", t.Load), newLine("median", t.Median), newLine("quantile 0.99", t.High)}},
		{Title: "Pods", TimeUnit: "d", Lines: newLines(t.Pods, 1)},
		{Title: "Overload", Unit: "% of the load", TimeUnit: "d", Lines: newLines(t.Overload, 100)},
	}
}
