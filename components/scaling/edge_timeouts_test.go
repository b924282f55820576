package scaling

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOuterHopsWaitLongerAndCloseIdleConnectionsFirst(t *testing.T) {
	hops := EdgeTimeouts()
	require.Less(t, hops.Service.Response, hops.Balancer.Response, "the service responds before the load balancer gives up")
	require.Less(t, hops.Balancer.Response, hops.CDN.Response, "the load balancer responds before CloudFront gives up")
	require.Less(t, hops.CDN.KeepAlive, hops.Balancer.KeepAlive, "CloudFront closes an idle connection before the load balancer")
	require.Less(t, hops.Balancer.KeepAlive, hops.Service.KeepAlive, "the load balancer closes an idle connection before the service")
	require.Equal(t, hops.Balancer.Response, hops.Balancer.KeepAlive, "the load balancer has one idle timeout")
	for name, d := range map[string]time.Duration{"response timeout": hops.CDN.Response, "keep-alive timeout": hops.CDN.KeepAlive} {
		require.True(t, d >= time.Second && d <= 120*time.Second, "CloudFront's %s of %s: must be 1 s to 120 s", name, d)
	}
	for _, p := range Services() {
		for _, v := range p.Env {
			if !strings.HasSuffix(v.Name, "_TIMEOUT") {
				continue
			}
			serviceTimeout, err := time.ParseDuration(v.Value)
			require.NoError(t, err, v.Name)
			require.Less(t, serviceTimeout, hops.Service.Response, "%s of %s ends before the server cuts the response off", v.Name, p.Name)
		}
	}
}

// The services are separate programs, so the test reads their timeouts from the source files.
func TestServiceTimeoutsEqualThoseInTheServersSource(t *testing.T) {
	hops := EdgeTimeouts()
	const server, web = "../../agents/internal/httpserver/config.go", "../../agents/web/internal/webapp/config.go"
	require.Equal(t, hops.Service.Response, readSeconds(t, server, `WriteTimeout:\s+(\d+) \* time\.Second`))
	require.Equal(t, hops.Service.KeepAlive, readSeconds(t, server, `IdleTimeout:\s+(\d+) \* time\.Second`))
	require.Less(t, readSeconds(t, web, `"WS_PING_INTERVAL", (\d+)\*time\.Second`), hops.Balancer.KeepAlive,
		"an open WebSocket is never idle for the load balancer")
}

// readSeconds reads a number of seconds from a source file: the text that the group of pattern
// matches.
func readSeconds(t *testing.T, file, pattern string) time.Duration {
	t.Helper()
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	found := regexp.MustCompile(pattern).FindAllSubmatch(source, -1)
	require.Len(t, found, 1, "%s in %s", pattern, file)
	n, err := strconv.Atoi(string(found[0][1]))
	require.NoError(t, err)
	return time.Duration(n) * time.Second
}
