// Package tracer follows a request through the resources of a stack, hop by hop: CloudFront
// behaviour, VPC origin, load balancer, listener rule, target group, Auto Scaling group,
// Deployment. It reads the resources and not the table of package traffic, so that a test
// can find a difference between them. It is pure. Its input is the resources that a program
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

// Way has the hops of a request for one path, from CloudFront to the Deployment.
type Way struct {
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
func (s Stack) Trace(path string, label NodeLabel) (Way, error) {
	var way Way
	fail := func(format string, args ...any) (Way, error) {
		return way, fmt.Errorf("path %s: %w", path, fmt.Errorf(format, args...))
	}
	front, err := s.only(distributionType)
	if err != nil {
		return fail("%w", err)
	}
	behaviour := object(front.Properties["defaultCacheBehavior"])
	for _, b := range objects(front.Properties["orderedCacheBehaviors"]) {
		if matches(text(b, "pathPattern"), path) {
			way.Behaviour, behaviour = text(b, "pathPattern"), b
			break
		}
	}
	origin, ok := find(objects(front.Properties["origins"]), func(o map[string]any) bool { return text(o, "originId") == text(behaviour, "targetOriginId") })
	if !ok {
		return fail("behaviour %q names the origin %s, which the distribution does not have", way.Behaviour, text(behaviour, "targetOriginId"))
	}
	vpcOriginID := text(object(origin["vpcOriginConfig"]), "vpcOriginId")
	if vpcOriginID == "" {
		way.Static = text(origin, "originAccessControlId") != ""
		if !way.Static {
			return fail("the origin %s is neither a bucket nor a VPC origin", text(origin, "originId"))
		}
		return way, nil
	}
	vpcOrigin, ok := find(s, func(r Resource) bool { return r.Type == vpcOriginType && r.ID == vpcOriginID })
	if !ok {
		return fail("the stack has no VPC origin %s", vpcOriginID)
	}
	endpoint := object(vpcOrigin.Properties["vpcOriginEndpointConfig"])
	balancer, ok := s.byARN(balancerType, text(endpoint, "arn"))
	if !ok {
		return fail("the VPC origin leads to %s, which is no load balancer of the stack", text(endpoint, "arn"))
	}
	if balancer.Properties["internal"] != true {
		return fail("the load balancer %s is internet-facing", text(balancer.Properties, "name"))
	}
	listener, ok := find(s, func(r Resource) bool {
		return r.Type == listenerType && text(r.Properties, "loadBalancerArn") == text(endpoint, "arn") && number(r.Properties, "port") == number(endpoint, "httpsPort")
	})
	if !ok {
		return fail("the load balancer does not listen at port %d", number(endpoint, "httpsPort"))
	}
	rule, pattern, ok := s.ruleFor(text(listener.Properties, "arn"), path)
	if !ok {
		return fail("CloudFront forwards it by behaviour %s, and no rule of the listener has it", way.Behaviour)
	}
	way.Rule = pattern
	for _, action := range objects(rule.Properties["actions"]) {
		way.TargetGroup = text(action, "targetGroupArn")
	}
	group, ok := s.byARN(targetGroupType, way.TargetGroup)
	if !ok {
		return fail("rule %s forwards to %q, which is no target group of the stack", pattern, way.TargetGroup)
	}
	way.Port = number(group.Properties, "port")
	if way.Tier, err = s.tierIn(way.TargetGroup); err != nil {
		return fail("%w", err)
	}
	if way.Deployment, err = s.deploymentAt(way.Port, way.Tier, label); err != nil {
		return fail("%w", err)
	}
	return way, nil
}

// ruleFor returns the rule that a listener applies to a path, and the rule's pattern. If several
// rules match, the rule with the lowest priority number applies.
func (s Stack) ruleFor(listenerARN, path string) (rule Resource, pattern string, ok bool) {
	var all []Resource
	for _, r := range s {
		if r.Type == ruleType && text(r.Properties, "listenerArn") == listenerARN {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Resource) int {
		return cmp.Compare(number(a.Properties, "priority"), number(b.Properties, "priority"))
	})
	for _, r := range all {
		for _, condition := range objects(r.Properties["conditions"]) {
			for _, value := range list(object(condition["pathPattern"])["values"]) {
				if p, _ := value.(string); matches(p, path) {
					return r, p, true
				}
			}
		}
	}
	return Resource{}, "", false
}

// tierIn returns the tier of the nodes that join a target group.
func (s Stack) tierIn(targetGroup string) (string, error) {
	var tiers []string
	for _, r := range s {
		if r.Type != scalingGroupType || !slices.Contains(list(r.Properties["targetGroupArns"]), any(targetGroup)) {
			continue
		}
		for _, tag := range objects(r.Properties["tags"]) {
			if text(tag, "key") == "Tier" {
				tiers = append(tiers, text(tag, "value"))
			}
		}
	}
	if len(tiers) != 1 {
		return "", fmt.Errorf("target group %s has the nodes of %d tiers, %v: must be of one", targetGroup, len(tiers), tiers)
	}
	return tiers[0], nil
}

// deploymentAt returns the Deployment behind a node port. Its pods must run on nodes of the
// tier. Otherwise each request would go on to another node, and the health check of a node
// would not depend on the node's pods.
func (s Stack) deploymentAt(port int, tier string, label NodeLabel) (string, error) {
	service, ok := find(s, func(r Resource) bool {
		ports := objects(objectAt(r.Properties, "spec")["ports"])
		return r.Type == serviceType && slices.ContainsFunc(ports, func(p map[string]any) bool { return number(p, "nodePort") == port })
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
	name := text(objectAt(deployment.Properties, "metadata"), "name")
	nodeSelector := objectAt(deployment.Properties, "spec", "template", "spec", "nodeSelector")
	if podTier := text(nodeSelector, string(label)); podTier != tier {
		return name, fmt.Errorf("requests enter on nodes of tier %s, and the pods of %s run on tier %q", tier, name, podTier)
	}
	return name, nil
}

// Idle returns the target groups that get no requests, and their alarms. paths must be all paths of
// the platform.
func (s Stack) Idle(paths []string, label NodeLabel) ([]string, error) {
	busy := map[string]bool{}
	var errs []error
	for _, path := range paths {
		way, err := s.Trace(path, label)
		errs = append(errs, err)
		busy[way.TargetGroup] = true
	}
	var idle []string
	busySuffixes := map[string]bool{} // by the ARN suffix of the target group
	for _, r := range s {
		if r.Type == targetGroupType {
			busySuffixes[text(r.Properties, "arnSuffix")] = busy[text(r.Properties, "arn")]
			if !busy[text(r.Properties, "arn")] {
				idle = append(idle, "target group "+text(r.Properties, "name"))
			}
		}
	}
	for _, r := range s {
		watched := text(object(r.Properties["dimensions"]), "TargetGroup")
		if r.Type == alarmType && watched != "" && !busySuffixes[watched] {
			idle = append(idle, "alarm "+text(r.Properties, "name"))
		}
	}
	return idle, errors.Join(errs...)
}

// only returns the only resource of a type.
func (s Stack) only(kind string) (Resource, error) {
	found := slices.DeleteFunc(slices.Clone(s), func(r Resource) bool { return r.Type != kind })
	if len(found) != 1 {
		return Resource{}, fmt.Errorf("the stack has %d resources of type %s, must have one", len(found), kind)
	}
	return found[0], nil
}

// byARN returns the resource of a type with an ARN.
func (s Stack) byARN(kind, arn string) (Resource, bool) {
	return find(s, func(r Resource) bool { return r.Type == kind && text(r.Properties, "arn") == arn })
}
