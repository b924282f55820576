package grafana

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/dashboards"
)

var platform = dashboards.Platform{
	Services: scaling.Services(), Connections: 200,
	Exporters: []dashboards.Exporter{dashboards.State, dashboards.PostgreSQL, dashboards.Redis, dashboards.MongoDB},
}

// Grafana's schema accepts the files. Strict decoding rejects unknown and missing
// fields, and Validate checks the values. The decoded files equal the dashboards.
func TestFilesAreValidForGrafana(t *testing.T) {
	cog.NewRuntime().RegisterPanelcfgVariant(timeseries.VariantConfig())
	cog.NewRuntime().RegisterDataqueryVariant(prometheus.VariantConfig())
	all := dashboards.New(platform)
	files, err := Files(all)
	require.NoError(t, err)
	require.Len(t, files, len(all))
	for _, d := range all {
		text := files["progressive-framework-"+d.Name+".json"]
		var model dashboard.Dashboard //nolint:staticcheck // as in render
		// On success the SDK returns an empty list of errors that is not nil. The SDK's decoder of
		// the outer object then drops the nested objects, so the test decodes panels and queries
		// one by one.
		require.Empty(t, model.UnmarshalJSONStrict([]byte(text)), d.Name)
		require.NoError(t, model.Validate(), d.Name)
		require.Equal(t, d.Title, *model.Title)
		var raw struct{ Panels []json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(text), &raw))
		require.Len(t, raw.Panels, len(d.Panels))
		for i, p := range d.Panels {
			var panel dashboard.Panel
			require.Empty(t, panel.UnmarshalJSONStrict(raw.Panels[i]), p.Title)
			require.NoError(t, panel.Validate())
			var nested struct{ Targets []json.RawMessage }
			require.NoError(t, json.Unmarshal(raw.Panels[i], &nested))
			require.Equal(t, p.Title, *panel.Title)
			require.Equal(t, string(p.Unit), *panel.FieldConfig.Defaults.Unit)
			require.Len(t, nested.Targets, len(p.Queries))
			ids := map[string]bool{}
			for j, q := range p.Queries {
				var target prometheus.Dataquery
				require.Empty(t, target.UnmarshalJSONStrict(nested.Targets[j]), q.Expr)
				require.Equal(t, q.Expr, target.Expr)
				require.Equal(t, q.Legend, *target.LegendFormat)
				ids[*target.RefId] = true
			}
			require.Len(t, ids, len(p.Queries))
			require.Regexp(t, "^[A-Z]$", refID(len(p.Queries)-1))
			if len(p.Lines) > 0 {
				require.Len(t, panel.FieldConfig.Defaults.Thresholds.Steps, len(p.Lines)+1)
				for j, s := range panel.FieldConfig.Defaults.Thresholds.Steps[1:] {
					require.True(t, j == 0 || *s.Value >= *panel.FieldConfig.Defaults.Thresholds.Steps[j].Value, "Grafana needs thresholds in ascending order")
				}
			}
			require.LessOrEqual(t, panel.GridPos.X+panel.GridPos.W, uint32(24))
		}
	}
}

// Kubernetes refuses a ConfigMap above 1 MiB (API reference, ConfigMap). The sidecar loads a
// dashboard without the envelope of Grafana's API, which the design document's file has.
func TestFilesFitAConfigMap(t *testing.T) {
	files, err := Files(dashboards.New(platform))
	require.NoError(t, err)
	size := 0
	for name, text := range files {
		size += len(text)
		require.True(t, strings.HasSuffix(name, ".json"))
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &fields))
		require.Contains(t, fields, "panels")
		require.NotContains(t, fields, "dashboard")
	}
	require.Less(t, size, 1<<20)
	t.Logf("%d bytes", size)
}
