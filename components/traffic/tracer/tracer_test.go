package tracer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// props are the properties of a resource.
type props = map[string]any

// workingStack returns a stack in which /api/* and /ws reach the Deployment "web" on nodes of
// tier "web".
func workingStack() Stack {
	return Stack{
		{Type: distributionType, Properties: props{
			"origins": []any{
				props{"originId": "files", "originAccessControlId": "oac"},
				props{"originId": "api", "vpcOriginConfig": props{"vpcOriginId": "vo_1"}},
			},
			"defaultCacheBehavior": props{"targetOriginId": "files"},
			"orderedCacheBehaviors": []any{
				props{"pathPattern": "/api/*", "targetOriginId": "api"}, props{"pathPattern": "/ws", "targetOriginId": "api"},
			},
		}},
		{Type: vpcOriginType, ID: "vo_1", Properties: props{"vpcOriginEndpointConfig": props{"arn": "alb", "httpsPort": 443.0}}},
		{Type: balancerType, Properties: props{"arn": "alb", "internal": true}},
		{Type: listenerType, Properties: props{"arn": "listener", "loadBalancerArn": "alb", "port": 443.0}},
		newRule("/ws", 2), newRule("/api/*", 1),
		{Type: targetGroupType, Properties: props{"arn": "group", "arnSuffix": "targetgroup/web", "name": "web", "port": 30080.0}},
		{Type: scalingGroupType, Properties: props{"targetGroupArns": []any{"group"}, "tags": []any{props{"key": "Tier", "value": "web"}}}},
		{Type: serviceType, Properties: props{"spec": props{"selector": props{"app": "web"}, "ports": []any{props{"nodePort": 30080.0}}}}},
		{Type: deploymentType, Properties: props{
			"metadata": props{"name": "web"},
			"spec":     props{"template": props{"metadata": props{"labels": props{"app": "web"}}, "spec": props{"nodeSelector": props{"tier": "web"}}}},
		}},
		{Type: alarmType, Properties: props{"name": "slow", "dimensions": props{"TargetGroup": "targetgroup/web"}}},
	}
}

// newRule returns a listener rule that forwards a path to the target group.
func newRule(path string, priority float64) Resource {
	return Resource{Type: ruleType, Properties: props{
		"listenerArn": "listener", "priority": priority, "actions": []any{props{"targetGroupArn": "group"}},
		"conditions": []any{props{"pathPattern": props{"values": []any{path}}}},
	}}
}

func TestTraceFollowsEveryHop(t *testing.T) {
	hops, err := workingStack().Trace("/api/v1/users", "tier")
	require.NoError(t, err)
	require.Equal(t, Hops{Behaviour: "/api/*", Rule: "/api/*", TargetGroup: "group", Port: 30080, Tier: "web", Deployment: "web"}, hops)
	hops, err = workingStack().Trace("/index.html", "tier")
	require.NoError(t, err)
	require.Equal(t, Hops{Static: true}, hops)
	idle, err := workingStack().FindIdle([]string{"/api/a", "/ws", "/"}, "tier")
	require.NoError(t, err)
	require.Empty(t, idle)
}

// Each row breaks one hop. The error must name this hop.
func TestTraceNamesTheBrokenHop(t *testing.T) {
	properties := func(s Stack, kind string) props {
		r, _ := find(s, func(r Resource) bool { return r.Type == kind })
		return r.Properties
	}
	for _, tc := range []struct {
		reason string
		change func(Stack)
		want   string
	}{
		{"nodes of the other tier are in the group", func(s Stack) {
			properties(s, scalingGroupType)["tags"] = []any{props{"key": "Tier", "value": "application"}}
		}, `requests enter on nodes of tier application, and the pods of web run on tier "web"`},
		{"no nodes are in the group", func(s Stack) { properties(s, scalingGroupType)["targetGroupArns"] = nil }, "has the nodes of 0 tiers"},
		{"the load balancer is public", func(s Stack) { properties(s, balancerType)["internal"] = false }, "is internet-facing"},
		{"the listener has another port", func(s Stack) { properties(s, listenerType)["port"] = 80.0 }, "does not listen at port 443"},
		{"the listener has no rules", func(s Stack) { properties(s, listenerType)["arn"] = "other" }, "no rule of the listener matches the path"},
		{"a rule forwards nowhere", func(s Stack) { properties(s, ruleType)["actions"] = nil }, `rule /ws forwards to "", which is no target group`},
		{"no Service has the node port", func(s Stack) { properties(s, targetGroupType)["port"] = 30081.0 }, "no Service is open at node port 30081"},
		{"the Service selects no pod", func(s Stack) { properties(s, serviceType)["spec"].(props)["selector"] = props{"app": "x"} }, "selects the pods of no Deployment"},
		{"the distribution has no origins", func(s Stack) { properties(s, distributionType)["origins"] = nil }, "which the distribution does not have"},
		{"the VPC origin refers to another load balancer", func(s Stack) { properties(s, vpcOriginType)["vpcOriginEndpointConfig"].(props)["arn"] = "x" }, "is no load balancer of the stack"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s := workingStack()
			tc.change(s)
			_, err := s.Trace("/ws", "tier")
			require.ErrorContains(t, err, "path /ws: ")
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestFindIdleReturnsGroupsAndAlarmsWithoutTraffic(t *testing.T) {
	s := append(workingStack(),
		Resource{Type: targetGroupType, Properties: props{"arn": "idle", "arnSuffix": "targetgroup/idle", "name": "idle"}},
		Resource{Type: alarmType, Properties: props{"name": "unused", "dimensions": props{"TargetGroup": "targetgroup/idle"}}},
	)
	idle, err := s.FindIdle([]string{"/ws"}, "tier")
	require.NoError(t, err)
	require.Equal(t, []string{"target group idle", "alarm unused"}, idle)
}
