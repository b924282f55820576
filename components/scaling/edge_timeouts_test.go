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
	require.Less(t, hops.Service.Answer, hops.Balancer.Answer, "the service answers before the load balancer gives up")
	require.Less(t, hops.Balancer.Answer, hops.CDN.Answer, "the load balancer answers before CloudFront gives up")
	require.Less(t, hops.CDN.KeepAlive, hops.Balancer.KeepAlive, "CloudFront closes an idle connection before the load balancer")
	require.Less(t, hops.Balancer.KeepAlive, hops.Service.KeepAlive, "the load balancer closes an idle connection before the service")
	require.Equal(t, hops.Balancer.Answer, hops.Balancer.KeepAlive, "the load balancer has one idle timeout")
	for name, d := range map[string]time.Duration{"answer": hops.CDN.Answer, "keep-alive": hops.CDN.KeepAlive} {
		require.True(t, d >= time.Second && d <= 120*time.Second, "CloudFront's %s of %s: must be 1 s to 120 s", name, d)
	}
	for _, p := range Services() {
		for _, v := range p.Env {
			if !strings.HasSuffix(v.Name, "_TIMEOUT") {
				continue
			}
			own, err := time.ParseDuration(v.Value)
			require.NoError(t, err, v.Name)
			require.Less(t, own, hops.Service.Answer, "%s of %s ends before the server cuts the answer off", v.Name, p.Name)
		}
	}
}

// The services are separate programs, so the test reads their timeouts from the source files.
func TestServiceTimeoutsEqualThoseInTheServersSource(t *testing.T) {
	hops := EdgeTimeouts()
	const server, web = "../../agents/internal/httpserver/config.go", "../../agents/web/internal/webapp/config.go"
	require.Equal(t, hops.Service.Answer, secondsIn(t, server, `WriteTimeout:\s+(\d+) \* time\.Second`))
	require.Equal(t, hops.Service.KeepAlive, secondsIn(t, server, `IdleTimeout:\s+(\d+) \* time\.Second`))
	require.Less(t, secondsIn(t, web, `"WS_PING_INTERVAL", (\d+)\*time\.Second`), hops.Balancer.KeepAlive,
		"an open WebSocket is never idle for the load balancer")
}

// secondsIn returns the seconds that the group of a pattern matches in a source file.
func secondsIn(t *testing.T, file, pattern string) time.Duration {
	t.Helper()
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	found := regexp.MustCompile(pattern).FindAllSubmatch(source, -1)
	require.Len(t, found, 1, "%s in %s", pattern, file)
	n, err := strconv.Atoi(string(found[0][1]))
	require.NoError(t, err)
	return time.Duration(n) * time.Second
}
