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
	// maxClients is how many clients are remembered; some 2 MB. Who comes seldom
	// is forgotten first, and starts with a full burst again.
	maxClients = 10_000
	// ipv6Client is the least that a provider gives one customer (RFC 6177), in
	// bits: single addresses would be no limit at all.
	ipv6Client = 64
)

// clients limits what each client may send.
type clients struct {
	cfg      Config
	limiters *otter.Cache[netip.Prefix, *rate.Limiter]
}

func newClients(cfg Config) *clients {
	return &clients{cfg, otter.Must(&otter.Options[netip.Prefix, *rate.Limiter]{MaximumSize: maxClients})}
}

// limit answers 429 to a client that sends too much.
func (c *clients) limit(next http.Handler) http.Handler {
	if c.cfg.ClientRate == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(c.cfg.QuietPaths, r.URL.Path) || c.of(clientOf(r, c.cfg.TrustedProxies)).Allow() {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Retry-After", strconv.Itoa(1)) // a second's rate is free by then
		httpapi.Error(w, http.StatusTooManyRequests, httpapi.CodeTooManyRequests,
			"this client sends more than "+strconv.Itoa(c.cfg.ClientRate)+" requests a second")
	})
}

func (c *clients) of(client netip.Prefix) *rate.Limiter {
	if limiter, ok := c.limiters.GetIfPresent(client); ok {
		return limiter
	}
	limiter, _ := c.limiters.SetIfAbsent(client, rate.NewLimiter(rate.Limit(c.cfg.ClientRate), c.cfg.ClientBurst))
	return limiter
}

// clientOf is the address of who sent the request, as far as our own proxies
// tell; the zero Prefix, one client more, where it can't be known.
func clientOf(r *http.Request, proxies int) netip.Prefix {
	address := r.RemoteAddr
	if proxies > 0 {
		// Each proxy adds whom it saw at the end; what stands before is a
		// stranger's word.
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		address = strings.TrimSpace(hops[max(0, len(hops)-proxies)])
	}
	if withPort, err := netip.ParseAddrPort(address); err == nil {
		address = withPort.Addr().String()
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = ipv6Client
	}
	prefix, _ := ip.Prefix(bits) // of bits that the address has
	return prefix
}
