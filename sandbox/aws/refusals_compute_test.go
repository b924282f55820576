package aws

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNetworkRefusals(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	other := s.mustCreate(vpcT, "other", props{"cidrBlock": "10.41.0.0/16"})
	otherSubnet := s.mustCreate(subnetT, "far", props{"vpcId": other.id, "cidrBlock": "10.41.0.0/24", "availabilityZone": "us-east-1b"})
	unassociated := s.mustCreate(subnetT, "spare", props{"vpcId": stack.byName["vpc"].id, "cidrBlock": "10.40.9.0/24", "availabilityZone": "us-east-1c"})
	rule := func(change props) props {
		return with(props{"networkAclId": stack.byName["list"].id, "ruleNumber": 200, "ruleAction": "allow", "protocol": "tcp", "cidrBlock": "10.0.0.0/8", "fromPort": 1, "toPort": 2}, change)
	}
	entry := func(change props) []any {
		return []any{with(props{"ruleNo": 1, "action": "allow", "protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlock": "0.0.0.0/0"}, change)}
	}
	s.requireRefusals([]refusal{
		{"a subnet's IPv6 block outside of the VPC's", subnetT, props{"vpcId": stack.byName["vpc"].id, "cidrBlock": "10.40.8.0/24", "ipv6CidrBlock": "2001:db8::/64"}, "InvalidSubnet.Range"},
		{"a subnet's IPv6 block that is in use", subnetT, props{"vpcId": stack.byName["vpc"].id, "cidrBlock": "10.40.8.0/24", "ipv6CidrBlock": stack.byName["a"].state["ipv6CidrBlock"]}, "InvalidSubnet.Conflict"},
		{"a second egress-only gateway", egressOnlyT, props{"vpcId": stack.byName["vpc"].id}, "EgressOnlyInternetGatewayLimitExceeded"},
		{"IPv4 through an egress-only gateway", routeT, props{"routeTableId": stack.byName["table"].id, "destinationCidrBlock": "10.99.0.0/16", "egressOnlyGatewayId": stack.byName["out"].id}, "egress-only internet gateway"},
		{"a number that is in use", aclRuleT, rule(props{"ruleNumber": 100}), "already exists"},
		{"a rule as a separate resource for a network ACL with inline rules", aclRuleT, rule(props{"networkAclId": stack.byName["inline"].id}), "has inline ingress rules"},
		{"IPv4 and IPv6 in a rule", aclRuleT, rule(props{"ipv6CidrBlock": "::/0"}), "cidrBlock"},
		{"TCP without ports", aclRuleT, rule(props{"fromPort": nil, "toPort": nil}), "with TCP and UDP"},
		{"ports without TCP", aclRuleT, rule(props{"protocol": "-1"}), "has no ports"},
		{"ICMP without a type", aclRuleT, rule(props{"protocol": "icmp", "fromPort": nil, "toPort": nil}), "icmpType"},
		{"the number of the last rule", aclRuleT, rule(props{"ruleNumber": 32767}), "ruleNumber"},
		{"a subnet that is associated with another network ACL", aclAssocT, props{"networkAclId": stack.byName["inline"].id, "subnetId": stack.byName["a"].id}, "associated by"},
		{"a subnet in the subnetIds of another network ACL", aclT, props{"vpcId": stack.byName["vpc"].id, "subnetIds": []any{stack.byName["b"].id}}, "associated by"},
		{"a subnet of another VPC", aclAssocT, props{"networkAclId": stack.byName["list"].id, "subnetId": otherSubnet.id}, "the network ACL in"},
		{"a number twice inline", aclT, props{"vpcId": stack.byName["vpc"].id, "ingress": append(entry(nil), entry(props{"action": "deny"})...)}, "given twice"},
		{"a prefix list that does not exist", ingressT, props{"securityGroupId": stack.byName["tier"].id, "ipProtocol": "-1", "prefixListId": "pl-00000000"}, "InvalidPrefixListID.NotFound"},
		{"CloudFront's list twice in a group", ingressT, props{"securityGroupId": stack.byName["front"].id, "ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "prefixListId": "pl-3b927c52"}, "RulesPerSecurityGroupLimitExceeded"},
	})
	s.mustCreate(aclAssocT, "free", props{"networkAclId": stack.byName["list"].id, "subnetId": unassociated.id})
	_, err := s.create(aclT, "late", props{"vpcId": stack.byName["vpc"].id, "subnetIds": []any{unassociated.id}})
	require.ErrorContains(t, err, "associated by")
	require.ErrorContains(t, s.update(stack.byName["list"], with(stack.news["list"], props{"ingress": entry(nil)})), "as separate resources", "the update would remove the rules that are separate resources")
}

func TestBalancerRefusals(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	other := s.mustCreate(vpcT, "other", props{"cidrBlock": "10.41.0.0/16"})
	otherSubnetB := s.mustCreate(subnetT, "other-b", props{"vpcId": other.id, "cidrBlock": "10.41.0.0/24", "availabilityZone": "us-east-1b"})
	otherSubnetA := s.mustCreate(subnetT, "other-a", props{"vpcId": other.id, "cidrBlock": "10.41.1.0/24", "availabilityZone": "us-east-1a"})
	secondInZoneA := s.mustCreate(subnetT, "a2", props{"vpcId": stack.byName["vpc"].id, "cidrBlock": "10.40.8.0/24", "availabilityZone": "us-east-1a"})
	smallSubnet := s.mustCreate(subnetT, "small", props{"vpcId": stack.byName["vpc"].id, "cidrBlock": "10.40.9.0/28", "availabilityZone": "us-east-1c"})
	otherTargets := s.mustCreate(targetGroupT, "other", props{"vpcId": other.id, "port": 80, "protocol": "HTTP"})
	internalBalancer := s.mustCreate(balancerT, "inner", props{"subnets": []any{stack.byName["a"].id, stack.byName["b"].id}, "internal": true})
	balancer := func(change props) props {
		return with(props{"subnets": []any{stack.byName["a"].id, stack.byName["b"].id}}, change)
	}
	targets := func(change props) props {
		return with(props{"vpcId": stack.byName["vpc"].id, "port": 80, "protocol": "HTTP"}, change)
	}
	forward := func(arn any) []any { return []any{props{"type": "forward", "targetGroupArn": arn}} }
	listener := func(change props) props {
		return with(props{
			"loadBalancerArn": stack.byName["balancer"].id, "port": 8443, "protocol": "HTTPS", "certificateArn": stack.byName["certificate"].id, "sslPolicy": tlsPolicy,
			"defaultActions": forward(stack.byName["targets"].id),
		}, change)
	}
	rule := func(change props) props {
		return with(props{
			"listenerArn": stack.byName["https"].id, "priority": 50, "actions": forward(stack.byName["targets"].id),
			"conditions": []any{props{"pathPattern": props{"values": []any{"/x"}}}},
		}, change)
	}
	redirect := func(change props) []any {
		return []any{props{"type": "redirect", "redirect": with(props{"statusCode": "HTTP_301"}, change)}}
	}
	s.requireRefusals([]refusal{
		{"one zone", balancerT, balancer(props{"subnets": []any{stack.byName["a"].id}}), "two different Availability Zones"},
		{"a zone twice", balancerT, balancer(props{"subnets": []any{stack.byName["a"].id, secondInZoneA.id}}), "multiple subnets in the same Availability Zone"},
		{"two VPCs", balancerT, balancer(props{"subnets": []any{stack.byName["a"].id, otherSubnetB.id}}), "one VPC"},
		{"a subnet that is too small", balancerT, balancer(props{"subnets": []any{stack.byName["a"].id, smallSubnet.id}}), "needs a /27"},
		{"a VPC without an internet gateway", balancerT, balancer(props{"subnets": []any{otherSubnetA.id, otherSubnetB.id}}), "no internet gateway"},
		{"a dual-stack load balancer in subnets without IPv6", balancerT, balancer(props{"subnets": []any{otherSubnetA.id, otherSubnetB.id}, "internal": true, "ipAddressType": "dualstack"}), "no IPv6 CIDR block"},
		{"a group of another VPC", balancerT, balancer(props{"securityGroups": []any{other.state["defaultSecurityGroupId"]}}), "security groups are invalid"},
		{"a name of 33 letters", balancerT, balancer(props{"name": strings.Repeat("x", 33)}), "name"},
		{"a name that ends in a dash", balancerT, balancer(props{"name": "front-"}), "name"},
		{"a name that AWS reserves", balancerT, balancer(props{"name": "internal-front"}), "internal-"},
		{"a name that is in use", balancerT, balancer(props{"name": stack.byName["balancer"].state["name"]}), "DuplicateLoadBalancerName"},
		{"a network load balancer", balancerT, balancer(props{"loadBalancerType": "network"}), "loadBalancerType"},
		{"an idle time above the limit", balancerT, balancer(props{"idleTimeout": 4001}), "idleTimeout"},
		{"logs to a bucket with an invalid name", balancerT, balancer(props{"accessLogs": props{"bucket": "x"}}), "bucket"},
		{"a target group's name of 33 letters", targetGroupT, targets(props{"name": strings.Repeat("x", 33)}), "name"},
		{"a name prefix that is too long", targetGroupT, targets(props{"name": nil, "namePrefix": "seven-x"}), "namePrefix"},
		{"a target group without a port", targetGroupT, targets(props{"port": nil}), "port"},
		{"a check that takes longer than its interval", targetGroupT, targets(props{"healthCheck": props{"interval": 5, "timeout": 6}}), "must be smaller than the interval"},
		{"a check without a slash", targetGroupT, targets(props{"healthCheck": props{"path": "healthz"}}), "begins with a slash"},
		{"no check", targetGroupT, targets(props{"healthCheck": props{"enabled": false}}), "always checked"},
		{"a slow start of ten seconds", targetGroupT, targets(props{"slowStart": 10}), "slowStart"},
		{"a slow start with another algorithm", targetGroupT, targets(props{"slowStart": 30, "loadBalancingAlgorithmType": "least_outstanding_requests"}), "can't be used with"},
		{"anomaly mitigation with another algorithm", targetGroupT, targets(props{"loadBalancingAnomalyMitigation": "on"}), "weighted_random"},
		{"a cookie of the program without a name", targetGroupT, targets(props{"stickiness": props{"type": "app_cookie"}}), "cookieName"},
		{"Lambda functions as targets", targetGroupT, targets(props{"targetType": "lambda"}), "targetType"},
		{"HTTPS without a certificate", listenerT, listener(props{"certificateArn": nil}), "a certificate must be specified"},
		{"HTTPS without a policy", listenerT, listener(props{"sslPolicy": nil}), "sslPolicy"},
		{"a policy with TLS 1.0", listenerT, listener(props{"sslPolicy": "ELBSecurityPolicy-2016-08"}), "one of"},
		{"a certificate of another region", listenerT, listener(props{"certificateArn": strings.Replace(stack.byName["certificate"].id, "us-east-1", "eu-west-1", 1)}), "CertificateNotFound"},
		{"an ARN that is not a certificate's", listenerT, listener(props{"certificateArn": stack.byName["balancer"].id}), "CertificateNotFound"},
		{"HTTP with a certificate", listenerT, listener(props{"protocol": "HTTP"}), "belongs to HTTPS"},
		{"a port that is in use", listenerT, listener(props{"port": 443}), "DuplicateListener"},
		{"a load balancer that does not exist", listenerT, listener(props{"loadBalancerArn": strings.Replace(stack.byName["balancer"].id, "balancer", "none", 1)}), "LoadBalancerNotFound"},
		{"a target group that does not exist", listenerT, listener(props{"defaultActions": forward(stack.byName["targets"].id + "0")}), "TargetGroupNotFound"},
		{"a target group of another VPC", listenerT, listener(props{"defaultActions": forward(otherTargets.id)}), "different VPC"},
		{"a target group of another load balancer", listenerT, listener(props{"loadBalancerArn": internalBalancer.id}), "more than one load balancer"},
		{"a redirect to itself", listenerT, listener(props{"defaultActions": redirect(nil)}), "creates a loop"},
		{"a redirect without a code", listenerT, listener(props{"defaultActions": redirect(props{"statusCode": nil, "port": "443"})}), "statusCode"},
		{"two actions", listenerT, listener(props{"defaultActions": append(forward(stack.byName["targets"].id), redirect(props{"port": "1"})...)}), "defaultActions"},
		{"an action without its block", listenerT, listener(props{"defaultActions": []any{props{"type": "fixed-response"}}}), "fixedResponse"},
		{"an action with the block of another type", listenerT, listener(props{"defaultActions": []any{props{"type": "forward", "targetGroupArn": stack.byName["targets"].id, "fixedResponse": props{"contentType": "text/plain"}}}}), "does not belong"},
		{"an authentication action", listenerT, listener(props{"defaultActions": []any{props{"type": "authenticate-oidc"}}}), "one of"},
		{"a priority that is in use", listenerRuleT, rule(props{"priority": 10}), "PriorityInUse"},
		{"a priority above the limit", listenerRuleT, rule(props{"priority": 50001}), "priority"},
		{"six values in all", listenerRuleT, rule(props{"conditions": []any{
			props{"pathPattern": props{"values": []any{"/a", "/b", "/c"}}}, props{"httpHeader": props{"httpHeaderName": "X", "values": []any{"a", "b", "c"}}},
		}}), "AWS allows 5"},
		{"six wildcards", listenerRuleT, rule(props{"conditions": []any{props{"pathPattern": props{"values": []any{"/*/*/*/*/*/*"}}}}}), "wildcards"},
		{"a condition twice", listenerRuleT, rule(props{"conditions": []any{
			props{"pathPattern": props{"values": []any{"/a"}}}, props{"pathPattern": props{"values": []any{"/b"}}},
		}}), "one condition of this kind"},
		{"two kinds in one condition", listenerRuleT, rule(props{"conditions": []any{
			props{"pathPattern": props{"values": []any{"/a"}}, "hostHeader": props{"values": []any{"b"}}},
		}}), "exactly one of"},
		{"Host as an HTTP header condition", listenerRuleT, rule(props{"conditions": []any{props{"httpHeader": props{"httpHeaderName": "Host", "values": []any{"b"}}}}}), "hostHeader"},
		{"no condition", listenerRuleT, rule(props{"conditions": []any{}}), "conditions"},
	})
	_, err := s.create(listenerRuleT, "five", rule(props{"conditions": []any{
		props{"pathPattern": props{"values": []any{"/a", "/b"}}}, props{"httpHeader": props{"httpHeaderName": "X", "values": []any{"a", "b", "c"}}},
	}}))
	require.NoError(t, err, "five values are allowed")
}

func TestEventRefusals(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	queue := func(change props) props { return with(props{}, change) }
	pattern := func(text string) props { return props{"eventPattern": text} }
	target := func(change props) props {
		return with(props{"rule": stack.byName["ends"].id, "targetId": "second", "arn": stack.byName["events"].state["arn"]}, change)
	}
	otherEventRule := s.mustCreate(eventRuleT, "other", pattern(`{"source":["aws.ec2"]}`))
	queueWithoutPolicy := s.mustCreate(queueT, "closed", props{})
	s.requireRefusals([]refusal{
		{"a name of 81 letters", queueT, queue(props{"name": strings.Repeat("x", 81)}), "name"},
		{"a name with a dot", queueT, queue(props{"name": "a.b"}), "letters, digits, - and _"},
		{"a name that is in use", queueT, queue(props{"name": stack.byName["events"].state["name"]}), "QueueAlreadyExists"},
		{"messages that are kept for a second", queueT, queue(props{"messageRetentionSeconds": 1}), "messageRetentionSeconds"},
		{"a policy inside the queue", queueT, queue(props{"policy": `{}`}), "use a QueuePolicy"},
		{"a KMS key of the program", queueT, queue(props{"kmsMasterKeyId": stack.byName["key"].id}), "sqsManagedSseEnabled"},
		{"a policy of a queue that does not exist", queuePolicyT, props{"queueUrl": queueWithoutPolicy.id + "x", "policy": queuePolicy(queueWithoutPolicy, "events.amazonaws.com", otherEventRule)}, "NonExistentQueue"},
		{"a policy that is not JSON", queuePolicyT, props{"queueUrl": queueWithoutPolicy.id, "policy": "{"}, "policy"},
		{"a pattern that is not JSON", eventRuleT, pattern(`{`), "is not valid JSON"},
		{"a plain value in a pattern", eventRuleT, pattern(`{"source":"aws.ec2"}`), `"source" must be an object or an array`},
		{"a plain value inside a pattern", eventRuleT, pattern(`{"detail":{"state":"stopping"}}`), `"state" must be an object or an array`},
		{"an empty pattern", eventRuleT, pattern(`{}`), "Empty objects are not allowed"},
		{"a pattern that matches nothing", eventRuleT, pattern(`{"source":[]}`), "Empty arrays are not allowed"},
		{"a schedule", eventRuleT, props{"scheduleExpression": "rate(1 day)"}, "schedules are not supported yet"},
		{"a rule's name of 65 letters", eventRuleT, with(pattern(`{"source":["aws.ec2"]}`), props{"name": strings.Repeat("x", 65)}), "name"},
		{"a rule that does not exist", eventTargetT, target(props{"rule": "none"}), "ResourceNotFoundException"},
		{"a queue that does not exist", eventTargetT, target(props{"arn": "arn:aws:sqs:us-east-1:123456789012:none"}), "NonExistentQueue"},
		{"no id, so that a retry after a lost response would create a second target", eventTargetT, target(props{"targetId": nil}), "targetId"},
		{"a queue without a policy", eventTargetT, target(props{"arn": queueWithoutPolicy.state["arn"]}), "would accept the target and drop every event"},
		{"a queue that accepts another rule only", eventTargetT, target(props{"rule": otherEventRule.id}), "would accept the target and drop every event"},
	})
	for _, name := range []string{"2", "3", "4", "5"} {
		s.mustCreate(eventTargetT, "target"+name, target(props{"targetId": name}))
	}
	_, err := s.create(eventTargetT, "sixth", target(props{"targetId": "6"}))
	require.ErrorContains(t, err, "LimitExceededException")
	require.NoError(t, s.delete(stack.byName["events"]))
	require.False(t, s.refresh(stack.byName["senders"]), "a policy is deleted with its queue")
}

func TestScalingRefusals(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	other := s.mustCreate(vpcT, "other", props{"cidrBlock": "10.41.0.0/16"})
	otherSubnet := s.mustCreate(subnetT, "far", props{"vpcId": other.id, "cidrBlock": "10.41.0.0/24", "availabilityZone": "us-east-1b"})
	templateWithoutImage := s.mustCreate(launchTemplateT, "imageless", props{"instanceType": "m7g.large"})
	templateWithoutType := s.mustCreate(launchTemplateT, "typeless", props{"imageId": "ami-0123456789abcdef0"})
	// with20GiB returns the reference to a template of Intel instances. Its volume of 20 GiB has the name of a device.
	with20GiB := func(name, image, device string) props {
		created := s.mustCreate(launchTemplateT, name, props{
			"imageId": image, "instanceType": "m7i.large", "blockDeviceMappings": []any{props{"deviceName": device, "ebs": props{"volumeSize": 20}}},
		})
		return props{"id": created.id}
	}
	s.mustCreate(scalingGroupT, "intel", props{
		"minSize": 1, "maxSize": 2, "vpcZoneIdentifiers": []any{stack.byName["a"].id}, "launchTemplate": with20GiB("intel", "ami-0123456789abcdef0", "/dev/xvda"),
	})
	addresses := s.mustCreate(targetGroupT, "addresses", props{"vpcId": stack.byName["vpc"].id, "port": 80, "protocol": "HTTP", "targetType": "ip"})
	spec := props{"id": stack.byName["template"].id, "version": "1"}
	group := func(change props) props {
		return with(props{"minSize": 1, "maxSize": 2, "vpcZoneIdentifiers": []any{stack.byName["a"].id}, "launchTemplate": spec}, change)
	}
	mixed := func(distribution props, overrides ...any) props {
		policy := props{"launchTemplate": props{"launchTemplateSpecification": props{"launchTemplateId": stack.byName["template"].id}, "overrides": overrides}}
		if distribution != nil {
			policy["instancesDistribution"] = distribution
		}
		return group(props{"launchTemplate": nil, "mixedInstancesPolicy": policy})
	}
	refresh := func(preferences props) props {
		return group(props{"instanceRefresh": props{"strategy": "Rolling", "preferences": preferences}, "launchTemplate": props{"id": stack.byName["template"].id, "version": "$Latest"}})
	}
	requirements := props{"vcpuCount": props{"min": 2}, "memoryMib": props{"min": 1024}}
	template := func(change props) props { return with(props{"imageId": "ami-0123456789abcdef0"}, change) }
	disk := func(ebs props) props {
		return template(props{"blockDeviceMappings": []any{props{"deviceName": "/dev/xvda", "ebs": ebs}}})
	}
	policy := func(change props) props { return with(props{"autoscalingGroupName": stack.byName["group"].id}, change) }
	tracking := func(configuration props) props {
		return policy(props{"policyType": "TargetTrackingScaling", "targetTrackingConfiguration": with(props{"targetValue": 50.0}, configuration)})
	}
	steps := func(bounds ...string) props {
		var out []any
		for i := 0; i < len(bounds); i += 2 {
			out = append(out, props{"scalingAdjustment": 1, "metricIntervalLowerBound": bounds[i], "metricIntervalUpperBound": bounds[i+1]})
		}
		return policy(props{"policyType": "StepScaling", "adjustmentType": "ChangeInCapacity", "stepAdjustments": out})
	}
	balancer, _ := stack.byName["balancer"].state["arnSuffix"].(string)
	canary, _ := stack.byName["canary"].state["arnSuffix"].(string)
	unrouted := s.mustCreate(targetGroupT, "unrouted", props{"vpcId": stack.byName["vpc"].id, "port": 80, "protocol": "HTTP"})
	s.mustCreate(scalingAttachT, "unrouted", props{"autoscalingGroupName": stack.byName["mixed"].id, "lbTargetGroupArn": unrouted.id})
	unroutedSuffix, _ := unrouted.state["arnSuffix"].(string)
	perTarget := func(label string) props {
		return tracking(props{"predefinedMetricSpecification": props{"predefinedMetricType": "ALBRequestCountPerTarget", "resourceLabel": label}})
	}
	alarm := func(change props) props {
		return with(props{
			"metricName": "CPUUtilization", "namespace": "AWS/EC2", "statistic": "Average", "period": 60, "evaluationPeriods": 2,
			"comparisonOperator": "GreaterThanThreshold", "threshold": 80,
		}, change)
	}
	query := func(returned bool) props {
		return props{"id": "q", "returnData": returned, "metric": props{"metricName": "m", "namespace": "n", "stat": "Sum", "period": 60}}
	}
	queries := func(list ...any) props {
		return alarm(props{"metricName": nil, "namespace": nil, "statistic": nil, "period": nil, "metricQueries": list})
	}
	s.requireRefusals([]refusal{
		{"user data above 16 KB", launchTemplateT, template(props{"userData": base64.StdEncoding.EncodeToString(make([]byte, 16385))}), "AWS allows 16384"},
		{"user data that is not base64", launchTemplateT, template(props{"userData": "#!/bin/sh"}), "must be base64"},
		{"security groups of the template and of its network interface", launchTemplateT, template(props{"vpcSecurityGroupIds": []any{stack.byName["tier"].id}, "networkInterfaces": []any{props{"securityGroups": []any{stack.byName["tier"].id}}}}), "can't be given together with networkInterfaces"},
		{"a key without encryption", launchTemplateT, disk(props{"kmsKeyId": stack.byName["key"].state["arn"]}), "needs encrypted"},
		{"a key that does not exist", launchTemplateT, disk(props{"encrypted": "true", "kmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000"}), "not"},
		{"IOPS without a volume type", launchTemplateT, disk(props{"iops": 4000}), "volumeType"},
		{"an old volume type", launchTemplateT, disk(props{"volumeType": "gp2"}), "one of"},
		{"a group that does not exist", launchTemplateT, template(props{"vpcSecurityGroupIds": []any{"sg-0123456789abcdef0"}}), "InvalidGroup.NotFound"},
		{"a profile that does not exist", launchTemplateT, template(props{"iamInstanceProfile": props{"name": "none"}}), "IAM Instance Profile"},
		{"a profile by name and by ARN", launchTemplateT, template(props{"iamInstanceProfile": props{"name": "a", "arn": stack.byName["profile"].state["arn"]}}), "together"},
		{"a name that is in use", launchTemplateT, template(props{"name": stack.byName["template"].state["name"]}), "AlreadyExists"},
		{"a default version that does not exist", launchTemplateT, template(props{"defaultVersion": 2}), "VersionNotFound"},
		{"an invalid instance type", launchTemplateT, template(props{"instanceType": "large"}), "InstanceType"},
		{"a lower limit above the upper", scalingGroupT, group(props{"minSize": 3}), "above maxSize"},
		{"a size outside of the limits", scalingGroupT, group(props{"desiredCapacity": 3}), "must be between the specified min size"},
		{"no launch template", scalingGroupT, group(props{"launchTemplate": nil}), "launchTemplate"},
		{"a launch template and a mixed instances policy", scalingGroupT, group(props{"mixedInstancesPolicy": mixed(nil)["mixedInstancesPolicy"]}), "launchTemplate"},
		{"neither subnets nor zones", scalingGroupT, group(props{"vpcZoneIdentifiers": nil}), "vpcZoneIdentifiers"},
		{"both subnets and zones", scalingGroupT, group(props{"availabilityZones": []any{"us-east-1a"}}), "vpcZoneIdentifiers"},
		{"two VPCs", scalingGroupT, group(props{"vpcZoneIdentifiers": []any{stack.byName["a"].id, otherSubnet.id}}), "one VPC"},
		{"groups of another VPC", scalingGroupT, group(props{"vpcZoneIdentifiers": []any{otherSubnet.id}}), "does not exist in VPC"},
		{"a template that does not exist", scalingGroupT, group(props{"launchTemplate": props{"id": "lt-0123456789abcdef0"}}), "launch template"},
		{"a version that does not exist", scalingGroupT, group(props{"launchTemplate": with(spec, props{"version": "7"})}), "version 7"},
		{"an invalid version", scalingGroupT, group(props{"launchTemplate": with(spec, props{"version": "newest"})}), "$Latest"},
		{"a template without an image", scalingGroupT, group(props{"launchTemplate": props{"id": templateWithoutImage.id}}), "ImageId"},
		{"a template without a type", scalingGroupT, group(props{"launchTemplate": props{"id": templateWithoutType.id}}), "InstanceType"},
		{"an image that does not exist", scalingGroupT, group(props{"launchTemplate": with20GiB("unknown", "ami-00000000000000000", "/dev/xvda")}), "The image id '[ami-00000000000000000]' does not exist"},
		{"an image of another architecture than the template's type", scalingGroupT, group(props{"launchTemplate": with20GiB("arm", "ami-0123456789abcdef1", "/dev/xvda")}), "The architecture 'x86_64' of the specified instance type does not match the architecture 'arm64' of the specified AMI"},
		{"an image of another architecture than an override", scalingGroupT, mixed(nil, props{"instanceType": "m7g.large"}, props{"instanceType": "m7i-flex.large"}), "The architecture 'x86_64' of the specified instance type does not match the architecture 'arm64'"},
		{"an image of another architecture than its override", scalingGroupT, mixed(nil, props{"instanceType": "m7g.large", "launchTemplateSpecification": props{"launchTemplateId": templateWithoutType.id}}), "The architecture 'arm64' of the specified instance type does not match the architecture 'x86_64'"},
		{"a volume smaller than the image's snapshot", scalingGroupT, group(props{"launchTemplate": with20GiB("small", "ami-0123456789abcdef2", "/dev/sda1")}), "Volume of size 20GB is smaller than snapshot 'snap-0123456789abcdef2', expect size>= 100GB"},
		{"a target group of IP addresses", scalingGroupT, group(props{"targetGroupArns": []any{addresses.id}}), "may not be valid"},
		{"a name that is in use", scalingGroupT, group(props{"name": stack.byName["group"].id}), "already exists"},
		{"a process that does not exist", scalingGroupT, group(props{"suspendedProcesses": []any{"Sleep"}}), "one of"},
		{"a metric that does not exist", scalingGroupT, group(props{"enabledMetrics": []any{"Mood"}}), "one of"},
		{"a maximum lifetime of an hour", scalingGroupT, group(props{"maxInstanceLifetime": 3600}), "maxInstanceLifetime"},
		{"a wait that is not a duration", scalingGroupT, group(props{"waitForCapacityTimeout": "10"}), "duration"},
		{"a tag twice", scalingGroupT, group(props{"tags": []any{props{"key": "a", "value": "1", "propagateAtLaunch": true}, props{"key": "a", "value": "2", "propagateAtLaunch": true}}}), "twice"},
		{"hooks in the group", scalingGroupT, group(props{"initialLifecycleHooks": []any{props{"name": "h", "lifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}}}), "use lifecycleHook"},
		{"a delay without checkpoints", scalingGroupT, refresh(props{"checkpointDelay": "600"}), "belongs to checkpointPercentages"},
		{"checkpoints that go down", scalingGroupT, refresh(props{"checkpointPercentages": []any{50, 20, 100}}), "must ascend"},
		{"checkpoints that end too early", scalingGroupT, refresh(props{"checkpointPercentages": []any{20, 50}}), "so it must be 100"},
		{"a delay of three days", scalingGroupT, refresh(props{"checkpointPercentages": []any{100}, "checkpointDelay": "259200"}), "0 to 172800"},
		{"a refresh that watches an alarm that does not exist", scalingGroupT, refresh(props{"alarmSpecification": props{"alarms": []any{"none"}}}), "The alarm 'none' does not exist"},
		{"a rollback, which goes back to the new version", scalingGroupT, refresh(props{"autoRollback": true}), "the provider updates the group before the refresh"},
		{"more than twice the instances", scalingGroupT, refresh(props{"minHealthyPercentage": 50, "maxHealthyPercentage": 200}), "at most 100 above"},
		{"an instance type and requirements in an override", scalingGroupT, mixed(nil, props{"instanceType": "m7g.large", "instanceRequirements": requirements}), "together"},
		{"some overrides with a type, some with requirements", scalingGroupT, mixed(nil, props{"instanceType": "m7g.large"}, props{"instanceRequirements": requirements}), "or none"},
		{"weights in some overrides only", scalingGroupT, mixed(nil, props{"instanceType": "m7g.large", "weightedCapacity": "1"}, props{"instanceType": "m6g.large"}), "or none"},
		{"requirements without a memory", scalingGroupT, mixed(nil, props{"instanceRequirements": props{"vcpuCount": props{"min": 2}}}), "memoryMib"},
		{"requirements with prioritized", scalingGroupT, mixed(props{"onDemandAllocationStrategy": "prioritized"}, props{"instanceRequirements": requirements}), "lowest-price"},
		{"Spot pools with another strategy", scalingGroupT, mixed(props{"spotAllocationStrategy": "price-capacity-optimized", "spotInstancePools": 2}), "lowest-price"},
		{"a target group attached twice", scalingAttachT, props{"autoscalingGroupName": stack.byName["mixed"].id, "lbTargetGroupArn": stack.byName["canary"].id}, "AlreadyExists"},
		{"a hook without a time", lifecycleHookT, policy(props{"lifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}), "heartbeatTimeout"},
		{"a hook of a group that does not exist", lifecycleHookT, props{"autoscalingGroupName": "none", "lifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "heartbeatTimeout": 60}, "ValidationError"},
		{"a simple policy without a step", scalingPolicyT, policy(props{"adjustmentType": "ChangeInCapacity"}), "scalingAdjustment"},
		{"a simple policy with steps", scalingPolicyT, with(steps("0", "1"), props{"policyType": nil, "scalingAdjustment": 1}), "belongs to"},
		{"steps with a gap", scalingPolicyT, steps("0", "10", "20", "30"), "gap"},
		{"steps that overlap", scalingPolicyT, steps("0", "10", "5", "30"), "overlap"},
		{"a step without width", scalingPolicyT, steps("10", "0"), "no value between"},
		{"a minimum magnitude without percentages", scalingPolicyT, policy(props{"adjustmentType": "ChangeInCapacity", "scalingAdjustment": 1, "minAdjustmentMagnitude": 1}), "PercentChangeInCapacity"},
		{"tracking without a metric", scalingPolicyT, tracking(nil), "exactly one of"},
		{"request tracking without a resource label", scalingPolicyT, tracking(props{"predefinedMetricSpecification": props{"predefinedMetricType": "ALBRequestCountPerTarget"}}), "resourceLabel"},
		{"request tracking for a target group of another group", scalingPolicyT, perTarget(balancer + "/" + canary), "is not attached"},
		{"request tracking for a target group without a listener", scalingPolicyT, with(perTarget(balancer+"/"+unroutedSuffix), props{"autoscalingGroupName": stack.byName["mixed"].id}), "does not route"},
		{"predictive scaling", scalingPolicyT, policy(props{"policyType": "PredictiveScaling"}), "one of"},
		{"a metric without a statistic", alarmT, alarm(props{"statistic": nil}), "statistic"},
		{"two statistics", alarmT, alarm(props{"extendedStatistic": "p99"}), "statistic"},
		{"a period of 45 seconds", alarmT, alarm(props{"period": 45}), "multiple of 60"},
		{"evaluation periods of two days", alarmT, alarm(props{"period": 600, "evaluationPeriods": 288}), "look back"},
		{"more points than periods", alarmT, alarm(props{"datapointsToAlarm": 3}), "above evaluationPeriods"},
		{"an action that is not an alarm action", alarmT, alarm(props{"alarmActions": []any{stack.byName["group"].state["arn"]}}), "alarm action"},
		{"an invalid SNS topic", alarmT, alarm(props{"alarmActions": []any{"arn:aws:sns:us-east-1:123456789012:a b"}}), "alarm action"},
		{"neither metric nor queries", alarmT, alarm(props{"metricName": nil}), "metricName"},
		{"queries and a statistic", alarmT, with(queries(query(true)), props{"statistic": "Sum"}), "not to metricQueries"},
		{"no query that returns data", alarmT, queries(query(false)), "exactly one query"},
		{"a query twice", alarmT, queries(query(true), query(false)), "given twice"},
		{"a metric of an EventBridge rule that does not exist", alarmT, alarm(props{"namespace": "AWS/Events", "metricName": "TriggeredRules", "dimensions": props{"RuleName": "none"}}), "the rule 'none' does not exist"},
		{"a query of an EventBridge rule that does not exist", alarmT, queries(with(query(true), props{"metric": props{"metricName": "TriggeredRules", "namespace": "AWS/Events", "stat": "Sum", "period": 60, "dimensions": props{"RuleName": "none"}}})), "the rule 'none' does not exist"},
		{"an alarm's name that is in use", alarmT, alarm(props{"name": stack.byName["busy"].id}), "already exists"},
	})
}

func TestAddonVersionsDependOnKubernetes(t *testing.T) {
	f := newFixture(t)
	s := f.s
	requests := s.startAPIServer()
	s.mustCreate(policyAttachmentT, "attach", props{"role": f.clusterRole.state["name"], "policyArn": clusterPolicyARN})
	for _, row := range []struct {
		kubernetes string
		addons     map[string]string
	}{
		{"1.33", map[string]string{
			"vpc-cni": "v1.20.4-eksbuild.1", "coredns": "v1.12.4-eksbuild.1", "kube-proxy": "v1.33.9-eksbuild.2", "aws-ebs-csi-driver": "v1.57.1-eksbuild.1",
			"metrics-server": "v0.8.1-eksbuild.6", "eks-pod-identity-agent": "v1.3.10-eksbuild.3", "aws-secrets-store-csi-driver-provider": "v2.2.2-eksbuild.1",
		}},
		{"1.34", map[string]string{"vpc-cni": "v1.21.1-eksbuild.5", "coredns": "v1.13.2-eksbuild.4", "kube-proxy": "v1.34.5-eksbuild.2"}},
		{"1.35", map[string]string{
			"vpc-cni": "v1.22.4-eksbuild.3", "coredns": "v1.14.3-eksbuild.2", "kube-proxy": "v1.35.3-eksbuild.5", "aws-secrets-store-csi-driver-provider": "v3.1.3-eksbuild.1",
		}},
		{"1.36", map[string]string{"coredns": "v1.14.3-eksbuild.23", "kube-proxy": "v1.36.0-eksbuild.25", "aws-ebs-csi-driver": "v1.66.0-eksbuild.1", "metrics-server": "v0.9.0-eksbuild.11"}},
	} {
		name := "c" + strings.ReplaceAll(row.kubernetes, ".", "-")
		s.mustCreate(clusterT, name, props{"name": name, "version": row.kubernetes, "roleArn": f.clusterRole.state["arn"], "vpcConfig": props{"subnetIds": []any{f.a.id, f.b.id}}})
		for addon, version := range row.addons {
			s.mustCreate(addonT, addon, props{"clusterName": name, "addonName": addon, "addonVersion": version})
		}
	}
	require.Equal(t, map[string]int{"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/secretproviderclasses.secrets-store.csi.x-k8s.io": 2}, requests,
		"only the Secrets Store add-on defines a kind, and two clusters have this add-on")
	for addon, version := range map[string]string{
		"metrics-server": "v0.10.0-eksbuild.1", "aws-secrets-store-csi-driver-provider": "v2.3.0-eksbuild.1", "kube-proxy": "v1.33.9-eksbuild.2", "coredns": "v2.12.0-eksbuild.1",
	} {
		_, err := s.create(addonT, "another", props{"clusterName": "c1-34", "addonName": addon, "addonVersion": version})
		require.Error(t, err, addon)
	}
}
