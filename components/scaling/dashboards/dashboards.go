// Package dashboards owns the dashboards of a running platform: the design document's
// dashboard, and dashboards for the scaling of pods, the used capacity and the service
// level objectives. It imports no SDK. Lines in a panel are the thresholds, targets and bounds of
// package scaling. Package grafana renders a dashboard for Grafana. Package consolepage
// renders it for a browser without Grafana.
package dashboards

import (
	"slices"

	"github.com/progressive-framework/platform/components/scaling"
)

// Dashboard is a page of panels.
type Dashboard struct {
	// Name is unique among the dashboards, in lower case with hyphens.
	Name  string `json:"name"`
	Title string `json:"title"`
	// Panels are never empty.
	Panels []Panel `json:"panels"`
}

// Panel is a chart over time. All its queries have one unit.
type Panel struct {
	// Title is unique in the dashboard.
	Title string `json:"title"`
	Unit  Unit   `json:"unit"`
	// Queries are never empty.
	Queries []Query `json:"queries"`
	Lines   []Line  `json:"lines,omitempty"`
}

// Query is a PromQL expression with the name of its series.
type Query struct {
	Expr string `json:"expr"`
	// Legend may contain labels as {{label}}, in Grafana's notation. Together with
	// its labels it is unique in the panel.
	Legend string `json:"legend"`
	// Exporter is the source of the expression's series.
	Exporter Exporter `json:"-"`
}

// Line is a horizontal line: a threshold, a target or a bound, in the unit of its
// panel.
type Line struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Unit is the unit of a panel: Grafana's id of the unit
// (grafana/grafana, packages/grafana-data/src/valueFormats/categories.ts).
type Unit string

// The units.
const (
	Seconds   Unit = "s"
	PerSecond Unit = "cps"
	PerMinute Unit = "cpm"
	// Percent is 0 to 100, and more if a bound is exceeded.
	Percent Unit = "percent"
	Bytes   Unit = "bytes"
	// Count is a number of things, such as pods.
	Count Unit = "short"
)

// Platform is the stack that the dashboards show.
type Platform struct {
	// Services have the bounds and requests of the stack.
	Services []scaling.Profile
	// Connections is max_connections of PostgreSQL.
	Connections int
	// Exporters are the optional exporters that the stack runs. New leaves out a query
	// without its exporter, because the query would never return data. Services,
	// Kubelets, Rules, KEDA and Prometheus are in every stack with Prometheus and are
	// not listed.
	Exporters []Exporter
}

// New returns the dashboards of a platform.
func New(p Platform) []Dashboard {
	var all []Dashboard
	for _, d := range []Dashboard{performanceDashboard(p), podScalingDashboard(p), capacityDashboard(p), objectivesDashboard(p)} {
		var panels []Panel
		for _, panel := range d.Panels {
			panel.Queries = slices.DeleteFunc(panel.Queries, func(q Query) bool { return !p.has(q.Exporter) })
			if len(panel.Queries) > 0 {
				panels = append(panels, panel)
			}
		}
		d.Panels = panels
		all = append(all, d)
	}
	return all
}

// has reports whether the stack has the exporter.
func (p Platform) has(e Exporter) bool { return !e.isOptional() || slices.Contains(p.Exporters, e) }

// service returns the profile with a short name. It panics if the platform has no such service.
func (p Platform) service(shortName string) scaling.Profile {
	i := slices.IndexFunc(p.Services, func(s scaling.Profile) bool { return s.ShortName == shortName })
	return p.Services[i]
}
