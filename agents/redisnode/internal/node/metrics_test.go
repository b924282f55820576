package node

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMetricsHaveTheStateOfTheNode checks the series of a real node: memory, commands and slow
// log. For a node that does not respond, only redis_up 0 is served.
func TestMetricsHaveTheStateOfTheNode(t *testing.T) {
	t.Parallel()
	c := newTestCluster(t)
	c.start(0, 61)
	scrape := func() string {
		w := httptest.NewRecorder()
		c.nodes[0].Metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		require.Equal(t, http.StatusOK, w.Code)
		return "\n" + w.Body.String()
	}
	require.NoError(t, c.client(0).ConfigSet(t.Context(), "slowlog-log-slower-than", "0").Err())
	require.NoError(t, c.client(0).Ping(t.Context()).Err())
	metrics := scrape()
	require.Contains(t, metrics, "\nredis_up 1\n")
	for _, s := range infoSeries {
		require.Regexp(t, `\n`+s.name+` [0-9]`, metrics)
	}
	require.Regexp(t, `\nredis_cluster_state [01]\n`, metrics)
	require.Regexp(t, `\nredis_cluster_known_nodes [1-9]`, metrics)
	require.NotContains(t, metrics, "redis_master_link_up", "it is not a replica")
	for _, name := range []string{"redis_memory_used_bytes", "redis_commands_processed_total", "redis_slowlog_length", "redis_slowlog_last_id"} {
		require.NotRegexp(t, regexp.MustCompile(`\n`+name+` 0\n`), metrics, "%s is above zero", name)
	}
	require.Contains(t, metrics, "# TYPE redis_commands_processed_total counter")

	refused, err := c.client(0).ACLLog(t.Context(), 10).Result()
	require.NoError(t, err)
	require.Empty(t, refused, "the user metrics may run every command of the collector")
	require.NoError(t, c.client(0).ACLSetUser(t.Context(), MetricsUser, "off").Err())
	require.Contains(t, scrape(), "\nredis_up 0\n", "the collector logs in as the user metrics")
	require.NoError(t, c.client(0).ACLSetUser(t.Context(), MetricsUser, "on").Err())
	require.Contains(t, scrape(), "\nredis_up 1\n")

	c.kill(0)
	metrics = scrape()
	require.Contains(t, metrics, "\nredis_up 0\n")
	require.NotContains(t, metrics, "redis_memory_used_bytes")
}
