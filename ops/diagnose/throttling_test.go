package diagnose

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestThrottledQueryFindsBursts runs the query in Prometheus' own engine. Ten minutes have 6000
// periods of 100 ms at most. A container that rarely runs has too few periods to judge.
func TestThrottledQueryFindsBursts(t *testing.T) {
	series := func(pod, periods, throttled string) []map[string]any {
		labels := `{job="throttling",namespace="app",pod="` + pod + `",container="app",node="n"}`
		return []map[string]any{
			{"series": "container_cpu_cfs_periods_total" + labels, "values": periods},
			{"series": "container_cpu_cfs_throttled_periods_total" + labels, "values": throttled},
		}
	}
	var input []map[string]any
	input = append(input, series("burst", "0+100x40", "0+40x40")...)
	input = append(input, series("calm", "0+100x40", "0+20x40")...)
	input = append(input, series("rare", "0+2x40", "0+2x40")...)
	// The container restarted after five minutes. The first throttled periods were before the window.
	input = append(input, series("restarted", "1000x9 0+50x30", "900x9 0+5x30")...)
	text, err := json.Marshal(map[string]any{"evaluation_interval": "30s", "tests": []map[string]any{{
		"interval": "30s", "input_series": input,
		"promql_expr_test": []map[string]any{
			{"expr": throttledQuery("app"), "eval_time": "15m", "exp_samples": []map[string]any{{"labels": `{pod="burst",container="app"}`, "value": 0.4}}},
			{"expr": throttledQuery("other"), "eval_time": "15m", "exp_samples": []map[string]any{}},
		},
	}}})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "tests.yaml") // JSON is YAML
	require.NoError(t, os.WriteFile(file, text, 0o600))
	out, err := exec.CommandContext(t.Context(), "promtool", "test", "rules", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
