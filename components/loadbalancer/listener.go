package loadbalancer

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/loadbalancer/routing"
)

// tlsPolicy allows TLS 1.3 and 1.2, both only with forward secrecy. AWS recommends the policy (ELB
// User Guide, "Security policies for your Application Load Balancer").
const tlsPolicy = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"

// The health check of a node, in seconds and counts. The numbers are those of the
// design document's Kubernetes probes: every 10 s, a timeout of 5 s, three
// failures. A node receives requests after two successful checks.
const (
	healthInterval = 10
	healthTimeout  = 5
	healthyAfter   = 2
	unhealthyAfter = 3
)

// createTargetGroups creates the target group of each target, and adds its ARN to the component.
func (b *builder) createTargetGroups(component *LoadBalancer) error {
	for _, t := range b.args.Targets {
		group, err := lb.NewTargetGroup(b.ctx, b.name+"-"+t.Name, &lb.TargetGroupArgs{
			Name:                pulumi.String(routing.GroupName(b.args.Environment, t)),
			VpcId:               b.args.VPCID,
			TargetType:          pulumi.String("instance"),
			Protocol:            pulumi.String("HTTP"),
			Port:                pulumi.Int(t.NodePort),
			DeregistrationDelay: pulumi.Int(int(routing.DeregistrationDelay.Seconds())),
			HealthCheck: &lb.TargetGroupHealthCheckArgs{
				Protocol:           pulumi.String("HTTP"),
				Path:               pulumi.String(t.HealthPath),
				Matcher:            pulumi.String("200"),
				Interval:           pulumi.Int(healthInterval),
				Timeout:            pulumi.Int(healthTimeout),
				HealthyThreshold:   pulumi.Int(healthyAfter),
				UnhealthyThreshold: pulumi.Int(unhealthyAfter),
			},
			Tags: b.tags(t.Name),
		}, b.parent)
		if err != nil {
			return fmt.Errorf("target group %s: %w", t.Name, err)
		}
		component.TargetGroupARNs[t.Name], component.TargetGroupSuffixes[t.Name] = group.Arn, group.ArnSuffix
	}
	return nil
}

// createListener creates the only listener, for HTTPS, and a rule for each path. A request for
// a path without a rule gets the status 404. createListener returns the ids of the rules.
func (b *builder) createListener(balancer *lb.LoadBalancer, component *LoadBalancer, rules []routing.Rule) ([]pulumi.IDOutput, error) {
	listener, err := lb.NewListener(b.ctx, b.name+"-https", &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn,
		Port:            pulumi.Int(httpsPort),
		Protocol:        pulumi.String("HTTPS"),
		SslPolicy:       pulumi.String(tlsPolicy),
		CertificateArn:  b.args.CertificateARN.ToStringOutput(),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("fixed-response"),
			FixedResponse: &lb.ListenerDefaultActionFixedResponseArgs{
				ContentType: pulumi.String("text/plain"), MessageBody: pulumi.String("Not found"), StatusCode: pulumi.String("404"),
			},
		}},
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("HTTPS listener: %w", err)
	}
	var ids []pulumi.IDOutput
	for _, rule := range rules {
		listenerRule, err := lb.NewListenerRule(b.ctx, b.name+"-"+rule.Target+strings.TrimSuffix(rule.Path, "*"), &lb.ListenerRuleArgs{
			ListenerArn: listener.Arn,
			Priority:    pulumi.Int(rule.Priority),
			Conditions: lb.ListenerRuleConditionArray{
				&lb.ListenerRuleConditionArgs{PathPattern: &lb.ListenerRuleConditionPathPatternArgs{
					Values: pulumi.ToStringArray([]string{rule.Path}),
				}},
			},
			Actions: lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{
				Type: pulumi.String("forward"), TargetGroupArn: component.TargetGroupARNs[rule.Target],
			}},
		}, b.parent)
		if err != nil {
			return nil, fmt.Errorf("rule for %s: %w", rule.Path, err)
		}
		ids = append(ids, listenerRule.ID())
	}
	return ids, nil
}
