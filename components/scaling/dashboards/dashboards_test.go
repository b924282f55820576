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

// whole returns a platform with every exporter.
func whole() Platform {
	return Platform{Services: scaling.Services(), Connections: 200, Exporters: []Exporter{State, PostgreSQL, Redis, MongoDB, Forecaster}}
}

// eachPanel runs a check as a subtest for each panel of a platform.
func eachPanel(t *testing.T, p Platform, check func(t *testing.T, panel Panel)) {
	t.Helper()
	for _, d := range New(p) {
		for _, panel := range d.Panels {
			t.Run(d.Name+"/"+panel.Title, func(t *testing.T) { check(t, panel) })
		}
	}
}

func TestPanelsAreComplete(t *testing.T) {
	units := []Unit{Seconds, PerSecond, PerMinute, Percent, Bytes, Count}
	eachPanel(t, whole(), func(t *testing.T, panel Panel) {
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
	names := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for _, d := range New(whole()) {
		require.Regexp(t, names, d.Name)
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

// seriesOf returns the names of the series that an expression reads.
func seriesOf(t *testing.T, expr string) (names []string) {
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
	eachPanel(t, whole(), func(t *testing.T, panel Panel) {
		for _, q := range panel.Queries {
			own := false
			for _, name := range seriesOf(t, q.Expr) {
				read[name] = true
				exporter := Exporter(-1)
				for e, names := range series {
					if slices.Contains(names, name) {
						exporter = e
					}
				}
				require.GreaterOrEqual(t, exporter, Services, "%s is in no exporter's list: %s", name, q.Expr)
				require.True(t, exporter == q.Exporter || !exporter.optional(), "%s reads %s, which is another exporter's", q.Legend, name)
				own = own || exporter == q.Exporter
			}
			require.True(t, own, "%s reads no series of its exporter", q.Expr)
		}
	})
	for _, names := range series {
		for _, name := range names {
			require.True(t, read[name], "no panel reads %s", name)
		}
	}
}

// A query whose exporter the stack does not run is left out, and a panel without a
// query with it.
func TestMissingExportersLeaveNoEmptyPanel(t *testing.T) {
	p := whole()
	p.Exporters = nil
	eachPanel(t, p, func(t *testing.T, panel Panel) {
		require.NotEmpty(t, panel.Queries)
		for _, q := range panel.Queries {
			require.False(t, q.Exporter.optional(), q.Expr)
		}
	})
	require.NotContains(t, titles(p, "performance"), "Database Performance: MongoDB")
	require.Contains(t, titles(p, "performance"), "Auto-scaling Status", "it shows the pods that answer Prometheus")
}

// titles returns the titles of a dashboard's panels.
func titles(p Platform, name string) (all []string) {
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
		for _, panel := range performance(whole()).Panels {
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

// The bounds and requests of a stack are the lines of its panels.
func TestLinesAreTheBoundsOfTheStack(t *testing.T) {
	p := whole()
	var err error
	p.Services[2], err = p.Services[2].WithBounds(1, 7)
	require.NoError(t, err)
	i := slices.IndexFunc(podScaling(p).Panels, func(panel Panel) bool { return panel.Title == "npa: pods that each metric asks for" })
	require.GreaterOrEqual(t, i, 0)
	require.Equal(t, []Line{{"minimum", 1}, {"maximum", 7}}, podScaling(p).Panels[i].Lines)
	require.Equal(t, []Line{{"threshold", 170}, {"max_connections", 200}}, connections(p).Lines)
}
