package aws

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	launchTemplateT = "aws:ec2/launchTemplate:LaunchTemplate"
	egressOnlyT     = "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway"
	aclT            = "aws:ec2/networkAcl:NetworkAcl"
	aclRuleT        = "aws:ec2/networkAclRule:NetworkAclRule"
	aclAssocT       = "aws:ec2/networkAclAssociation:NetworkAclAssociation"
	egressRuleT     = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	scalingGroupT   = "aws:autoscaling/group:Group"
	scalingPolicyT  = "aws:autoscaling/policy:Policy"
	lifecycleHookT  = "aws:autoscaling/lifecycleHook:LifecycleHook"
	scalingAttachT  = "aws:autoscaling/attachment:Attachment"
	alarmT          = "aws:cloudwatch/metricAlarm:MetricAlarm"
	queueT          = "aws:sqs/queue:Queue"
	queuePolicyT    = "aws:sqs/queuePolicy:QueuePolicy"
	eventRuleT      = "aws:cloudwatch/eventRule:EventRule"
	eventTargetT    = "aws:cloudwatch/eventTarget:EventTarget"
	balancerT       = "aws:lb/loadBalancer:LoadBalancer"
	targetGroupT    = "aws:lb/targetGroup:TargetGroup"
	listenerT       = "aws:lb/listener:Listener"
	listenerRuleT   = "aws:lb/listenerRule:ListenerRule"
	tlsPolicy       = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
)

