package live

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEveryPanelHasDataUnderLoad evaluates each expression of the dashboards' page after the
// design document's load test. Each expression must have a value, and none may be NaN.
func TestEveryPanelHasDataUnderLoad(t *testing.T) {
	path := prometheusPath(t)
	page := mustRun(t, "kubectl", "get", "--raw", path+"/consoles/index.html")
	require.LessOrEqual(t, len(page), 60_000, "bytes of the page")
	_, data, found := strings.Cut(page, `id="data">`)
	require.True(t, found)
	data, _, _ = strings.Cut(data, "</script>")
	var content struct {
		Dashboards []struct {
			Name   string
			Panels []struct {
				Title   string
				Queries []struct{ Expr, Legend string }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(data), &content))
	require.NotEmpty(t, content.Dashboards)

	tokenFile := writeTokenFile(t)
	mustRun(t, "pf", "load", "--stack", "sandbox", "--token-file", tokenFile, "--duration", "30s", "--rate", "20")

	queryCount := 0
	var missing []string
	for range 3 { // the rules are evaluated every 15 s
		missing, queryCount = nil, 0
		for _, d := range content.Dashboards {
			for _, panel := range d.Panels {
				for _, query := range panel.Queries {
					queryCount++
					if value, found := queryPrometheusAt(t, path, query.Expr); !found || math.IsNaN(value) {
						missing = append(missing, d.Name+": "+panel.Title+": "+query.Legend)
					}
				}
			}
		}
		if len(missing) == 0 {
			break
		}
		time.Sleep(5 * time.Second)
	}
	require.Empty(t, missing, "of %d expressions", queryCount)
	t.Logf("%d expressions have data; the page has %d bytes", queryCount, len(page))
}
