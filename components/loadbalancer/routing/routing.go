// Package routing owns the rules by which the load balancer sends requests to target
// groups: their paths, priorities, names and limits. It imports no SDK and creates no resource.
//
// A rule's priority depends only on its own path. So a new path does not change the
// priority of another rule. If two paths match a request, the more specific one always has the
// earlier priority.
package routing

import (
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"
	"time"
)

// DeregistrationDelay is how long the load balancer waits for the running requests on a node
// after it has stopped sending new requests. A node must run at least this long. The delay is
// as long as scaling.TerminationGrace, in which a service finishes its requests.
const DeregistrationDelay = 30 * time.Second

const (
	// maxPriority is AWS's last priority (ELB API, CreateRule).
	maxPriority = 50000
	// maxPathLength is the largest length of a path. AWS allows 128 characters. A smaller
	// number gives each length a larger band of priorities.
	maxPathLength = 64
	// prioritiesPerLength is the number of priorities for the paths of one length.
	prioritiesPerLength = maxPriority / (maxPathLength + 1)
	// maxRules is AWS's default quota for one load balancer (ELB User Guide,
	// "Quotas for your Application Load Balancers").
	maxRules = 100

	// namePrefix is the short form of the project's name. AWS allows 32 characters, and
	// progressive-framework-production alone already has 32.
	namePrefix = "pf-"
)

// The ports that Kubernetes opens on every node (service-node-port-range).
const (
	MinNodePort = 30000
	MaxNodePort = 32767
)

// Target is a service behind the load balancer.
type Target struct {
	// Name is a name such as "web": a letter, then up to nine letters and digits, all
	// lower-case.
	Name string
	// NodePort is the service's port on every node, 30000 to 32767.
	NodePort int
	// HealthPath is the path of the health check. The service must respond with status 200
	// on the node port while it accepts requests.
	HealthPath string
	// Paths are the paths of the service's requests: "/ws" is one path, "/api/*" is all
	// paths below /api/, "/*" is all paths.
	Paths []string
}

// Rule sends one path to a target.
type Rule struct {
	// Target is the target's name.
	Target string
	// Path is a path of Target.Paths, such as "/api/*".
	Path string
	// Priority is 1 to 50000. AWS applies the matching rule with the lowest priority.
	Priority int
}

var (
	targetNamePattern = regexp.MustCompile(`^[a-z][a-z0-9]{0,9}$`)
	pathPattern       = regexp.MustCompile(`^(/[A-Za-z0-9_.~-]+)*(/\*)?$`)
)

// EnvironmentPattern matches the name of an environment: a letter, then up to 11 lower-case
// letters and digits. With a longer name, GroupName could exceed AWS's limit.
var EnvironmentPattern = regexp.MustCompile(`^[a-z][a-z0-9]{0,11}$`)

// BalancerName returns the load balancer's name, at most 15 characters.
func BalancerName(environment string) string { return namePrefix + environment }

// GroupName returns the name of a target group, at most 32 characters. The port is part of
// the name. AWS can't change the port of a target group, so a new port needs a new group.
// Both groups exist until the rules refer to the new one.
func GroupName(environment string, t Target) string {
	return fmt.Sprintf("%s%s-%s-%d", namePrefix, environment, t.Name, t.NodePort)
}

// Rules returns the rules of the targets, sorted by priority. The returned error lists all
// errors of the targets and of the environment's name.
func Rules(env string, targets []Target) ([]Rule, error) {
	var errs []error
	if !EnvironmentPattern.MatchString(env) {
		errs = append(errs, fmt.Errorf("environment %q: must be a letter, then up to 11 letters and digits, lower-case", env))
	}
	if len(targets) == 0 {
		errs = append(errs, errors.New("there must be a target"))
	}
	var rules []Rule
	names := map[string]bool{}
	for _, t := range targets {
		errs = append(errs, t.check()...)
		if names[t.Name] {
			errs = append(errs, fmt.Errorf("target %s is listed twice", t.Name))
		}
		names[t.Name] = true
		for _, p := range t.Paths {
			rules = append(rules, Rule{Target: t.Name, Path: p, Priority: priority(p)})
		}
	}
	slices.SortStableFunc(rules, func(a, b Rule) int { return a.Priority - b.Priority })
	for i := 1; i < len(rules); i++ {
		if a, b := rules[i-1], rules[i]; a.Path == b.Path {
			errs = append(errs, fmt.Errorf("path %s is listed by %s and by %s: one of them would get no request; remove one", b.Path, a.Target, b.Target))
		} else if a.Priority == b.Priority {
			errs = append(errs, fmt.Errorf("paths %s and %s have the same priority, %d, because their hashes are equal: make one of them longer", a.Path, b.Path, a.Priority))
		}
	}
	if len(rules) > maxRules {
		errs = append(errs, fmt.Errorf("there are %d paths; a load balancer has at most %d rules", len(rules), maxRules))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("routing: %w", err)
	}
	return rules, nil
}

// RuleFor returns the rule that the load balancer applies to a path. rules must be
// in the order that Rules returns. ok is false if no rule matches.
func RuleFor(rules []Rule, path string) (rule Rule, ok bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return Matches(r.Path, path) })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// Matches reports whether a target's path pattern, such as "/api/*", matches the path of a
// request.
func Matches(pattern, path string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return pattern == path
}

// Ports returns the node ports of the targets, each once. Two targets may have the same
// port, if they are two target groups of one service.
func Ports(targets []Target) []int {
	var ports []int
	for _, t := range targets {
		ports = append(ports, t.NodePort)
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// check returns all errors of a target.
func (t Target) check() []error {
	var errs []error
	if !targetNamePattern.MatchString(t.Name) {
		errs = append(errs, fmt.Errorf("target %q: the name must be a letter, then up to 9 letters and digits, lower-case", t.Name))
	}
	if t.NodePort < MinNodePort || t.NodePort > MaxNodePort {
		errs = append(errs, fmt.Errorf("target %s: node port %d must be %d to %d", t.Name, t.NodePort, MinNodePort, MaxNodePort))
	}
	if !pathPattern.MatchString(t.HealthPath) || !strings.HasPrefix(t.HealthPath, "/") || strings.HasSuffix(t.HealthPath, "*") {
		errs = append(errs, fmt.Errorf("target %s: health path %q must be a path such as /health/ready", t.Name, t.HealthPath))
	}
	if len(t.Paths) == 0 {
		errs = append(errs, fmt.Errorf("target %s: must have paths, or nothing reaches it", t.Name))
	}
	for _, p := range t.Paths {
		if p == "" || len(p) > maxPathLength || !pathPattern.MatchString(p) {
			errs = append(errs, fmt.Errorf("target %s: path %q must be one path such as /ws, or all below one such as /api/*, of at most %d characters", t.Name, p, maxPathLength))
		}
	}
	return errs
}

// priority returns the priority of a path. A longer path comes earlier, because the more
// specific of two matching paths is always the longer one. Two different paths of the same
// length never match the same request. A hash of the path chooses the priority within the
// priorities of the length.
func priority(p string) int {
	h := fnv.New32a()
	h.Write([]byte(p))
	literal := len(strings.TrimSuffix(p, "*"))
	return (maxPathLength-literal)*prioritiesPerLength + int(h.Sum32()%prioritiesPerLength) + 1
}
