// Package traffic owns the table of the routes of users' requests. A row has the paths, the
// target group of the load balancer, and the service with its tier of nodes. The CDN, the
// load balancer and the tiers all use this table, so that they agree. The package imports no SDK.
// Package behaviour has the rules of the CDN's paths. Package routing has the rules of the
// load balancer's paths.
package traffic

import (
	"github.com/progressive-framework/platform/components/cdn/behaviour"
	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/scaling"
)

// Route is the route of the paths that one service serves.
type Route struct {
	// Target is the name of the target group.
	Target string
	// Service is the service that gets the requests. Its NodePort is the port of the target
	// group. The nodes of its NodeTier join the target group, so that a request reaches a
	// node that runs the service.
	Service scaling.Profile
	// Paths are both the CDN's behaviours and the load balancer's rules: "/ws"
	// is one path, "/api/*" is every path below /api/.
	Paths []string
	// Forwards are the paths of the requests that the service forwards to another service
	// in the cluster.
	Forwards []Forward
}

// Forward is a path of requests that a service forwards to another service in the cluster.
type Forward struct {
	// Path is a pattern such as "/api/v1/agents/npa/*".
	Path string
	// To is the short name of the service that serves the path.
	To string
}

// Routes returns the platform's routes. Each service has at most one route. A second target
// group with the same nodes would only split its metrics.
func Routes() []Route {
	return []Route{
		{Target: "web", Service: scaling.Web(), Paths: []string{"/api/*", "/ws"}},
		{Target: "agents", Service: scaling.MCA(), Paths: []string{"/api/v1/agents/*"}, Forwards: []Forward{
			{"/api/v1/agents/npa/*", "npa"},
			{"/api/v1/agents/wpa/*", "wpa"},
		}},
	}
}

// Behaviours returns the CDN's table of behaviours. The CDN sends requests for the routes' paths to
// the load balancer, and all other requests to the static files. The CDN may cache the responses of
// the cacheable endpoints; see behaviour.PlatformTable.
func Behaviours(cacheable ...string) (behaviour.Table, error) {
	var dynamic []string
	for _, r := range Routes() {
		dynamic = append(dynamic, r.Paths...)
	}
	return behaviour.PlatformTable(dynamic, cacheable...)
}

// Targets returns the load balancer's target groups.
func Targets() []routing.Target {
	var targets []routing.Target
	for _, r := range Routes() {
		targets = append(targets, routing.Target{
			Name: r.Target, NodePort: r.Service.NodePort, HealthPath: r.Service.Readiness.Path, Paths: r.Paths,
		})
	}
	return targets
}

// TargetsOn returns the names of the target groups that the nodes of a tier join.
func TargetsOn(tier scaling.TierName) []string {
	var names []string
	for _, r := range Routes() {
		if r.Service.NodeTier == tier {
			names = append(names, r.Target)
		}
	}
	return names
}
