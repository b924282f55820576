package httpserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

func TestClientAddressComesFromTrustedProxiesOnly(t *testing.T) {
	for _, row := range []struct {
		reason, remote string
		forwarded      []string
		proxies        int
		want           string
	}{
		{"the address of the connection", "192.0.2.1:4000", nil, 0, "192.0.2.1/32"},
		{"without trusted proxies the header is ignored", "192.0.2.1:4000", []string{"198.51.100.7"}, 0, "192.0.2.1/32"},
		{"the load balancer's entry", "192.0.2.1:4000", []string{"198.51.100.7"}, 1, "198.51.100.7/32"},
		{"the client's own entry before it is ignored", "192.0.2.1:4000", []string{"203.0.113.9, 198.51.100.7"}, 1, "198.51.100.7/32"},
		{"two headers are one list", "192.0.2.1:4000", []string{"203.0.113.9", "198.51.100.7"}, 1, "198.51.100.7/32"},
		{"CDN and balancer", "192.0.2.1:4000", []string{"203.0.113.9, 198.51.100.7"}, 2, "203.0.113.9/32"},
		{"fewer hops than proxies: the first hop counts", "192.0.2.1:4000", []string{"198.51.100.7"}, 3, "198.51.100.7/32"},
		{"a port in the header", "192.0.2.1:4000", []string{"198.51.100.7:1234"}, 1, "198.51.100.7/32"},
		{"IPv6 counts by /64", "[2001:db8:1:2:3:4:5:6]:4000", nil, 0, "2001:db8:1:2::/64"},
		{"IPv4-mapped IPv6", "[::ffff:192.0.2.1]:4000", nil, 0, "192.0.2.1/32"},
		{"a zone is ignored", "[fe80::1%eth0]:4000", nil, 0, "fe80::/64"},
		{"an invalid address gives the zero Prefix", "192.0.2.1:4000", []string{"unknown"}, 1, "invalid Prefix"},
		{"a trusted proxy sends no header", "192.0.2.1:4000", nil, 1, "invalid Prefix"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			request.RemoteAddr = row.remote
			request.Header["X-Forwarded-For"] = row.forwarded
			require.Equal(t, row.want, clientPrefix(request, row.proxies).String())
		})
	}
}

func TestClientAboveItsRateGets429(t *testing.T) {
	server := launch(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), func(c *Config) {
		c.ClientRate, c.ClientBurst, c.TrustedProxies = 1, 3, 1
	})
	sendFrom := func(client, path string) (*http.Response, string) {
		return sendRequest(t, http.MethodGet, server.url(path), nil, http.Header{"X-Forwarded-For": {client}})
	}
	for range 3 {
		response, _ := sendFrom("198.51.100.1", "/")
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	rejected := 0
	for range 20 { // even a slow machine sends more than one a second
		response, body := sendFrom("198.51.100.1", "/")
		if response.StatusCode == http.StatusTooManyRequests {
			rejected++
			require.Equal(t, "1", response.Header.Get("Retry-After"))
			require.Equal(t, httpapi.CodeTooManyRequests, decodeProblem(t, body).Code)
		}
	}
	require.NotZero(t, rejected)
	response, _ := sendFrom("198.51.100.2", "/")
	require.Equal(t, http.StatusOK, response.StatusCode, "another client has its own rate")
	for range 10 {
		response, _ = sendFrom("198.51.100.1", "/health")
		require.Equal(t, http.StatusOK, response.StatusCode, "probes are never limited")
	}
}

// TestClientLimitersAreBounded checks that there are at most maxClients limiters, however
// many addresses send requests.
func TestClientLimitersAreBounded(t *testing.T) {
	cfg := Defaults()
	c := newClientLimits(cfg)
	for i := range 3 * maxClients {
		ip := netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)})
		require.True(t, c.getOrCreateLimiter(netip.PrefixFrom(ip, 32)).Allow(), fmt.Sprint(i))
	}
	require.Eventually(t, func() bool {
		c.limiters.CleanUp()
		return c.limiters.EstimatedSize() <= maxClients
	}, eventTimeout, time.Millisecond)
}
