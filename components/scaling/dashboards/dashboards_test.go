package dashboards

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
)

// fullPlatform returns a platform with every exporter.
func fullPlatform() Platform {
	return Platform{Services: scaling.Services(), Connections: 200, Exporters: []Exporter{State, PostgreSQL, Redis, MongoDB, Forecaster}}
}

// checkPanels runs a check as a subtest for each panel of a platform.
func checkPanels(t *testing.T, p Platform, check func(t *testing.T, panel Panel)) {
	t.Helper()
	for _, d := range New(p) {
		for _, panel := range d.Panels {
			t.Run(d.Name+"/"+panel.Title, func(t *testing.T) { check(t, panel) })
		}
	}
}

func TestPanelsAreComplete(t *testing.T) {
	units := []Unit{Seconds, PerSecond, PerMinute, Percent, Bytes, Count}
	checkPanels(t, fullPlatform(), func(t *testing.T, panel Panel) {
		require.NotEmpty(t, panel.Title)
		require.Contains(t, units, panel.Unit)
		require.NotEmpty(t, panel.Queries)
		legends := map[string]bool{}
		for _, q := range panel.Queries {
			require.NotEmpty(t, q.Legend, q.Expr)
			require.False(t, legends[q.Legend], "%s is there twice", q.Legend)
			legends[q.Legend] = true
		}
		for _, l := range panel.Lines {
			require.NotEmpty(t, l.Name)
			require.Positive(t, l.Value, l.Name)
		}
	})
	nameFormat := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for _, d := range New(fullPlatform()) {
		require.Regexp(t, nameFormat, d.Name)
		require.NotEmpty(t, d.Title)
		require.False(t, seen[d.Name], d.Name)
		seen[d.Name] = true
		titles := map[string]bool{}
		for _, panel := range d.Panels {
			require.False(t, titles[panel.Title], "%s: %s is there twice", d.Name, panel.Title)
			titles[panel.Title] = true
		}
	}
}

// seriesNames returns the names of the series that an expression reads.
func seriesNames(t *testing.T, expr string) (names []string) {
	t.Helper()
	parsed, err := parser.ParseExpr(expr)
	require.NoError(t, err, expr)
	require.Equal(t, parser.ValueTypeVector, parsed.Type(), expr)
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			i := slices.IndexFunc(v.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == labels.MetricName })
			require.GreaterOrEqual(t, i, 0, "%s: a selector without a name reads everything", expr)
			require.Equal(t, labels.MatchEqual, v.LabelMatchers[i].Type, expr)
			names = append(names, v.LabelMatchers[i].Value)
		}
		return nil
	})
	return names
}

// Prometheus' parser accepts each expression. Each expression reads a series of its query's
// exporter. It may also read series of exporters that every stack has.
func TestExpressionsReadSeriesThatExist(t *testing.T) {
	series := Series()
	read := map[string]bool{}
	checkPanels(t, fullPlatform(), func(t *testing.T, panel Panel) {
		for _, q := range panel.Queries {
			readsOwnExporter := false
			for _, name := range seriesNames(t, q.Expr) {
				read[name] = true
				exporter := Exporter(-1)
				for e, names := range series {
					if slices.Contains(names, name) {
						exporter = e
					}
				}
				require.GreaterOrEqual(t, exporter, Services, "%s is in no exporter's list: %s", name, q.Expr)
				require.True(t, exporter == q.Exporter || !exporter.isOptional(), "%s reads %s, which is another exporter's", q.Legend, name)
				readsOwnExporter = readsOwnExporter || exporter == q.Exporter
			}
			require.True(t, readsOwnExporter, "%s reads no series of its exporter", q.Expr)
		}
	})
	for _, names := range series {
		for _, name := range names {
			require.True(t, read[name], "no panel reads %s", name)
		}
	}
}

// A query is left out if the stack does not run its exporter. A panel without a
// query is left out too.
func TestMissingExportersLeaveNoEmptyPanel(t *testing.T) {
	p := fullPlatform()
	p.Exporters = nil
	checkPanels(t, p, func(t *testing.T, panel Panel) {
		require.NotEmpty(t, panel.Queries)
		for _, q := range panel.Queries {
			require.False(t, q.Exporter.isOptional(), q.Expr)
		}
	})
	require.NotContains(t, panelTitles(p, "performance"), "Database Performance: MongoDB")
	require.Contains(t, panelTitles(p, "performance"), "Auto-scaling Status", "it shows the pods that respond to Prometheus")
}

// panelTitles returns the titles of a dashboard's panels.
func panelTitles(p Platform, name string) (all []string) {
	for _, d := range New(p) {
		if d.Name == name {
			for _, panel := range d.Panels {
				all = append(all, panel.Title)
			}
		}
	}
	return all
}

// The design document's six panels are there with its legends (section "Comprehensive Performance
// Dashboard").
func TestPerformanceHasTheDesignDocumentsPanels(t *testing.T) {
	for title, legends := range map[string][]string{
		"Application Response Time":      {"95th percentile", "50th percentile"},
		"Agent Coordination Performance": {"MCA Coordination (95th)", "Active MCA Sessions"},
		"Database Performance":           {"PostgreSQL Rows/sec", "Redis Connected Clients", "MongoDB Operations/sec"},
		"Auto-scaling Status":            {"Main App Replicas", "MCA Replicas", "NPA Replicas", "WPA Replicas"},
		"Resource Utilization":           {"CPU Usage %", "Memory Usage %"},
		"Cache Performance":              {"Redis Hit Rate %", "Application Cache Hit Rate %"},
	} {
		var found []string
		for _, panel := range performanceDashboard(fullPlatform()).Panels {
			if panel.Title == title || strings.HasPrefix(panel.Title, title+": ") {
				for _, q := range panel.Queries {
					found = append(found, q.Legend)
				}
			}
		}
		require.Len(t, found, len(legends), title)
		for i, legend := range legends {
			require.True(t, strings.HasPrefix(found[i], legend), "%s: %s", title, found[i])
		}
	}
}

// The lines of a panel are the stack's own limits: the bounds of the HPA, and max_connections.
func TestPanelLinesAreTheLimitsOfTheStack(t *testing.T) {
	p := fullPlatform()
	var err error
	p.Services[2], err = p.Services[2].WithBounds(1, 7)
	require.NoError(t, err)
	i := slices.IndexFunc(podScalingDashboard(p).Panels, func(panel Panel) bool { return panel.Title == "npa: pods that each metric asks for" })
	require.GreaterOrEqual(t, i, 0)
	require.Equal(t, []Line{{"minimum", 1}, {"maximum", 7}}, podScalingDashboard(p).Panels[i].Lines)
	require.Equal(t, []Line{{"threshold", 170}, {"max_connections", 200}}, connectionsPanel(p).Lines)
}
