// Package behaviour says how the CDN treats each path: which origin answers it,
// whether the answer is cached and for how long, and what of the caller the
// origin sees. It is pure: it owns the table and its rules, and nothing of AWS.
//
// What an answer may depend on and what it is cached by are one thing here: the
// origin of a cached path is sent what is in the key, and nothing else. So
// there is no way to write a path that forwards Authorization and is cached
// without it, and one caller's answer can't be served to another.
package behaviour

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Origin is who answers.
type Origin int

const (
	// Static is the bucket of static files. It takes GET, HEAD and OPTIONS.
	Static Origin = iota
	// Dynamic is the load balancer. It takes every method.
	Dynamic
)

// Methods are those that the origin takes.
func (o Origin) Methods() []string {
	if o == Dynamic {
		return []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
	}
	return []string{"GET", "HEAD", "OPTIONS"}
}

// TTL is how long an answer is kept. An origin that says nothing gets Default;
// one that says more than Max gets Max. The least is always 0, so that
// no-store, no-cache and private are honoured.
type TTL struct{ Default, Max time.Duration }

// The TTLs of the design document, "CDN Configuration for Static Assets".
var (
	staticTTL = TTL{24 * time.Hour, 365 * 24 * time.Hour}
	apiTTL    = TTL{5 * time.Minute, time.Hour}
	agentsTTL = TTL{time.Minute, 5 * time.Minute}
)

// Caching says whether and how answers are cached. The zero value is not at
// all: the origin sees everything of the caller but the Host header.
type Caching struct {
	name   string
	ttl    TTL
	caller bool
}

// The cachings of the platform. Shared answers are the same for everybody, and
// the origin sees nothing of the caller; those of an API are kept apart by who
// asks and what.
var (
	sharedStatic    = Caching{name: "static", ttl: staticTTL}
	perCallerAPI    = Caching{name: "api", ttl: apiTTL, caller: true}
	perCallerAgents = Caching{name: "agents", ttl: agentsTTL, caller: true}
)

// Cached says whether answers are cached at all.
func (c Caching) Cached() bool { return c != Caching{} }

// Name is a word for the cache policy; empty where nothing is cached.
func (c Caching) Name() string { return c.name }

// TTL is how long answers are kept.
func (c Caching) TTL() TTL { return c.ttl }

// Headers are those that answers are cached by, and that the origin sees.
func (c Caching) Headers() []string {
	if c.caller {
		return []string{"Authorization"}
	}
	return nil
}

// Caller says whether answers are cached by all cookies and the whole query,
// and the origin sees them; else it sees none.
func (c Caching) Caller() bool { return c.caller }

// Rule is how the paths of one pattern are treated.
type Rule struct {
	// Pattern is such as "/api/*"; of the default rule it is empty.
	Pattern string
	Origin  Origin
	Caching Caching
}

// Table is the behaviours of a distribution.
type Table struct {
	// Default is for whatever no rule matches.
	Default Rule
	// Rules are in the order in which CloudFront asks them: the first that
	// matches.
	Rules []Rule
}

// maxRules and the default behaviour are the 25 that a distribution has unless
// AWS is asked for more (CloudFront Developer Guide, "Quotas").
const maxRules = 24

const (
	api    = pattern("/api/*")
	agents = pattern("/api/v1/agents/*")
)

// Platform is the platform's table: static files by default, and the dynamic
// paths at the load balancer. Nothing dynamic is cached but the endpoints marked
// cacheable, which must be below /api/. Those of the agents are cached for the
// document's one to five minutes, others for five minutes to an hour.
func Platform(dynamic []string, cacheable ...string) (Table, error) {
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
			errs = append(errs, fmt.Errorf("cacheable endpoint %q: must lie below /api/", endpoint))
		}
		rules = append(rules, rule)
	}
	ordered, err := order(rules)
	if err := errors.Join(append(errs, err)...); err != nil {
		return Table{}, fmt.Errorf("CDN behaviours: %w", err)
	}
	return Table{Default: Rule{Origin: Static, Caching: sharedStatic}, Rules: ordered}, nil
}

// For is the rule that CloudFront applies to a path: the first that matches, or
// the default.
func (t Table) For(path string) Rule {
	for _, r := range t.Rules {
		if pattern(r.Pattern).covers(pattern(path)) {
			return r
		}
	}
	return t.Default
}

// order puts the most specific rule first, and refuses what can never apply.
func order(rules []Rule) ([]Rule, error) {
	sorted := slices.Clone(rules)
	slices.SortFunc(sorted, func(a, b Rule) int { return pattern(a.Pattern).compare(pattern(b.Pattern)) })
	return sorted, check(sorted)
}

// check says what is wrong with rules in the order in which they are asked.
func check(rules []Rule) error {
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
