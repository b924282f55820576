package httpserver

import (
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

const (
	// maxClients is the largest number of clients that have a limiter. All limiters
	// together use about 2 MB. If there are more clients, those with few recent
	// requests are evicted. An evicted client starts again with a full burst.
	maxClients = 10_000
	// ipv6PrefixLength is the length in bits of the smallest IPv6 network that a
	// provider assigns to a customer (RFC 6177). All addresses of this network share
	// one limit, because one customer can use all of them.
	ipv6PrefixLength = 64
)

// clientLimits limits the request rate of each client.
type clientLimits struct {
	cfg      Config
	limiters *otter.Cache[netip.Prefix, *rate.Limiter]
}

// newClientLimits returns the limits of all clients. A client gets its limiter with its
// first request.
func newClientLimits(cfg Config) *clientLimits {
	return &clientLimits{cfg, otter.Must(&otter.Options[netip.Prefix, *rate.Limiter]{MaximumSize: maxClients})}
}

// limit responds 429 to a client above its rate.
func (c *clientLimits) limit(next http.Handler) http.Handler {
	if c.cfg.ClientRate == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(c.cfg.QuietPaths, r.URL.Path) || c.getOrCreateLimiter(clientPrefix(r, c.cfg.TrustedProxies)).Allow() {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Retry-After", strconv.Itoa(1)) // after one second the client may send again
		httpapi.SendError(w, http.StatusTooManyRequests, httpapi.CodeTooManyRequests,
			"client rate exceeded: at most "+strconv.Itoa(c.cfg.ClientRate)+" requests a second; try again")
	})
}

// getOrCreateLimiter returns the client's limiter, and creates it if there is none.
func (c *clientLimits) getOrCreateLimiter(client netip.Prefix) *rate.Limiter {
	if limiter, ok := c.limiters.GetIfPresent(client); ok {
		return limiter
	}
	limiter, _ := c.limiters.SetIfAbsent(client, rate.NewLimiter(rate.Limit(c.cfg.ClientRate), c.cfg.ClientBurst))
	return limiter
}

// clientPrefix returns the client of a request as the trusted proxies report it: an IPv4
// address or an IPv6 network. For a request without a valid address it returns the zero
// Prefix, so all such requests share one limit.
func clientPrefix(r *http.Request, proxies int) netip.Prefix {
	address := r.RemoteAddr
	if proxies > 0 {
		// Each proxy appends the address that it saw. Earlier entries are
		// untrusted input.
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		address = strings.TrimSpace(hops[max(0, len(hops)-proxies)])
	}
	if addrPort, err := netip.ParseAddrPort(address); err == nil {
		address = addrPort.Addr().String()
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = ipv6PrefixLength
	}
	prefix, _ := ip.Prefix(bits) // bits is valid for the address
	return prefix
}
