// Package grafana renders dashboards as Grafana's JSON, with Grafana's own SDK. The SDK
// takes eight seconds to compile. So only this package imports the SDK, and programs that need
// just the panels do not compile it.
package grafana

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/dashboards"
)

const (
	// Label marks a ConfigMap with dashboards. The sidecar of Grafana loads such
	// ConfigMaps of every namespace in kube-prometheus-stack
	// (prometheus-community/helm-charts, charts/kube-prometheus-stack/values.yaml,
	// grafana.sidecar.dashboards).
	Label = "grafana_dashboard"
	// LabelValue is the label's value.
	LabelValue = "1"
)

const (
	// datasourceVariable is the name of the variable with which people choose the Prometheus server.
	datasourceVariable = "datasource"
	// Two panels are side by side: Grafana's grid has 24 columns.
	panelWidth, panelHeight = 12, 8
)

// Files returns a file of Grafana's dashboard JSON for each dashboard, by the name of the file.
func Files(all []dashboards.Dashboard) (map[string]string, error) {
	files := map[string]string{}
	for _, d := range all {
		model, err := render(d)
		if err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", d.Name, err)
		}
		text, err := json.Marshal(model)
		if err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", d.Name, err)
		}
		files["progressive-framework-"+d.Name+".json"] = string(text)
	}
	return files, nil
}

// render builds a dashboard with the design document's settings: the last hour, every 30 s, in the
// browser's time zone.
func render(d dashboards.Dashboard) (dashboard.Dashboard, error) { //nolint:staticcheck // the sidecar loads files of the first schema only
	b := dashboard.NewDashboardBuilder(d.Title). //nolint:staticcheck // the sidecar loads files of the first schema only
							Uid("progressive-framework-"+d.Name).
							Tags([]string{"progressive-framework", "performance"}).
							Timezone("browser").Time("now-1h", "now").Refresh("30s").
							Tooltip(dashboard.DashboardCursorSyncCrosshair).
							WithVariable(dashboard.NewDatasourceVariableBuilder(datasourceVariable).Label("Prometheus").Type("prometheus"))
	for _, p := range d.Panels {
		b = b.WithPanel(newPanel(p))
	}
	return b.Build()
}

// newPanel returns the builder of a time series panel. Each of p.Lines becomes a threshold in Grafana.
func newPanel(p dashboards.Panel) *timeseries.PanelBuilder {
	dataSource := common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${" + datasourceVariable + "}")}
	b := timeseries.NewPanelBuilder().Title(p.Title).Unit(string(p.Unit)).Min(0).
		Span(panelWidth).Height(panelHeight).
		Datasource(dataSource).
		Interval(fmt.Sprintf("%ds", int(scaling.ScrapeInterval.Seconds()))).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	for i, q := range p.Queries {
		b = b.WithTarget(prometheus.NewDataqueryBuilder().Expr(q.Expr).LegendFormat(q.Legend).Range().RefId(refID(i)).Datasource(dataSource))
	}
	if len(p.Lines) == 0 {
		return b
	}
	// Grafana draws thresholds without their names, so the description has them.
	steps := []dashboard.Threshold{{Color: "green"}}
	description := "Lines:"
	for _, l := range slices.SortedFunc(slices.Values(p.Lines), func(a, b dashboards.Line) int { return cmp.Compare(a.Value, b.Value) }) {
		steps = append(steps, dashboard.Threshold{Value: cog.ToPtr(l.Value), Color: "red"})
		description += fmt.Sprintf(" %s %v;", l.Name, l.Value)
	}
	return b.Description(description).
		Thresholds(dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps)).
		ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
}

// refID returns the id of a query in its panel: A to Z, as in Grafana's editor.
func refID(i int) string { return string(rune('A' + i)) }
