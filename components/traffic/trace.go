package traffic

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/progressive-framework/platform/components/cdn/behaviour"
	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/scaling"
)

// Hops has the hops of a request for one path, from the CDN to the service.
type Hops struct {
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

// Trace returns the hops of a request for a path, such as "/api/v1/users/profile". Trace reads the
// hops from the table of routes. If a hop has no rule for the path, the error names the hop.
func Trace(path string, cacheable ...string) (Hops, error) {
	table, err := Behaviours(cacheable...)
	if err != nil {
		return Hops{}, err
	}
	applied := table.RuleFor(path)
	hops := Hops{Behaviour: applied.Pattern}
	if applied.Origin == behaviour.Static {
		hops.Static = true
		return hops, nil
	}
	rules, err := routing.Rules("any", Targets())
	if err != nil {
		return hops, err
	}
	rule, ok := routing.RuleFor(rules, path)
	if !ok {
		return hops, fmt.Errorf("path %s: the CDN's behaviour %s forwards the path, and no rule of the load balancer matches the path; add the path to a route", path, applied.Pattern)
	}
	routes := Routes()
	route := routes[slices.IndexFunc(routes, func(r Route) bool { return r.Target == rule.Target })]
	hops.Rule, hops.Target, hops.Tier = rule.Path, rule.Target, route.Service.NodeTier
	hops.Entry, hops.Service = route.Service.ShortName, route.Service.ShortName
	if forward, ok := route.forwardFor(path); ok {
		hops.Service = forward.To
	}
	return hops, nil
}

// forwardFor returns the most specific Forward for a path, and false if the service does not forward
// the path.
func (r Route) forwardFor(path string) (Forward, bool) {
	matching := slices.DeleteFunc(slices.Clone(r.Forwards), func(f Forward) bool { return !routing.Matches(f.Path, path) })
	if len(matching) == 0 {
		return Forward{}, false
	}
	return slices.MaxFunc(matching, func(a, b Forward) int { return cmp.Compare(len(a.Path), len(b.Path)) }), true
}
