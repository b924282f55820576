package traffic

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/progressive-framework/platform/components/cdn/behaviour"
	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/scaling"
)

// Way has the hops of a request for one path, from the CDN to the service.
type Way struct {
	// Behaviour is the path pattern of the CDN's behaviour. Empty means the default
	// behaviour.
	Behaviour string
	// Static is true if the CDN serves the path from its bucket. Then the fields
	// below are empty.
	Static bool
	// Rule is the path of the load balancer's rule, and Target its target group.
	Rule, Target string
	// Tier is the tier of the nodes that get the requests from the load balancer.
	Tier scaling.TierName
	// Entry is the short name of the service that gets the requests first. Service is
	// the short name of the service that responds. They differ if Entry forwards the
	// requests.
	Entry, Service string
}

// Trace returns the hops of a request for a path, such as "/api/v1/users/profile". It reads them
// from the table of routes. If a hop has no rule for the path, the error names the hop.
func Trace(path string, cacheable ...string) (Way, error) {
	table, err := Behaviours(cacheable...)
	if err != nil {
		return Way{}, err
	}
	applied := table.For(path)
	way := Way{Behaviour: applied.Pattern}
	if applied.Origin == behaviour.Static {
		way.Static = true
		return way, nil
	}
	rules, err := routing.Rules("any", Targets())
	if err != nil {
		return way, err
	}
	rule, ok := routing.RuleFor(rules, path)
	if !ok {
		return way, fmt.Errorf("path %s: the CDN forwards it by behaviour %s, and no rule of the load balancer has it; add it to a route", path, applied.Pattern)
	}
	routes := Routes()
	route := routes[slices.IndexFunc(routes, func(r Route) bool { return r.Target == rule.Target })]
	way.Rule, way.Target, way.Tier = rule.Path, rule.Target, route.Service.NodeTier
	way.Entry, way.Service = route.Service.Short, route.Service.Short
	if pass, ok := route.pass(path); ok {
		way.Service = pass.To
	}
	return way, nil
}

// pass returns the most specific pass of a path, and false if the service does not forward
// the path.
func (r Route) pass(path string) (Pass, bool) {
	matching := slices.DeleteFunc(slices.Clone(r.Passes), func(p Pass) bool { return !routing.Matches(p.Path, path) })
	if len(matching) == 0 {
		return Pass{}, false
	}
	return slices.MaxFunc(matching, func(a, b Pass) int { return cmp.Compare(len(a.Path), len(b.Path)) }), true
}
