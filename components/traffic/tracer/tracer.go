// Package tracer follows a request through the resources of a stack, hop by hop: CloudFront
// behaviour, VPC origin, load balancer, listener rule, target group, Auto Scaling group,
// Deployment. It reads the resources and not the table of package traffic, so that a test
// can find a difference between them. It imports no SDK. Its input is the resources that a program
// registered, or the resources of a state.
package tracer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Resource is one resource of a stack.
type Resource struct {
	// Type is Pulumi's type token, such as "aws:lb/listener:Listener".
	Type string
	// ID is the id that the provider returned.
	ID string
	// Properties are the inputs and outputs, with the types of decoded JSON.
	Properties map[string]any
}

// Stack is the resources of a stack.
type Stack []Resource

// NodeLabel is the label in the node selector of a pod. It has the same values as the tag
// "Tier" of an Auto Scaling group.
type NodeLabel string

// Hops has the hops of a request for one path, from CloudFront to the Deployment.
type Hops struct {
	// Behaviour is the path pattern of CloudFront's behaviour. Empty means the default
	// behaviour.
	Behaviour string
	// Static is true if CloudFront serves the path from a bucket. Then the fields
	// below are empty.
	Static bool
	// Rule is the path of the listener's rule.
	Rule string
	// TargetGroup is the ARN of the target group. Port is its port on the nodes.
	TargetGroup string
	Port        int
	// Tier is the tier of the nodes in the group.
	Tier string
	// Deployment is the name of the Deployment that responds.
	Deployment string
}

// The types of the resources that a request passes.
const (
	distributionType = "aws:cloudfront/distribution:Distribution"
	vpcOriginType    = "aws:cloudfront/vpcOrigin:VpcOrigin"
	balancerType     = "aws:lb/loadBalancer:LoadBalancer"
	listenerType     = "aws:lb/listener:Listener"
	ruleType         = "aws:lb/listenerRule:ListenerRule"
	targetGroupType  = "aws:lb/targetGroup:TargetGroup"
	scalingGroupType = "aws:autoscaling/group:Group"
	alarmType        = "aws:cloudwatch/metricAlarm:MetricAlarm"
	serviceType      = "kubernetes:core/v1:Service"
	deploymentType   = "kubernetes:apps/v1:Deployment"
)

// Trace follows a request for a path, such as "/ws", and returns its hops. If the request can't
// reach a Deployment, the error names the hop at which it stops.
func (s Stack) Trace(path string, label NodeLabel) (Hops, error) {
	var hops Hops
	fail := func(format string, args ...any) (Hops, error) {
		return hops, fmt.Errorf("path %s: %w", path, fmt.Errorf(format, args...))
	}
	distribution, err := s.findOnly(distributionType)
	if err != nil {
		return fail("%w", err)
	}
	behaviour := toObject(distribution.Properties["defaultCacheBehavior"])
	for _, b := range toObjects(distribution.Properties["orderedCacheBehaviors"]) {
		if matches(stringAt(b, "pathPattern"), path) {
			hops.Behaviour, behaviour = stringAt(b, "pathPattern"), b
			break
		}
	}
	origin, ok := find(toObjects(distribution.Properties["origins"]), func(o map[string]any) bool { return stringAt(o, "originId") == stringAt(behaviour, "targetOriginId") })
	if !ok {
		return fail("behaviour %q names the origin %s, which the distribution does not have", hops.Behaviour, stringAt(behaviour, "targetOriginId"))
	}
	vpcOriginID := stringAt(toObject(origin["vpcOriginConfig"]), "vpcOriginId")
	if vpcOriginID == "" {
		hops.Static = stringAt(origin, "originAccessControlId") != ""
		if !hops.Static {
			return fail("the origin %s is neither a bucket nor a VPC origin", stringAt(origin, "originId"))
		}
		return hops, nil
	}
	vpcOrigin, ok := find(s, func(r Resource) bool { return r.Type == vpcOriginType && r.ID == vpcOriginID })
	if !ok {
		return fail("the stack has no VPC origin %s", vpcOriginID)
	}
	endpoint := toObject(vpcOrigin.Properties["vpcOriginEndpointConfig"])
	balancer, ok := s.findByARN(balancerType, stringAt(endpoint, "arn"))
	if !ok {
		return fail("the VPC origin leads to %s, which is no load balancer of the stack", stringAt(endpoint, "arn"))
	}
	if balancer.Properties["internal"] != true {
		return fail("the load balancer %s is internet-facing", stringAt(balancer.Properties, "name"))
	}
	listener, ok := find(s, func(r Resource) bool {
		return r.Type == listenerType && stringAt(r.Properties, "loadBalancerArn") == stringAt(endpoint, "arn") && intAt(r.Properties, "port") == intAt(endpoint, "httpsPort")
	})
	if !ok {
		return fail("the load balancer does not listen at port %d", intAt(endpoint, "httpsPort"))
	}
	rule, pattern, ok := s.findRule(stringAt(listener.Properties, "arn"), path)
	if !ok {
		return fail("CloudFront's behaviour %s forwards the path, and no rule of the listener matches the path", hops.Behaviour)
	}
	hops.Rule = pattern
	for _, action := range toObjects(rule.Properties["actions"]) {
		hops.TargetGroup = stringAt(action, "targetGroupArn")
	}
	group, ok := s.findByARN(targetGroupType, hops.TargetGroup)
	if !ok {
		return fail("rule %s forwards to %q, which is no target group of the stack", pattern, hops.TargetGroup)
	}
	hops.Port = intAt(group.Properties, "port")
	if hops.Tier, err = s.findTier(hops.TargetGroup); err != nil {
		return fail("%w", err)
	}
	if hops.Deployment, err = s.findDeployment(hops.Port, hops.Tier, label); err != nil {
		return fail("%w", err)
	}
	return hops, nil
}

