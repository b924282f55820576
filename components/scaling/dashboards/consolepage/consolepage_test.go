package consolepage

import (
	"encoding/json"
	"html/template"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/dashboards"
)

// testDashboards returns the dashboards of a platform with all stores.
func testDashboards() []dashboards.Dashboard {
	return dashboards.New(dashboards.Platform{
		Services: scaling.Services(), Connections: 200,
		Exporters: []dashboards.Exporter{dashboards.State, dashboards.PostgreSQL, dashboards.Redis, dashboards.MongoDB},
	})
}

// Prometheus expands the page as a template of Go. The panels are the same afterwards.
func TestExpandingTheTemplateDoesNotChangeThePanels(t *testing.T) {
	page, err := Render(testDashboards())
	require.NoError(t, err)
	require.LessOrEqual(t, len(page), MaxBytes)
	parsed, err := template.New("console").Parse(page)
	require.NoError(t, err)
	var served strings.Builder
	require.NoError(t, parsed.Execute(&served, nil))
	_, afterTag, found := strings.Cut(served.String(), `id="data">`)
	require.True(t, found)
	data, _, _ := strings.Cut(afterTag, "</script>")
	var decoded struct{ Dashboards []dashboards.Dashboard }
	require.NoError(t, json.Unmarshal([]byte(data), &decoded))
	want, err := json.Marshal(testDashboards())
	require.NoError(t, err)
	rendered, err := json.Marshal(decoded.Dashboards)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(rendered))
	require.Contains(t, string(rendered), "{{pod}}")
}

// The page works without internet, and behind a proxy that adds a path.
func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	page, err := Render(testDashboards())
	require.NoError(t, err)
	require.NotRegexp(t, regexp.MustCompile(`(?i)(src|href)=|@import|url\(|fetch\('(/|http)`), page)
	require.NotContains(t, strings.ReplaceAll(page, "http://www.w3.org/2000/svg", ""), "://")
}

// The JavaScript of the page has a scale for each unit of a panel.
func TestPageHasAScaleForEveryUnit(t *testing.T) {
	_, units, _ := strings.Cut(pageTemplate, "const scale = {")
	units, _, _ = strings.Cut(units, "\nfunction")
	for _, d := range testDashboards() {
		for _, p := range d.Panels {
			require.Contains(t, units, string(p.Unit)+": [[", p.Title)
		}
	}
}

func TestTooLargePageIsAnError(t *testing.T) {
	repeated := testDashboards()
	for len(repeated) < 40 {
		repeated = append(repeated, repeated...)
	}
	_, err := Render(repeated)
	require.ErrorContains(t, err, "must be at most 60000")
}
