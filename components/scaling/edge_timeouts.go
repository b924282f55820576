package scaling

import "time"

// HopTimeouts are the timeouts of one hop of a request.
type HopTimeouts struct {
	// Response is the longest wait for the response to a request.
	Response time.Duration
	// KeepAlive is the time for which a connection without a request stays open.
	KeepAlive time.Duration
}

// EdgeHops are the hops of a user's request, from the inside out.
type EdgeHops struct{ Service, Balancer, CDN HopTimeouts }

// EdgeTimeouts returns the timeouts between users and services.
//
// An outer hop waits longer for a response than an inner hop. So the hop that is nearest to
// the fault responds first, with the reason. If an outer hop gave up first, the inner hops
// would continue to work on a request that nobody waits for.
//
// An outer hop keeps an idle connection for a shorter time than an inner hop. So the client
// of a connection always closes it first. If the server closed it first, a request that the
// client has just sent would be lost, and users would see 502.
//
// The load balancer has one number for both timeouts, its idle timeout (ELB User Guide, "Connection
// idle timeout"). CloudFront allows 1 to 120 s for each (CloudFront API Reference,
// VpcOriginConfig). The service's numbers are WriteTimeout and IdleTimeout in
// agents/internal/httpserver. A test compares them.
func EdgeTimeouts() EdgeHops {
	return EdgeHops{
		Service:  HopTimeouts{Response: 60 * time.Second, KeepAlive: 75 * time.Second},
		Balancer: HopTimeouts{Response: 65 * time.Second, KeepAlive: 65 * time.Second},
		CDN:      HopTimeouts{Response: 70 * time.Second, KeepAlive: 60 * time.Second},
	}
}
