package statemetrics

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/scaling/dashboards"
	"github.com/progressive-framework/platform/components/scaling/promrules"
)

// kube-state-metrics publishes only the series of the allowlist. An alert or a panel that reads
// another series never has data.
func TestSeriesOfAlertsAndPanelsAreAllowed(t *testing.T) {
	services := scaling.Services()
	for i := range services {
		services[i].Autoscaled = true
	}
	names := dashboards.Series()[dashboards.State]
	for _, group := range promrules.Groups(promrules.Input{Services: services, Namespace: "app", Stores: []string{"postgres", promrules.RedisStatefulSet}}) {
		for _, rule := range group.Rules {
			names = append(names, regexp.MustCompile(`\bkube_[a-z_]+`).FindAllString(rule.Expr, -1)...)
		}
	}
	require.Contains(t, names, "kube_horizontalpodautoscaler_spec_max_replicas")
	allowed := regexp.MustCompile("^(" + strings.Join(allowedSeries, "|") + ")$")
	for _, name := range names {
		require.True(t, allowed.MatchString(name), "%s is not in the list allowedSeries", name)
	}
}
