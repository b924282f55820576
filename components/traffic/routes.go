// Package traffic owns the one table of how a user's request reaches a pod. For a
// path it has the behaviour at the CDN, the rule and the target group at the load
// balancer, the tier of the nodes in the group, and the service that responds.
// The CDN, the load balancer and the tiers all use this table, so that they agree.
// It is pure: package behaviour has the rules of the CDN's paths, package routing
// those of the load balancer's.
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
	// Service serves the paths. Its NodePort is the group's port, and its NodeTier is the
	// tier whose nodes join the group: a request enters on a node that runs the
	// service.
	Service scaling.Profile
	// Paths are both the CDN's behaviours and the load balancer's rules: "/ws"
	// is one path, "/api/*" is every path below /api/.
	Paths []string
	// Passes are the paths that the service forwards to another service of the
	// cluster.
	Passes []Pass
}

// Pass is a path that a service forwards inside the cluster.
type Pass struct {
	// Path is a pattern such as "/api/v1/agents/npa/*".
	Path string
	// To is the short name of the service that serves it.
	To string
}

// Routes returns the platform's routes. Each service has one: a second target
// group on the same nodes would only split its metrics.
func Routes() []Route {
	return []Route{
		{Target: "web", Service: scaling.Web(), Paths: []string{"/api/*", "/ws"}},
		{Target: "agents", Service: scaling.MCA(), Paths: []string{"/api/v1/agents/*"}, Passes: []Pass{
			{"/api/v1/agents/npa/*", "npa"},
			{"/api/v1/agents/wpa/*", "wpa"},
		}},
	}
}

// Behaviours returns the CDN's table. The routes' paths go to the load balancer,
// every other path to the static files. Responses of the cacheable endpoints may
// be cached; see behaviour.Platform.
func Behaviours(cacheable ...string) (behaviour.Table, error) {
	var dynamic []string
	for _, r := range Routes() {
		dynamic = append(dynamic, r.Paths...)
	}
	return behaviour.Platform(dynamic, cacheable...)
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
