package cost

import (
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/value"
)

// addNATGateway adds the hours of a NAT gateway.
func addNATGateway(b billing, _ awsview.Ec2NatGateway) { b.addHourly("nat-gateway", 1) }

// addVPCEndpoint adds the hours of an interface endpoint in each of its subnets. A gateway
// endpoint is free.
func addVPCEndpoint(b billing, v awsview.Ec2VpcEndpoint) {
	kind := readStringOr(v.VpcEndpointType(), "Gateway")
	switch {
	case !kind.ok():
		b.addUndecided("", "vpcEndpointType", kind.problem)
	case kind.value == "Gateway": // free
	case kind.value != "Interface":
		b.addUnpriced("vpc-endpoint:"+kind.value, noRow)
	default:
		if subnets := readLength(v.SubnetIds()); subnets.ok() {
			b.addHourly("vpc-endpoint:interface", subnets.value)
		} else {
			b.addUndecided("vpc-endpoint:interface", "subnetIds", subnets.problem)
		}
	}
}

// addLoadBalancer adds the hours of a load balancer. An internet-facing load balancer also has a
// billed public address in each subnet. Its capacity units are usage, so they are not added here.
func addLoadBalancer(b billing, v awsview.LbLoadBalancer) {
	kind := readStringOr(v.LoadBalancerType(), "application")
	if !kind.ok() {
		b.addUndecided("", "loadBalancerType", kind.problem)
		return
	}
	b.addHourly("load-balancer:"+kind.value, 1)
	internal := readBool(v.Internal())
	if !internal.ok() {
		b.addUndecided("public-ipv4", "internal", internal.problem)
		return
	}
	if internal.value {
		return
	}
	if subnets := readLength(v.Subnets()); subnets.ok() {
		b.addHourly("public-ipv4", subnets.value)
	} else {
		b.addUndecided("public-ipv4", "subnets", subnets.problem)
	}
}

// addWebACL adds the monthly charges of a web ACL and of each of its rules. A managed rule
// group counts as one rule. A web ACL without rules has no charge for rules. Requests are usage, so
// they are not added here.
func addWebACL(b billing, v awsview.Wafv2WebAcl) {
	b.addFixed("wafv2:web-acl", 1)
	switch rules := readLength(v.Rules()); rules.problem {
	case "":
		b.addFixed("wafv2:rule", rules.value)
	case notKnown:
		b.addUndecided("wafv2:rule", "rules", rules.problem)
	}
}

// addMetricAlarm adds the monthly charge of an alarm, once for each metric that the alarm reads.
func addMetricAlarm(b billing, v awsview.CloudwatchMetricAlarm) {
	const standard, highResolution = "cloudwatch:alarm:standard", "cloudwatch:alarm:high-resolution"
	// alarmSKU returns the SKU of an alarm with this period. An alarm with a period below a minute
	// costs the high-resolution price.
	alarmSKU := func(period value.Number) reading[string] {
		switch r := readIntegerOr(period, 60); {
		case !r.ok():
			return reading[string]{problem: r.problem}
		case r.value < 60:
			return reading[string]{value: highResolution}
		}
		return reading[string]{value: standard}
	}
	if mayBeTrue(v.ThresholdMetricId().IsSet()) {
		b.addUnpriced("cloudwatch:alarm:anomaly-detection", noRow)
		return
	}
	queries, complete := v.MetricQueries().Items()
	if !complete {
		b.addUndecided(standard, "metricQueries", notKnown)
		return
	}
	if len(queries) == 0 {
		if sku := alarmSKU(v.Period()); sku.ok() {
			b.addFixed(sku.value, 1)
		} else {
			b.addUndecided(standard, "period", sku.problem)
		}
		return
	}
	metrics, highest := int64(0), standard
	for _, q := range queries {
		if !mayBeTrue(q.Metric().IsSet()) { // an expression over the other queries is not billed
			continue
		}
		metrics++
		sku := alarmSKU(q.Metric().Period())
		if !sku.ok() {
			b.addUndecided(standard, "metricQueries", sku.problem)
			return
		}
		if sku.value == highResolution {
			highest = highResolution
		}
	}
	b.addFixed(highest, metrics)
}
