package scaling

import "time"

// HopTimeouts are how long one hop of a request waits.
type HopTimeouts struct {
	// Answer is the longest wait for the answer to a request.
	Answer time.Duration
	// KeepAlive is how long a connection without a request stays open.
	KeepAlive time.Duration
}

// EdgeHops are the hops of a user's request, from the inside out.
type EdgeHops struct{ Service, Balancer, CDN HopTimeouts }

// EdgeTimeouts are the timeouts between users and services.
//
// Answers grow outwards: the hop that is nearest to the fault answers first, and
// says what failed. If an outer hop gave up first, the inner ones would work for
// nobody.
//
// Kept connections shrink outwards: the caller closes first. A server that
// closes first can lose the request that is on its way, which users see as 502.
//
// The load balancer has one number, its idle timeout, for both (ELB User Guide,
// "Connection idle timeout"). CloudFront takes 1 to 120 s for each (CloudFront
// API Reference, VpcOriginConfig). The service's numbers are WriteTimeout and
// IdleTimeout in agents/internal/httpserver; a test compares them.
func EdgeTimeouts() EdgeHops {
	return EdgeHops{
		Service:  HopTimeouts{Answer: 60 * time.Second, KeepAlive: 75 * time.Second},
		Balancer: HopTimeouts{Answer: 65 * time.Second, KeepAlive: 65 * time.Second},
		CDN:      HopTimeouts{Answer: 70 * time.Second, KeepAlive: 60 * time.Second},
	}
}
