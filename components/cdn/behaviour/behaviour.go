// Package behaviour owns the table of the CDN's behaviours. It has the origin of
// each path, the time for which responses are cached, and the part of the request
// that the origin receives. It imports no SDK and registers nothing at AWS.
//
// The origin of a cached path receives the cache key and nothing else. So a header that
// reaches the origin, such as Authorization, is always in the cache key. No caller gets a
// response that was meant for another caller.
package behaviour

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Origin is the kind of server behind the CDN.
type Origin int

const (
	// Static is the bucket of static files. It accepts GET, HEAD and OPTIONS.
	Static Origin = iota
	// Dynamic is the load balancer. It accepts every method.
	Dynamic
)

// Methods returns the HTTP methods that the origin accepts.
func (o Origin) Methods() []string {
	if o == Dynamic {
		return []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
	}
	return []string{"GET", "HEAD", "OPTIONS"}
}

// TTL is the time for which a response is cached. Default is for a response
// without a Cache-Control header. Max limits the time of such a header. The minimum is
// always 0, so that CloudFront honours no-store, no-cache and private.
type TTL struct{ Default, Max time.Duration }

// The TTLs of the design document, "CDN Configuration for Static Assets".
var (
	staticTTL = TTL{24 * time.Hour, 365 * 24 * time.Hour}
	apiTTL    = TTL{5 * time.Minute, time.Hour}
	agentsTTL = TTL{time.Minute, 5 * time.Minute}
)

// Caching is how responses are cached. With the zero value, responses are not cached, and the
// origin receives the whole request except the Host header.
type Caching struct {
	name      string
	ttl       TTL
	perCaller bool // responses differ by caller and query
}

// The platform's ways of caching. Shared responses are the same for all callers, and the
// origin receives no header, cookie or query of the caller. Responses of an API are cached
// separately for each caller and query.
var (
	sharedStatic    = Caching{name: "static", ttl: staticTTL}
	perCallerAPI    = Caching{name: "api", ttl: apiTTL, perCaller: true}
	perCallerAgents = Caching{name: "agents", ttl: agentsTTL, perCaller: true}
)

// Cached reports whether responses are cached at all.
func (c Caching) Cached() bool { return c != Caching{} }

// Name returns a part of the cache policy's name. It is empty if nothing is cached.
func (c Caching) Name() string { return c.name }

// TTL returns the time for which responses are cached.
func (c Caching) TTL() TTL { return c.ttl }

// Headers returns the headers in the cache key, which the origin receives.
func (c Caching) Headers() []string {
	if c.perCaller {
		return []string{"Authorization"}
	}
	return nil
}

// PerCaller reports whether all cookies and the whole query are in the cache key. If so,
// the origin receives them. Otherwise the origin receives no cookie and no query.
func (c Caching) PerCaller() bool { return c.perCaller }

// Rule is the behaviour for the paths of one pattern.
type Rule struct {
	// Pattern is a pattern such as "/api/*"; empty for the default rule.
	Pattern string
	Origin  Origin
	Caching Caching
}

// Table has the behaviours of a distribution.
type Table struct {
	// Default is for the paths that no rule matches.
	Default Rule
	// Rules are in CloudFront's order: the first rule that matches applies.
	Rules []Rule
}

// maxRules is one less than AWS's default quota of 25 behaviours for each distribution
// (CloudFront Developer Guide, "Quotas"). The default behaviour is the 25th.
const maxRules = 24

const (
	api    = pattern("/api/*")
	agents = pattern("/api/v1/agents/*")
)

// PlatformTable returns the platform's table: static files by default, and the dynamic
// paths at the load balancer. Responses for dynamic paths are cached only for the
// cacheable endpoints, which must be below /api/. The design document's times are one to
// five minutes for the agents' endpoints, and five minutes to an hour for the others.
func PlatformTable(dynamic []string, cacheable ...string) (Table, error) {
	var rules []Rule
	for _, path := range dynamic {
		rules = append(rules, Rule{Pattern: path, Origin: Dynamic})
	}
	var errs []error
	for _, endpoint := range cacheable {
		rule := Rule{Pattern: endpoint, Origin: Dynamic, Caching: perCallerAPI}
		switch p := pattern(endpoint); {
		case agents.covers(p):
			rule.Caching = perCallerAgents
		case !api.covers(p):
			errs = append(errs, fmt.Errorf("cacheable endpoint %q: must be below /api/", endpoint))
		}
		rules = append(rules, rule)
	}
	sorted, err := sortRules(rules)
	if err := errors.Join(append(errs, err)...); err != nil {
		return Table{}, fmt.Errorf("CDN behaviours: %w", err)
	}
	return Table{Default: Rule{Origin: Static, Caching: sharedStatic}, Rules: sorted}, nil
}

// RuleFor returns the rule that CloudFront applies to a path: the first rule that matches,
// or the default rule.
func (t Table) RuleFor(path string) Rule {
	for _, r := range t.Rules {
		if pattern(r.Pattern).covers(pattern(path)) {
			return r
		}
	}
	return t.Default
}

// sortRules returns the rules with the most specific rule first. It also returns the errors of
// checkRules, such as a rule that can never apply.
func sortRules(rules []Rule) ([]Rule, error) {
	sorted := slices.Clone(rules)
	slices.SortFunc(sorted, func(a, b Rule) int { return pattern(a.Pattern).compare(pattern(b.Pattern)) })
	return sorted, checkRules(sorted)
}

// checkRules returns the errors of rules that are already in CloudFront's order.
func checkRules(rules []Rule) error {
	var errs []error
	for i, r := range rules {
		errs = append(errs, pattern(r.Pattern).check())
		for _, earlier := range rules[:i] {
			if pattern(earlier.Pattern).covers(pattern(r.Pattern)) {
				errs = append(errs, fmt.Errorf("behaviour %s never applies: %s comes first and matches all of its paths", r.Pattern, earlier.Pattern))
			}
		}
	}
	if len(rules) > maxRules {
		errs = append(errs, fmt.Errorf("there are %d behaviours in addition to the default; CloudFront has at most %d", len(rules), maxRules))
	}
	return errors.Join(errs...)
}
