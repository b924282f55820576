package statemetrics

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling/dashboards"
)

// The name of the configured series is the prefix, an underscore, and the name of the metric. This
// name must be in the allowlist.
func TestRecommendationsHaveTheAllowedName(t *testing.T) {
	text, err := recommendationConfig()
	require.NoError(t, err)
	var config struct {
		Kind string
		Spec struct {
			Resources []struct {
				MetricNamePrefix string
				Metrics          []struct {
					Name         string
					CommonLabels map[string]string
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &config))
	require.Equal(t, "CustomResourceStateMetrics", config.Kind)
	r := config.Spec.Resources[0]
	var resources []string
	for _, m := range r.Metrics {
		require.Equal(t, Recommendation, r.MetricNamePrefix+"_"+m.Name)
		require.Contains(t, strings.Join(allowedSeries, "|"), Recommendation)
		resources = append(resources, m.CommonLabels["resource"])
	}
	require.Equal(t, []string{"memory", "cpu"}, resources)
	require.Contains(t, dashboards.Series()[dashboards.State], Recommendation, "the panels of dashboards read the series")
}
