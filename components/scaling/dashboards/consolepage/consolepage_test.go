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

// all returns the dashboards of a platform with all stores.
func all() []dashboards.Dashboard {
	return dashboards.New(dashboards.Platform{
		Services: scaling.Services(), Connections: 200,
		Exporters: []dashboards.Exporter{dashboards.State, dashboards.PostgreSQL, dashboards.Redis, dashboards.MongoDB},
	})
}

// Prometheus expands the page as a template of Go. The panels are the same afterwards.
func TestExpandingTheTemplateDoesNotChangeThePanels(t *testing.T) {
	text, err := Render(all())
	require.NoError(t, err)
	require.LessOrEqual(t, len(text), MaxBytes)
	parsed, err := template.New("console").Parse(text)
	require.NoError(t, err)
	var served strings.Builder
	require.NoError(t, parsed.Execute(&served, nil))
	_, rest, found := strings.Cut(served.String(), `id="data">`)
	require.True(t, found)
	data, _, _ := strings.Cut(rest, "</script>")
	var read struct{ Dashboards []dashboards.Dashboard }
	require.NoError(t, json.Unmarshal([]byte(data), &read))
	want, err := json.Marshal(all())
	require.NoError(t, err)
	got, err := json.Marshal(read.Dashboards)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
	require.Contains(t, string(got), "{{pod}}")
}

// The page works without internet, and behind a proxy that adds a path.
func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	text, err := Render(all())
	require.NoError(t, err)
	require.NotRegexp(t, regexp.MustCompile(`(?i)(src|href)=|@import|url\(|fetch\('(/|http)`), text)
	require.NotContains(t, strings.ReplaceAll(text, "http://www.w3.org/2000/svg", ""), "://")
}

// Each unit of a panel has its scale on the page.
func TestPageKnowsEveryUnit(t *testing.T) {
	_, units, _ := strings.Cut(html, "const scale = {")
	units, _, _ = strings.Cut(units, "\nfunction")
	for _, d := range all() {
		for _, p := range d.Panels {
			require.Contains(t, units, string(p.Unit)+": [[", p.Title)
		}
	}
}

func TestTooLargePageIsAnError(t *testing.T) {
	many := all()
	for len(many) < 40 {
		many = append(many, many...)
	}
	_, err := Render(many)
	require.ErrorContains(t, err, "must be at most 60000")
}
