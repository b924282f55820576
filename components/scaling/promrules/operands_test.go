package promrules

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// upstreamSeries are the series of other projects' programs that the alerts read.
var upstreamSeries = []string{
	"up", // of Prometheus
	// kubernetes/kube-state-metrics, docs/metrics/workload.
	"kube_deployment_status_replicas_ready", "kube_horizontalpodautoscaler_spec_max_replicas",
	"kube_horizontalpodautoscaler_status_condition", "kube_horizontalpodautoscaler_status_desired_replicas",
	"kube_pod_container_resource_limits", "kube_pod_container_resource_requests", "kube_pod_container_status_restarts_total",
	// kubernetes/kubernetes, pkg/kubelet/metrics/collectors/resource_metrics.go.
	"container_cpu_usage_seconds_total", "container_memory_working_set_bytes",
}

// readProducedSeries returns the names of the series that exist: the series in the source files of
// the services and exporters under agents, upstreamSeries, and the recorded series.
func readProducedSeries(t *testing.T) map[string]bool {
	t.Helper()
	produced := map[string]bool{}
	for _, name := range slices.Concat(upstreamSeries, RecordedSeries(testInput())) {
		produced[name] = true
	}
	seriesLiteral := regexp.MustCompile(`"([a-z][a-z0-9_]*_[a-z0-9_]+)"`)
	require.NoError(t, filepath.WalkDir("../../../agents", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range seriesLiteral.FindAllStringSubmatch(string(text), -1) {
			for _, suffix := range []string{"", "_bucket", "_sum", "_count"} { // the series of a histogram
				produced[match[1]+suffix] = true
			}
		}
		return err
	}))
	return produced
}

// findEmptyOperands returns the operands of and/unless that read a series that nothing produces,
// each with the name of the series. count is the number of all operands of and/unless.
func findEmptyOperands(t *testing.T, expr string, produced map[string]bool) (empty []string, count int) {
	t.Helper()
	parsed, err := parser.ParseExpr(expr)
	require.NoError(t, err, expr)
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		binary, ok := n.(*parser.BinaryExpr)
		if !ok || binary.Op != parser.LAND && binary.Op != parser.LUNLESS {
			return nil
		}
		for _, operand := range []parser.Expr{binary.LHS, binary.RHS} {
			count++
			parser.Inspect(operand, func(n parser.Node, _ []parser.Node) error {
				if selector, ok := n.(*parser.VectorSelector); ok && !produced[selector.Name] {
					empty = append(empty, selector.Name+" in "+operand.String())
				}
				return nil
			})
		}
		return nil
	})
	return empty, count
}

// If no series exists for an operand of "and", the alert never fires. If no series exists for an
// operand of "unless", the exception of the alert never applies. The live tests evaluate only the
// values of alerts.
func TestOperandsOfAlertsReadSeriesThatExist(t *testing.T) {
	produced, alerts, operands := readProducedSeries(t), map[string]bool{}, 0
	for _, r := range alertRules(testInput()) {
		empty, count := findEmptyOperands(t, r.Expr, produced)
		require.Empty(t, empty, "%s: no exporter and no rule produces the series", r.Alert)
		operands += count
		if count > 0 {
			alerts[r.Alert] = true
		}
	}
	require.Subset(t, slices.Collect(maps.Keys(alerts)), []string{"CPUHigh", "RedisFragmented", "ErrorBudgetBurn", "DemandAboveMaximum"})
	t.Logf("%d operands of %d alerts", operands, len(alerts))
}

func TestEmptyOperandsAreFound(t *testing.T) {
	produced := readProducedSeries(t)
	for expr, want := range map[string][]string{
		`up > 0 and on () redis_memory_max_bytes > 0`:                      nil,
		`up > 0 and on () redis_memory_maximum_bytes > 0`:                  {"redis_memory_maximum_bytes in redis_memory_maximum_bytes > 0"},
		`up unless on () max(redis_down)`:                                  {"redis_down in max(redis_down)"},
		`http_requests_bucket and up`:                                      {"http_requests_bucket in http_requests_bucket"},
		`sum(up and rate(http_request_duration_seconds_bucket[5m])) > 1`:   nil,
		`sum(up and rate(http_request_duration_milliseconds_sum[5m])) > 1`: {"http_request_duration_milliseconds_sum in rate(http_request_duration_milliseconds_sum[5m])"},
		`redis_down > 0`: nil, // an alert's value, which the live tests evaluate
	} {
		empty, _ := findEmptyOperands(t, expr, produced)
		require.Equal(t, want, empty, expr)
	}
}
