package aws

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// AWS's API models or documentation forbid the value in each row. The reason of a row
// begins with the source.
func TestValuesThatAWSForbidsAreRefused(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	stack := s.createComputeStack()
	bucket := s.mustCreate(bucketT, "lifecycle", props{"bucket": "lifecycle-of-rules"})
	zone := s.mustCreate(zoneT, "zone", props{"name": "example.org"})
	reader := s.mustCreate(roleT, "reader", props{"name": "reader", "assumeRolePolicy": monitoringTrust, "inlinePolicies": []any{props{"name": "p", "policy": identityPolicy("logs:PutLogEvents")}}})
	s.mustCreate(policyAttachmentT, "control", props{"role": "control-plane", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"})
	s.mustCreate(clusterT, "main", props{
		"name": "published", "roleArn": f.clusterRole.state["arn"], "version": "1.34", "vpcConfig": props{"subnetIds": []any{f.a.id, f.b.id}},
		"accessConfig": props{"authenticationMode": "API_AND_CONFIG_MAP"},
	})
	cluster := func(change props) props {
		return props{"name": "other", "roleArn": f.clusterRole.state["arn"], "version": "1.34", "vpcConfig": with(props{"subnetIds": []any{f.a.id, f.b.id}}, change)}
	}
	entry := func(change props) props {
		return with(props{"clusterName": "published", "principalArn": f.podRole.state["arn"]}, change)
	}
	acl := func(change props) props { return with(webACLInputs(), change) }
	targets := func(matcher string) props {
		return props{"vpcId": stack.byName["vpc"].id, "port": 80, "protocol": "HTTP", "healthCheck": props{"matcher": matcher}}
	}
	rule := func(action props, condition props) props {
		return props{"listenerArn": stack.byName["https"].id, "priority": 77, "actions": []any{action}, "conditions": []any{condition}}
	}
	forward := props{"type": "forward", "targetGroupArn": stack.byName["targets"].id}
	path := props{"pathPattern": props{"values": []any{"/x"}}}
	redirect := func(change props) props {
		return rule(props{"type": "redirect", "redirect": with(props{"statusCode": "HTTP_301"}, change)}, path)
	}
	lifecycle := func(change props) props {
		return props{"bucket": bucket.id, "rules": []any{with(props{"id": "all", "status": "Enabled", "filter": props{}, "expiration": props{"days": 90}}, change)}}
	}
	group := func(change props) props {
		return with(props{
			"minSize": 1, "maxSize": 2, "vpcZoneIdentifiers": []any{stack.byName["a"].id},
			"launchTemplate": props{"id": stack.byName["template"].id, "version": "$Latest"},
		}, change)
	}
	template := func(change props) props { return with(props{"imageId": "ami-0123456789abcdef0"}, change) }
	disk := func(ebs props) props {
		return template(props{"blockDeviceMappings": []any{props{"deviceName": "/dev/xvda", "ebs": with(props{"volumeType": "gp3"}, ebs)}}})
	}
	requirements := func(change props) props {
		return template(props{"instanceRequirements": with(props{"vcpuCount": props{"min": 2}, "memoryMib": props{"min": 1024}}, change)})
	}
	s.requireRefusals([]refusal{
		{"wafv2 CreateWebACL: the name of a rule", webACLT, acl(props{"rules": []any{with(managedRule("AWSManagedRulesCommonRuleSet", 0), props{"name": "a rule"})}}), `must match ^[\w\-]+$`},
		{"wafv2 CreateWebACL: the name of an override", webACLT, acl(props{"rules": []any{with(managedRule("AWSManagedRulesCommonRuleSet", 0), props{"statement": props{"managedRuleGroupStatement": props{
			"name": "AWSManagedRulesCommonRuleSet", "vendorName": "AWS", "ruleActionOverrides": []any{props{"name": "Size Restrictions", "actionToUse": props{"count": props{}}}},
		}}})}}), `must match ^[\w\-]+$`},
		{"wafv2 CreateWebACL: a description of two characters", webACLT, acl(props{"description": "ab"}), "must match"},
		{"wafv2 CreateWebACL: a description with a parenthesis", webACLT, acl(props{"description": "of web (prod)"}), "must match"},
		{"wafv2 CreateWebACL: a version of 65 characters", webACLT, acl(props{"rules": []any{with(managedRule("AWSManagedRulesCommonRuleSet", 0), props{"statement": props{"managedRuleGroupStatement": props{
			"name": "AWSManagedRulesCommonRuleSet", "vendorName": "AWS", "version": strings.Repeat("1", 65),
		}}})}}), "has 65 characters"},
		{"API_Matcher: a code of 500", targetGroupT, targets("200-500"), "codes from 200 to 499"},
		{"API_Matcher: a range that descends", targetGroupT, targets("299-200"), "ascending"},
		{"S3 lifecycle: expiration before the transition", bucketLifecycleT, lifecycle(props{"expiration": props{"days": 30}, "transitions": []any{props{"days": 60, "storageClass": "GLACIER"}}}), "must be above the days of the transition"},
		{"S3 lifecycle: an abort with a filter by size", bucketLifecycleT, lifecycle(props{"filter": props{"objectSizeGreaterThan": 10}, "abortIncompleteMultipartUpload": props{"daysAfterInitiation": 7}}), "filter.objectSizeGreaterThan"},
		{"S3 lifecycle: no rules", bucketLifecycleT, props{"bucket": bucket.id}, "rules"},
		{"S3 lifecycle: a date that is not midnight", bucketLifecycleT, lifecycle(props{"expiration": props{"date": "2027-01-01T10:00:00Z"}}), "must be midnight"},
		{"EKS cluster-endpoint: a private block as a public one", clusterT, cluster(props{"publicAccessCidrs": []any{"10.1.0.0/16"}}), "reserved"},
		{"EKS add-on: a key that the schema of the add-on lacks", addonT, props{"clusterName": "published", "addonName": "vpc-cni", "addonVersion": "v1.20.4-eksbuild.1", "configurationValues": `{"replicaCount":2}`}, "$.replicaCount"},
		{"EKS CreateAccessEntry: a reserved group", accessEntryT, entry(props{"kubernetesGroups": []any{"eks:admins"}}), "can't begin with eks:"},
		{"EKS CreateAccessEntry: a reserved user", accessEntryT, entry(props{"userName": "iam:me"}), "can't begin with iam:"},
		{"EKS CreateAccessEntry: a user of the system", accessEntryT, entry(props{"userName": "system:me"}), "can't begin with system:"},
		{"EKS CreateAccessEntry: a user of AWS", accessEntryT, entry(props{"userName": "aws:me"}), "can't begin with aws:"},
		{"EKS CreateAccessEntry: a user of Amazon", accessEntryT, entry(props{"userName": "amazon:me"}), "can't begin with amazon:"},
		{"EKS CreateAccessEntry: a group of the system", accessEntryT, entry(props{"kubernetesGroups": []any{"system:masters"}}), "can't begin with system:"},
		{"API_InstanceMaintenancePolicy: a difference of 101", scalingGroupT, group(props{"instanceMaintenancePolicy": props{"minHealthyPercentage": 50, "maxHealthyPercentage": 151}}), "at most 100 above"},
		{"RDS: a role for monitoring without an interval", dbT, with(f.db, props{"monitoringRoleArn": reader.state["arn"], "monitoringInterval": 0}), "MonitoringInterval of 0"},
		{"RDS CreateDBInstance: a database that begins with _", dbT, with(f.db, props{"dbName": "_app"}), "beginning with a letter"},
		{"CreateAutoScalingGroup: a name with a space", scalingGroupT, group(props{"name": "of web"}), "ASCII from 33 to 126"},
		{"CreateAutoScalingGroup: a name with a colon", scalingGroupT, group(props{"name": "of:web"}), "without a colon"},
		{"ELB rule-condition-types: a host without a dot", listenerRuleT, rule(forward, props{"hostHeader": props{"values": []any{"localhost"}}}), "hostHeader"},
		{"ELB rule-condition-types: digits after the last dot", listenerRuleT, rule(forward, props{"hostHeader": props{"values": []any{"example.c0m"}}}), "hostHeader"},
		{"EC2 InstanceType: a size that a family lacks", launchTemplateT, template(props{"instanceType": "m7g.3xlarge"}), "InstanceType"},
		{"RDS classes: a size that a family lacks", dbT, with(f.db, props{"instanceClass": "db.r7g.3xlarge"}), "in no list"},
		{"DocumentDB classes: a family that DocumentDB lacks", docClusterInstanceT, props{"clusterIdentifier": "none", "instanceClass": "db.r7g.large"}, "in no list"},
		{"ElastiCache nodes: a size that a family lacks", cacheT, with(f.cache, props{"nodeType": "cache.t4g.large"}), "in no list"},
		{"EBS gp3: throughput above a quarter of the IOPS", launchTemplateT, disk(props{"volumeSize": 100, "iops": 3000, "throughput": 800}), "0.25"},
		{"EBS gp3: 501 IOPS a GiB", launchTemplateT, disk(props{"volumeSize": 10, "iops": 5010}), "at most 500"},
		{"API_ResponseHeadersPolicyXSSProtection: modeBlock and reportUri", headersPolicyT, props{"name": "xss", "securityHeadersConfig": props{"xssProtection": props{"override": true, "protection": true, "modeBlock": true, "reportUri": "https://example.com"}}}, "modeBlock"},
		{"InstanceRequirements: an allowed type with a space", launchTemplateT, requirements(props{"allowedInstanceTypes": []any{"m7g *"}}), "allowedInstanceTypes"},
		{"InstanceRequirements: an excluded type with a slash", launchTemplateT, requirements(props{"excludedInstanceTypes": []any{"m7g/*"}}), "excludedInstanceTypes"},
		{"ELB redirect: HTTPS to HTTP", listenerRuleT, redirect(props{"protocol": "HTTP"}), "HTTPS can't be redirected to HTTP"},
		{"ELB redirect: port 65536", listenerRuleT, redirect(props{"port": "65536"}), "a port from 1 to 65535"},
		{"S3 bucketnamingrules: a prefix with a capital", bucketT, props{"bucketPrefix": "Logs-"}, "bucketPrefix"},
		{"S3 bucketnamingrules: a reserved prefix", bucketT, props{"bucketPrefix": "xn--logs"}, "xn--"},
		{"Route 53 TXT: a string of 256 characters", recordT, props{"zoneId": zone.id, "name": "t", "type": "TXT", "ttl": 60, "records": []any{strings.Repeat("a", 256)}}, "256 characters"},
		{"API_RefreshPreferences: percentages that descend", scalingGroupT, group(props{"instanceRefresh": props{"strategy": "Rolling", "preferences": props{"checkpointPercentages": []any{50, 10, 100}}}}), "ascend"},
		{"API_RefreshPreferences: a delay without percentages", scalingGroupT, group(props{"instanceRefresh": props{"strategy": "Rolling", "preferences": props{"checkpointDelay": "60"}}}), "checkpointPercentages"},
		{"EC2 CreditSpecificationRequest: without cpuCredits", launchTemplateT, template(props{"creditSpecification": props{}}), "creditSpecification.cpuCredits"},
		{"RDS: an empty subnet group", dbT, with(f.db, props{"dbSubnetGroupName": ""}), "is empty"},
		{"DocumentDB: an empty cluster", docClusterInstanceT, props{"clusterIdentifier": "", "instanceClass": "db.r6g.large"}, "is empty"},
	})
}

// The authentication mode of an EKS cluster can only change to the next mode: from
// CONFIG_MAP to API_AND_CONFIG_MAP, and from there to API.
func TestAuthenticationModeChangesOnlyToTheNextMode(t *testing.T) {
	f := newFixture(t)
	f.s.mustCreate(policyAttachmentT, "control", props{"role": "control-plane", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"})
	inputsWithMode := func(mode string) props {
		return props{
			"name": "modes", "roleArn": f.clusterRole.state["arn"], "version": "1.34", "vpcConfig": props{"subnetIds": []any{f.a.id, f.b.id}},
			"accessConfig": props{"authenticationMode": mode},
		}
	}
	cluster := f.s.mustCreate(clusterT, "modes", inputsWithMode("CONFIG_MAP"))
	require.ErrorContains(t, f.s.update(cluster, inputsWithMode("API")), "Unsupported authentication mode update from CONFIG_MAP to API")
	require.NoError(t, f.s.update(cluster, inputsWithMode("API_AND_CONFIG_MAP")))
	require.NoError(t, f.s.update(cluster, inputsWithMode("API")))
	require.ErrorContains(t, f.s.update(cluster, inputsWithMode("API_AND_CONFIG_MAP")), "Unsupported authentication mode update")
}

// AWS accepts these values, so the stand-in must accept them too.
func TestValuesThatAWSAcceptsAreAccepted(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	zone := s.mustCreate(zoneT, "zone", props{"name": "example.org"})
	record := func(kind, value string) props {
		return props{"zoneId": zone.id, "name": "www", "type": kind, "ttl": 60, "records": []any{value}}
	}
	rate := func(limit int) props {
		return props{
			"name": "rate", "priority": 1, "action": props{"block": props{}}, "statement": props{"rateBasedStatement": props{"limit": limit, "aggregateKeyType": "IP"}},
			"visibilityConfig": props{"cloudwatchMetricsEnabled": true, "metricName": "rate", "sampledRequestsEnabled": true},
		}
	}
	www := s.mustCreate(recordT, "www", record("A", "192.0.2.1"))
	require.Empty(t, s.diff(www, record("AAAA", "2001:db8::1")).GetReplaces(), "Route 53: a type changes in place")
	for name, row := range map[string]struct {
		token  string
		inputs props
	}{
		"TXT with two strings":            {recordT, with(record("TXT", strings.Repeat("a", 255)+`""`+strings.Repeat("b", 255)), props{"name": "txt"})},
		"gp3 of 80,000 IOPS":              {launchTemplateT, props{"blockDeviceMappings": []any{props{"deviceName": "/dev/xvda", "ebs": props{"volumeType": "gp3", "volumeSize": 65536, "iops": 80000, "throughput": 2000}}}}},
		"Valkey 9":                        {cacheT, with(f.cache, props{"engine": "valkey", "engineVersion": "9.0"})},
		"RDS: max_connections of 8388607": {dbParametersT, props{"family": "postgres17", "parameters": []any{props{"name": "max_connections", "value": "8388607", "applyMethod": "pending-reboot"}}}},
		"WAF: a rate limit of 10":         {webACLT, with(webACLInputs(), props{"rules": []any{rate(10)}})},
	} {
		_, err := s.create(row.token, "accepted", row.inputs)
		require.NoError(t, err, name)
	}
	for _, version := range []string{"TLSv1.2_2025", "TLSv1.3_2025"} {
		_, failures := s.check(distributionT, "d", nil, distributionInputs(props{"viewerCertificate": props{
			"acmCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1", "sslSupportMethod": "sni-only", "minimumProtocolVersion": version,
		}}))
		require.Empty(t, failures, version)
	}
}