// createComputeStack creates a dual-stack VPC with a load balancer, Auto Scaling groups
// behind it, and the alarms and events of these groups.
func (s *sandbox) createComputeStack() *testStack {
	s.t.Helper()
	stack := s.newStack()
	add := stack.add
	vpc := add(vpcT, "vpc", props{"cidrBlock": "10.40.0.0/16", "assignGeneratedIpv6CidrBlock": true})
	gateway := add(internetGatewayT, "gateway", props{"vpcId": vpc.id})
	egressGateway := add(egressOnlyT, "out", props{"vpcId": vpc.id})
	ipv6Block, _ := vpc.state["ipv6CidrBlock"].(string)
	addSubnet := func(name, zone, block, ipv6Net string) *resource {
		return add(subnetT, name, props{
			"vpcId": vpc.id, "cidrBlock": block, "availabilityZone": zone, "assignIpv6AddressOnCreation": true, "ipv6CidrBlock": strings.Replace(ipv6Block, "::/56", ":"+ipv6Net+"::/64", 1),
		})
	}
	a, b := addSubnet("a", "us-east-1a", "10.40.0.0/24", "1"), addSubnet("b", "us-east-1b", "10.40.1.0/24", "2")
	table := add(routeTableT, "table", props{"vpcId": vpc.id})
	add(routeT, "ipv4-route", props{"routeTableId": table.id, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway.id})
	add(routeT, "ipv6-route", props{"routeTableId": table.id, "destinationIpv6CidrBlock": "::/0", "egressOnlyGatewayId": egressGateway.id})
	acl := add(aclT, "list", props{"vpcId": vpc.id})
	add(aclRuleT, "in", props{"networkAclId": acl.id, "ruleNumber": 100, "ruleAction": "allow", "protocol": "tcp", "cidrBlock": "0.0.0.0/0", "fromPort": 443, "toPort": 443})
	add(aclRuleT, "out-ipv6", props{"networkAclId": acl.id, "ruleNumber": 100, "egress": true, "ruleAction": "allow", "protocol": "-1", "ipv6CidrBlock": "::/0"})
	add(aclAssocT, "list-a", props{"networkAclId": acl.id, "subnetId": a.id})
	add(aclT, "inline", props{"vpcId": vpc.id, "subnetIds": []any{b.id}, "ingress": []any{
		props{"ruleNo": 1, "action": "deny", "protocol": "icmp", "icmpType": -1, "icmpCode": -1, "fromPort": 0, "toPort": 0, "cidrBlock": "0.0.0.0/0"},
	}})
	front, tier := add(securityGroupT, "front", props{"vpcId": vpc.id}), add(securityGroupT, "tier", props{"vpcId": vpc.id})
	cloudFront, err := s.invoke("aws:ec2/getManagedPrefixList:getManagedPrefixList", props{"name": "com.amazonaws.global.cloudfront.origin-facing"})
	require.NoError(s.t, err)
	add(ingressT, "from-cloudfront", props{"securityGroupId": front.id, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "prefixListId": cloudFront["id"]})
	add(egressRuleT, "to-tier", props{"securityGroupId": front.id, "ipProtocol": "tcp", "fromPort": 8080, "toPort": 8080, "referencedSecurityGroupId": tier.id})
	add(bucketT, "logs", props{"bucket": "platform-logs"})
	zone := add(zoneT, "zone", props{"name": "example.com"})
	certificate := add(certificateT, "certificate", props{"domainName": "origin.example.com", "validationMethod": "DNS"})
	record := certificate.state["domainValidationOptions"].([]any)[0].(props)
	validationRecord := add(recordT, "proof", props{
		"zoneId": zone.id, "name": record["resourceRecordName"], "type": record["resourceRecordType"], "ttl": 300, "records": []any{record["resourceRecordValue"]},
	})
	add(validationT, "validation", props{"certificateArn": certificate.id, "validationRecordFqdns": []any{validationRecord.state["fqdn"]}})
	balancer := add(balancerT, "balancer", props{
		"subnets": []any{b.id, a.id}, "securityGroups": []any{front.id}, "ipAddressType": "dualstack", "dropInvalidHeaderFields": true,
		"accessLogs": props{"bucket": "platform-logs", "enabled": true, "prefix": "front"},
	})
	targets := add(targetGroupT, "targets", props{
		"vpcId": vpc.id, "port": 8080, "protocol": "HTTP", "deregistrationDelay": 30, "loadBalancingAlgorithmType": "least_outstanding_requests",
		"healthCheck": props{"path": "/healthz", "interval": 10, "timeout": 5, "matcher": "200-299"}, "stickiness": props{"type": "lb_cookie", "cookieDuration": 60},
	})
	canary := add(targetGroupT, "canary", props{"vpcId": vpc.id, "port": 8080, "protocol": "HTTP"})
	add(listenerT, "http", props{"loadBalancerArn": balancer.id, "port": 80, "defaultActions": []any{
		props{"type": "redirect", "redirect": props{"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}},
	}})
	https := add(listenerT, "https", props{
		"loadBalancerArn": balancer.id, "port": 443, "protocol": "HTTPS", "certificateArn": certificate.id, "sslPolicy": tlsPolicy,
		"defaultActions": []any{props{"type": "forward", "targetGroupArn": targets.id}},
	})
	add(listenerRuleT, "canaries", props{
		"listenerArn": https.id, "priority": 10,
		"conditions": []any{
			props{"pathPattern": props{"values": []any{"/api/*"}}}, props{"httpHeader": props{"httpHeaderName": "X-Canary", "values": []any{"yes", "true"}}},
		},
		"actions": []any{props{"type": "forward", "forward": props{
			"targetGroups": []any{props{"arn": targets.id, "weight": 90}, props{"arn": canary.id, "weight": 10}}, "stickiness": props{"duration": 60, "enabled": true},
		}}},
	})
	add(listenerRuleT, "closed", props{
		"listenerArn": https.id, "conditions": []any{props{"hostHeader": props{"values": []any{"old.example.com"}}}},
		"actions": []any{props{"type": "fixed-response", "fixedResponse": props{"contentType": "text/plain", "messageBody": "gone", "statusCode": "410"}}},
	})
	role := add(roleT, "node", props{"assumeRolePolicy": eksTrust})
	profile := add(profileT, "profile", props{"role": role.state["name"]})
	key := add(keyT, "key", props{})
	image, err := s.invoke("aws:ssm/getParameter:getParameter", props{"name": "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/arm64/standard/recommended/image_id"})
	require.NoError(s.t, err)
	template := add(launchTemplateT, "template", props{
		"imageId": image["value"], "instanceType": "m7g.large", "ebsOptimized": "true", "updateDefaultVersion": true,
		"vpcSecurityGroupIds": []any{tier.id}, "iamInstanceProfile": props{"arn": profile.state["arn"]},
		"metadataOptions": props{"httpTokens": "required", "httpPutResponseHopLimit": 1}, "monitoring": props{"enabled": true},
		"blockDeviceMappings": []any{props{"deviceName": "/dev/xvda", "ebs": props{
			"volumeType": "gp3", "volumeSize": 20, "encrypted": "true", "kmsKeyId": key.state["arn"], "deleteOnTermination": "true",
		}}},
		"tagSpecifications": []any{props{"resourceType": "instance", "tags": props{"Name": "tier"}}},
		"userData":          base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\n")),
	})
	group := add(scalingGroupT, "group", props{
		"minSize": 2, "maxSize": 6, "vpcZoneIdentifiers": []any{a.id, b.id}, "healthCheckType": "ELB", "healthCheckGracePeriod": 60,
		"launchTemplate": props{"id": template.id, "version": "1"}, "targetGroupArns": []any{targets.id},
		"instanceRefresh":     props{"strategy": "Rolling", "preferences": props{"minHealthyPercentage": 100, "maxHealthyPercentage": 110, "skipMatching": true}},
		"enabledMetrics":      []any{"GroupDesiredCapacity", "GroupInServiceInstances"},
		"terminationPolicies": []any{"OldestLaunchTemplate"}, "defaultInstanceWarmup": 60,
		"tags": []any{props{"key": "Name", "value": "tier", "propagateAtLaunch": true}},
	})
	add(scalingGroupT, "mixed", props{
		"minSize": 0, "maxSize": 4, "vpcZoneIdentifiers": []any{a.id}, "capacityRebalance": true,
		"mixedInstancesPolicy": props{
			"instancesDistribution": props{"onDemandBaseCapacity": 1, "onDemandPercentageAboveBaseCapacity": 50, "spotAllocationStrategy": "price-capacity-optimized"},
			"launchTemplate": props{
				"launchTemplateSpecification": props{"launchTemplateId": template.id, "version": "$Latest"},
				"overrides":                   []any{props{"instanceType": "m7g.large"}, props{"instanceType": "m6g.large"}},
			},
		},
	})
	add(scalingGroupT, "attributes", props{
		"minSize": 0, "maxSize": 1, "vpcZoneIdentifiers": []any{a.id},
		"mixedInstancesPolicy": props{"launchTemplate": props{
			"launchTemplateSpecification": props{"launchTemplateName": template.state["name"]},
			"overrides": []any{props{"instanceRequirements": props{
				"vcpuCount": props{"min": 2, "max": 4}, "memoryMib": props{"min": 4096}, "cpuManufacturers": []any{"amazon-web-services"},
			}}},
		}},
	})
	add(scalingAttachT, "attachment", props{"autoscalingGroupName": stack.byName["mixed"].id, "lbTargetGroupArn": canary.id})
	add(lifecycleHookT, "hook", props{"autoscalingGroupName": group.id, "lifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING", "heartbeatTimeout": 300, "defaultResult": "CONTINUE"})
	balancerSuffix, _ := balancer.state["arnSuffix"].(string)
	targetSuffix, _ := targets.state["arnSuffix"].(string)
	add(scalingPolicyT, "requests", props{"autoscalingGroupName": group.id, "policyType": "TargetTrackingScaling", "targetTrackingConfiguration": props{
		"targetValue": 1000.0, "predefinedMetricSpecification": props{"predefinedMetricType": "ALBRequestCountPerTarget", "resourceLabel": balancerSuffix + "/" + targetSuffix},
	}})
	step := add(scalingPolicyT, "step", props{
		"autoscalingGroupName": group.id, "policyType": "StepScaling", "adjustmentType": "PercentChangeInCapacity", "minAdjustmentMagnitude": 1,
		"stepAdjustments": []any{
			props{"metricIntervalLowerBound": "20", "scalingAdjustment": 50}, props{"metricIntervalLowerBound": "0", "metricIntervalUpperBound": "20", "scalingAdjustment": 20},
		},
	})
	add(scalingPolicyT, "simple", props{"autoscalingGroupName": group.id, "adjustmentType": "ChangeInCapacity", "scalingAdjustment": -1, "cooldown": 300})
	add(alarmT, "busy", props{
		"metricName": "CPUUtilization", "namespace": "AWS/EC2", "statistic": "Average", "period": 60, "evaluationPeriods": 3, "datapointsToAlarm": 2,
		"comparisonOperator": "GreaterThanThreshold", "threshold": 80, "alarmActions": []any{step.state["arn"]}, "dimensions": props{"AutoScalingGroupName": group.id},
		"okActions": []any{"arn:aws:sns:us-east-1:123456789012:alarms"}, "treatMissingData": "notBreaching",
	})
	queue := add(queueT, "events", props{"messageRetentionSeconds": 300, "sqsManagedSseEnabled": true})
	scalingEvents := add(eventRuleT, "ends", props{"eventPattern": `{"source":["aws.autoscaling"],"detail":{"AutoScalingGroupName":["` + group.id + `"]}}`})
	add(queuePolicyT, "senders", props{"queueUrl": queue.id, "policy": queuePolicy(queue, "events.amazonaws.com", scalingEvents)})
	add(eventTargetT, "to-queue", props{"rule": scalingEvents.id, "targetId": "queue", "arn": queue.state["arn"]})
	add(alarmT, "no-events", props{
		"metricName": "TriggeredRules", "namespace": "AWS/Events", "statistic": "Sum", "period": 3600, "evaluationPeriods": 36, "comparisonOperator": "LessThanThreshold",
		"threshold": 1, "dimensions": props{"RuleName": scalingEvents.state["name"]}, "treatMissingData": "breaching",
	})
	add(alarmT, "errors", props{
		"evaluationPeriods": 5, "comparisonOperator": "GreaterThanThreshold", "threshold": 0.01,
		"metricQueries": []any{
			props{"id": "rate", "expression": "errors / requests", "label": "errors", "returnData": true},
			props{"id": "errors", "metric": props{"metricName": "HTTPCode_Target_5XX_Count", "namespace": "AWS/ApplicationELB", "stat": "Sum", "period": 60, "dimensions": props{"LoadBalancer": balancerSuffix}}},
			props{"id": "requests", "metric": props{"metricName": "RequestCount", "namespace": "AWS/ApplicationELB", "stat": "Sum", "period": 60, "dimensions": props{"LoadBalancer": balancerSuffix}}},
		},
	})
	return stack
}

// queuePolicy returns a policy that allows a service to send messages to a queue for one
// EventBridge rule.
func queuePolicy(queue *resource, service string, rule *resource) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"Events","Effect":"Allow","Principal":{"Service":[%q]},"Action":["sqs:SendMessage"],`+
		`"Resource":[%q],"Condition":{"ArnEquals":{"aws:SourceArn":[%q]}}}]}`, service, queue.state["arn"], rule.state["arn"])
}

func TestUnchangedComputeStackHasNoDiff(t *testing.T) {
	newSandbox(t, nil).createComputeStack().requireNoDiff()
}

func TestComputeStackIsDeletedInReverseOrder(t *testing.T) {
	newSandbox(t, nil).createComputeStack().requireDeletion()
}

func TestComputeResourceInUseIsNotDeleted(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	for name, code := range map[string]string{
		"a":        "DependencyViolation", // a group and a load balancer use it
		"front":    "DependencyViolation",
		"gateway":  "DependencyViolation", // the load balancer has public addresses
		"vpc":      "DependencyViolation",
		"targets":  "ResourceInUse",
		"canary":   "ResourceInUse", // a rule forwards to it
		"template": "ResourceInUse",
		"ends":     "ValidationException", // it has a target
	} {
		require.ErrorContains(t, s.delete(stack.byName[name]), code, name)
	}
	balancer := stack.byName["balancer"]
	in := with(stack.news["balancer"], props{"enableDeletionProtection": true})
	require.NoError(t, s.update(balancer, in))
	require.ErrorContains(t, s.delete(balancer), "deletion protection is enabled")
	in["enableDeletionProtection"] = false
	require.NoError(t, s.update(balancer, in))
	require.NoError(t, s.delete(balancer))
	for _, name := range []string{"http", "https", "canaries"} {
		require.False(t, s.refresh(stack.byName[name]), "%s is deleted with its load balancer", name)
	}
	require.NoError(t, s.delete(stack.byName["canary"]), "no rule forwards to the target group any more")
	require.NoError(t, s.delete(stack.byName["group"]))
	for _, name := range []string{"requests", "hook"} {
		require.False(t, s.refresh(stack.byName[name]), "%s is deleted with its group", name)
	}
}

func TestComputeStackOutputsHaveFormatOfAWS(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	for _, name := range []string{"targets", "mixed", "list"} {
		require.True(t, s.refresh(stack.byName[name])) // a read adds the associated resources
	}
	for _, want := range []struct{ name, property, pattern string }{
		{"vpc", "ipv6CidrBlock", `^2600:1f18:[0-9a-f]+::/56$`},
		{"out", "id", `^eigw-[0-9a-f]{17}$`},
		{"balancer", "arn", `^arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/balancer-[0-9a-f]{7}/[0-9a-f]{16}$`},
		{"balancer", "arnSuffix", `^app/balancer-[0-9a-f]{7}/[0-9a-f]{16}$`},
		{"balancer", "dnsName", `^balancer-[0-9a-f]{7}-\d{10}\.us-east-1\.elb\.amazonaws\.com$`},
		{"balancer", "zoneId", `^Z35SXDOTRQ7X7K$`},
		{"targets", "arnSuffix", `^targetgroup/targets-[0-9a-f]{7}/[0-9a-f]{16}$`},
		{"https", "arn", `:listener/app/balancer-[0-9a-f]{7}/[0-9a-f]{16}/[0-9a-f]{16}$`},
		{"canaries", "arn", `:listener-rule/app/balancer-[0-9a-f]{7}/[0-9a-f]{16}/[0-9a-f]{16}/[0-9a-f]{16}$`},
		{"template", "arn", `^arn:aws:ec2:us-east-1:123456789012:launch-template/lt-[0-9a-f]{17}$`},
		{"group", "arn", `^arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:[0-9a-f-]{36}:autoScalingGroupName/group-[0-9a-f]{7}$`},
		{"group", "serviceLinkedRoleArn", `/AWSServiceRoleForAutoScaling$`},
		{"step", "arn", `:scalingPolicy:[0-9a-f-]{36}:autoScalingGroupName/group-[0-9a-f]{7}:policyName/step-[0-9a-f]{7}$`},
		{"events", "url", `^https://sqs\.us-east-1\.amazonaws\.com/123456789012/events-[0-9a-f]{7}$`},
		{"events", "arn", `^arn:aws:sqs:us-east-1:123456789012:events-[0-9a-f]{7}$`},
		{"ends", "arn", `^arn:aws:events:us-east-1:123456789012:rule/ends-[0-9a-f]{7}$`},
		{"busy", "arn", `^arn:aws:cloudwatch:us-east-1:123456789012:alarm:busy-[0-9a-f]{7}$`},
	} {
		value, _ := stack.byName[want.name].state[want.property].(string)
		if want.property == "id" {
			value = stack.byName[want.name].id
		}
		require.Regexp(t, want.pattern, value, "%s.%s", want.name, want.property)
	}
	require.Equal(t, 11.0, stack.byName["closed"].state["priority"], "one above the highest priority")
	require.Equal(t, []any{stack.byName["balancer"].id}, stack.byName["targets"].state["loadBalancerArns"])
	require.Equal(t, []any{stack.byName["canary"].id}, stack.byName["mixed"].state["targetGroupArns"], "the attachment is a separate resource")
	require.Equal(t, []any{stack.byName["a"].id}, stack.byName["list"].state["subnetIds"])
	require.Len(t, stack.byName["list"].state["egress"], 1)
	require.ElementsMatch(t, []any{"us-east-1a", "us-east-1b"}, stack.byName["group"].state["availabilityZones"])
	distribution := stack.byName["attributes"].state["mixedInstancesPolicy"].(props)["instancesDistribution"].(props)
	require.Equal(t, "lowest-price", distribution["onDemandAllocationStrategy"], "the default for attributes differs from the default for types")
	specification := stack.byName["attributes"].state["mixedInstancesPolicy"].(props)["launchTemplate"].(props)["launchTemplateSpecification"].(props)
	require.Equal(t, stack.byName["template"].id, specification["launchTemplateId"], "the template is found by its name")
	require.Equal(t, "$Default", specification["version"])
}

// instanceRefreshes returns the records of the instance refreshes of an Auto Scaling group.
func (s *sandbox) instanceRefreshes(groupID string) []store.Object {
	s.t.Helper()
	var out []store.Object
	require.NoError(s.t, s.p.store.View(s.t.Context(), func(tx *store.Tx) error {
		for _, o := range tx.All() {
			if o.Type == "Auto Scaling instance refresh" && o.Owner == groupID {
				out = append(out, o)
			}
		}
		return nil
	}))
	return out
}
