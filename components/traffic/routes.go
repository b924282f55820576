// Package traffic is the one map of how a user's request reaches a pod: the
// path's behaviour at the CDN, its rule and target group at the load balancer,
// the tier of nodes that joins the group, and the service whose pods answer.
// The CDN, the load balancer and the tiers all read this map, so that they
// cannot disagree. It is pure: package behaviour has the rules of the CDN's
// paths, package routing those of the load balancer's.
package traffic

import (
	"github.com/progressive-framework/platform/components/cdn/behaviour"
	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/scaling"
)

// Route is the way of the paths that one service answers.
type Route struct {
	// Target is the name of the target group.
	Target string
	// Service answers. Its NodePort is the group's port, and its NodeTier is the
	// tier whose nodes join the group: a request enters on a node that runs the
	// service.
	Service scaling.Profile
	// Paths are both the CDN's behaviours and the load balancer's rules: "/ws"
	// is one path, "/api/*" everything below /api/.
	Paths []string
	// Passes are the paths that the service passes on to another service of the
	// cluster.
	Passes []Pass
}

// Pass is a path that a service passes on inside the cluster.
type Pass struct {
	// Path is such as "/api/v1/agents/npa/*".
	Path string
	// To is the short name of the service that answers.
	To string
}

// Routes are the platform's. No two of them have the same service: a second
// target group of one service on the same nodes would only split its metrics.
func Routes() []Route {
	return []Route{
		{Target: "web", Service: scaling.Web(), Paths: []string{"/api/*", "/ws"}},
		{Target: "agents", Service: scaling.MCA(), Paths: []string{"/api/v1/agents/*"}, Passes: []Pass{
			{"/api/v1/agents/npa/*", "npa"},
			{"/api/v1/agents/wpa/*", "wpa"},
		}},
	}
}

// Behaviours is the CDN's table: the routes' paths go to the load balancer,
// every other path to the static files. Answers of the cacheable endpoints may
// be cached; see behaviour.Platform.
func Behaviours(cacheable ...string) (behaviour.Table, error) {
	var dynamic []string
	for _, r := range Routes() {
		dynamic = append(dynamic, r.Paths...)
	}
	return behaviour.Platform(dynamic, cacheable...)
}

// Targets are the load balancer's target groups.
func Targets() []routing.Target {
	var targets []routing.Target
	for _, r := range Routes() {
		targets = append(targets, routing.Target{
			Name: r.Target, NodePort: r.Service.NodePort, HealthPath: r.Service.Readiness.Path, Paths: r.Paths,
		})
	}
	return targets
}

// TargetsOn are the names of the target groups that the nodes of a tier join.
func TargetsOn(tier scaling.TierName) []string {
	var names []string
	for _, r := range Routes() {
		if r.Service.NodeTier == tier {
			names = append(names, r.Target)
		}
	}
	return names
}
