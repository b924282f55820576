// Package routing says which requests the load balancer sends to which target
// group: names, priorities, limits. It is pure: it owns the table's rules, and
// nothing of AWS.
//
// A rule's priority depends on its path alone, never on which other paths
// exist: a path that is added moves no other rule, and the more specific of two
// paths always comes first.
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

// DeregistrationDelay is how long the load balancer lets requests end on a
// node that it no longer sends any to. Whoever takes a node away waits as long;
// a service that drains longer than its requests last needs no more.
const DeregistrationDelay = 30 * time.Second

const (
	// maxPriority is AWS's last priority (ELB API, CreateRule).
	maxPriority = 50000
	// maxPath bounds a path so that each length has a band of priorities; AWS
	// allows 128 characters.
	maxPath = 64
	// band is how many paths of one length have priorities of their own.
	band = maxPriority / (maxPath + 1)
	// maxRules is AWS's default quota for one load balancer (ELB User Guide,
	// "Quotas for your Application Load Balancers").
	maxRules = 100

	// prefix stands for the project in names: AWS allows 32 characters, and
	// progressive-framework-production alone has as many.
	prefix = "pf-"
)

// The ports that Kubernetes opens on every node (service-node-port-range).
const (
	MinNodePort = 30000
	MaxNodePort = 32767
)

// Target is a service behind the load balancer.
type Target struct {
	// Name is such as "web": a letter, then up to nine letters and digits, all
	// lower-case.
	Name string
	// NodePort is the service's port on every node, 30000 to 32767.
	NodePort int
	// HealthPath answers 200 on the node port while the service takes requests.
	HealthPath string
	// Paths are those that the service answers: "/ws" is one path, "/api/*"
	// everything below /api/, "/*" everything.
	Paths []string
}

// Rule sends one path to a target.
type Rule struct {
	// Target is the target's name.
	Target string
	// Path is such as "/api/*".
	Path string
	// Priority is from 1 to 50000; AWS takes the lowest that matches.
	Priority int
}

var (
	targetName = regexp.MustCompile(`^[a-z][a-z0-9]{0,9}$`)
	path       = regexp.MustCompile(`^(/[A-Za-z0-9_.~-]+)*(/\*)?$`)
)

// Environment is the form of an environment's name: a letter, then up to 11
// lower-case letters and digits. With more a GroupName could exceed AWS's limit.
var Environment = regexp.MustCompile(`^[a-z][a-z0-9]{0,11}$`)

// BalancerName is the load balancer's name, at most 15 characters.
func BalancerName(environment string) string { return prefix + environment }

// GroupName is the name of a target's group, at most 32 characters. The port is
// part of it: AWS can't change a group's port, so a new port needs a new group.
// Both groups exist until the rules refer to the new one.
func GroupName(environment string, t Target) string {
	return fmt.Sprintf("%s%s-%s-%d", prefix, environment, t.Name, t.NodePort)
}

// Rules are the rules of the targets, by priority; the environment names them.
// It returns every error that it finds.
func Rules(env string, targets []Target) ([]Rule, error) {
	var errs []error
	if !Environment.MatchString(env) {
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
			errs = append(errs, fmt.Errorf("path %s is that of %s and of %s; one would never be asked", b.Path, a.Target, b.Target))
		} else if a.Priority == b.Priority {
			errs = append(errs, fmt.Errorf("paths %s and %s have the same priority, %d, by chance; write one of them longer", a.Path, b.Path, a.Priority))
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

// RuleFor is the rule that a load balancer with these rules, in the order of
// Rules, applies to a path; ok is false where none matches.
func RuleFor(rules []Rule, path string) (rule Rule, ok bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return Matches(r.Path, path) })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// Matches says whether a target's path, such as "/api/*", is that of a request.
func Matches(pattern, path string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return pattern == path
}

// Ports are the node ports of the targets, each once. Two targets may be one
// service: its groups are then balanced, scaled and watched apart.
func Ports(targets []Target) []int {
	var ports []int
	for _, t := range targets {
		ports = append(ports, t.NodePort)
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

func (t Target) check() []error {
	var errs []error
	if !targetName.MatchString(t.Name) {
		errs = append(errs, fmt.Errorf("target %q: the name must be a letter, then up to 9 letters and digits, lower-case", t.Name))
	}
	if t.NodePort < MinNodePort || t.NodePort > MaxNodePort {
		errs = append(errs, fmt.Errorf("target %s: node port %d must be %d to %d", t.Name, t.NodePort, MinNodePort, MaxNodePort))
	}
	if !path.MatchString(t.HealthPath) || !strings.HasPrefix(t.HealthPath, "/") || strings.HasSuffix(t.HealthPath, "*") {
		errs = append(errs, fmt.Errorf("target %s: health path %q must be a path such as /health/ready", t.Name, t.HealthPath))
	}
	if len(t.Paths) == 0 {
		errs = append(errs, fmt.Errorf("target %s: must have paths, or nothing reaches it", t.Name))
	}
	for _, p := range t.Paths {
		if p == "" || len(p) > maxPath || !path.MatchString(p) {
			errs = append(errs, fmt.Errorf("target %s: path %q must be one path such as /ws, or all below one such as /api/*, of at most %d characters", t.Name, p, maxPath))
		}
	}
	return errs
}

// priority of a path: the longer, the earlier, as every path below another is
// longer than it. Paths of one length have nothing in common; a hash spreads
// them over their band.
func priority(p string) int {
	h := fnv.New32a()
	h.Write([]byte(p))
	literal := len(strings.TrimSuffix(p, "*"))
	return (maxPath-literal)*band + int(h.Sum32()%band) + 1
}