// findRule returns the rule that a listener applies to a path, and the pattern of the rule that
// matches. If several rules match, the rule with the lowest priority number applies.
func (s Stack) findRule(listenerARN, path string) (rule Resource, pattern string, ok bool) {
	var rules []Resource
	for _, r := range s {
		if r.Type == ruleType && stringAt(r.Properties, "listenerArn") == listenerARN {
			rules = append(rules, r)
		}
	}
	slices.SortFunc(rules, func(a, b Resource) int {
		return cmp.Compare(intAt(a.Properties, "priority"), intAt(b.Properties, "priority"))
	})
	for _, r := range rules {
		for _, condition := range toObjects(r.Properties["conditions"]) {
			for _, value := range toList(toObject(condition["pathPattern"])["values"]) {
				if p, _ := value.(string); matches(p, path) {
					return r, p, true
				}
			}
		}
	}
	return Resource{}, "", false
}

// findTier returns the tier of the nodes that join a target group.
func (s Stack) findTier(targetGroup string) (string, error) {
	var tiers []string
	for _, r := range s {
		if r.Type != scalingGroupType || !slices.Contains(toList(r.Properties["targetGroupArns"]), any(targetGroup)) {
			continue
		}
		for _, tag := range toObjects(r.Properties["tags"]) {
			if stringAt(tag, "key") == "Tier" {
				tiers = append(tiers, stringAt(tag, "value"))
			}
		}
	}
	if len(tiers) != 1 {
		return "", fmt.Errorf("target group %s has the nodes of %d tiers, %v: must have the nodes of one tier", targetGroup, len(tiers), tiers)
	}
	return tiers[0], nil
}

// findDeployment returns the Deployment behind a node port. Its pods must run on nodes of the
// tier. Otherwise each request would go on to another node, and the health check of a node
// would not depend on the node's pods.
func (s Stack) findDeployment(port int, tier string, label NodeLabel) (string, error) {
	service, ok := find(s, func(r Resource) bool {
		ports := toObjects(objectAt(r.Properties, "spec")["ports"])
		return r.Type == serviceType && slices.ContainsFunc(ports, func(p map[string]any) bool { return intAt(p, "nodePort") == port })
	})
	if !ok {
		return "", fmt.Errorf("no Service is open at node port %d", port)
	}
	selector := objectAt(service.Properties, "spec", "selector")
	deployment, ok := find(s, func(r Resource) bool {
		labels := objectAt(r.Properties, "spec", "template", "metadata", "labels")
		return r.Type == deploymentType && len(selector) > 0 && includes(labels, selector)
	})
	if !ok {
		return "", fmt.Errorf("the Service at node port %d selects the pods of no Deployment", port)
	}
	name := stringAt(objectAt(deployment.Properties, "metadata"), "name")
	nodeSelector := objectAt(deployment.Properties, "spec", "template", "spec", "nodeSelector")
	if podTier := stringAt(nodeSelector, string(label)); podTier != tier {
		return name, fmt.Errorf("requests enter on nodes of tier %s, and the pods of %s run on tier %q", tier, name, podTier)
	}
	return name, nil
}

// FindIdle returns the target groups that get no requests, and their alarms. paths must be all
// paths of the platform.
func (s Stack) FindIdle(paths []string, label NodeLabel) ([]string, error) {
	usedGroups := map[string]bool{}
	var errs []error
	for _, path := range paths {
		hops, err := s.Trace(path, label)
		errs = append(errs, err)
		usedGroups[hops.TargetGroup] = true
	}
	var idle []string
	usedSuffixes := map[string]bool{} // by the ARN suffix of the target group
	for _, r := range s {
		if r.Type == targetGroupType {
			usedSuffixes[stringAt(r.Properties, "arnSuffix")] = usedGroups[stringAt(r.Properties, "arn")]
			if !usedGroups[stringAt(r.Properties, "arn")] {
				idle = append(idle, "target group "+stringAt(r.Properties, "name"))
			}
		}
	}
	for _, r := range s {
		watched := stringAt(toObject(r.Properties["dimensions"]), "TargetGroup")
		if r.Type == alarmType && watched != "" && !usedSuffixes[watched] {
			idle = append(idle, "alarm "+stringAt(r.Properties, "name"))
		}
	}
	return idle, errors.Join(errs...)
}

// findOnly returns the only resource of a type. It returns an error if the stack has none or
// several.
func (s Stack) findOnly(kind string) (Resource, error) {
	found := slices.DeleteFunc(slices.Clone(s), func(r Resource) bool { return r.Type != kind })
	if len(found) != 1 {
		return Resource{}, fmt.Errorf("the stack has %d resources of type %s, must have one", len(found), kind)
	}
	return found[0], nil
}

// findByARN returns the resource of a type that has the ARN, and false if there is none.
func (s Stack) findByARN(kind, arn string) (Resource, bool) {
	return find(s, func(r Resource) bool { return r.Type == kind && stringAt(r.Properties, "arn") == arn })
}
