package cost

import (
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/value"
)

// natGateway adds the hours of a NAT gateway.
func natGateway(i item, _ awsview.Ec2NatGateway) { i.hourly("nat-gateway", 1) }

// vpcEndpoint adds the hours of an interface endpoint in each of its subnets. A gateway
// endpoint is free.
func vpcEndpoint(i item, v awsview.Ec2VpcEndpoint) {
	kind := textOr(v.VpcEndpointType(), "Gateway")
	switch {
	case !kind.ok():
		i.undecided("", "vpcEndpointType", kind.problem)
	case kind.value == "Gateway":
	case kind.value != "Interface":
		i.unpriced("vpc-endpoint:"+kind.value, noRow)
	default:
		if subnets := length(v.SubnetIds()); subnets.ok() {
			i.hourly("vpc-endpoint:interface", subnets.value)
		} else {
			i.undecided("vpc-endpoint:interface", "subnetIds", subnets.problem)
		}
	}
}

// loadBalancer adds the hours of a load balancer. One that faces the internet has a public
// address in each subnet. Its capacity units are usage.
func loadBalancer(i item, v awsview.LbLoadBalancer) {
	kind := textOr(v.LoadBalancerType(), "application")
	if !kind.ok() {
		i.undecided("", "loadBalancerType", kind.problem)
		return
	}
	i.hourly("load-balancer:"+kind.value, 1)
	internal := truth(v.Internal())
	if !internal.ok() {
		i.undecided("public-ipv4", "internal", internal.problem)
		return
	}
	if internal.value {
		return
	}
	if subnets := length(v.Subnets()); subnets.ok() {
		i.hourly("public-ipv4", subnets.value)
	} else {
		i.undecided("public-ipv4", "subnets", subnets.problem)
	}
}

// webACL adds the monthly charges of a web ACL and of each of its rules. A managed rule
// group counts as one rule. Requests are usage.
func webACL(i item, v awsview.Wafv2WebAcl) {
	i.fixed("wafv2:web-acl", 1)
	switch rules := length(v.Rules()); rules.problem {
	case "":
		i.fixed("wafv2:rule", rules.value)
	case notKnown:
		i.undecided("wafv2:rule", "rules", rules.problem)
	}
}

// metricAlarm adds the monthly charge of an alarm for each metric that it reads.
func metricAlarm(i item, v awsview.CloudwatchMetricAlarm) {
	const standard, high = "cloudwatch:alarm:standard", "cloudwatch:alarm:high-resolution"
	// A period below a minute makes an alarm one of high resolution.
	sku := func(period value.Number) reading[string] {
		switch r := wholeOr(period, 60); {
		case !r.ok():
			return reading[string]{problem: r.problem}
		case r.value < 60:
			return reading[string]{value: high}
		}
		return reading[string]{value: standard}
	}
	if possible(v.ThresholdMetricId().Set()) {
		i.unpriced("cloudwatch:alarm:anomaly-detection", noRow)
		return
	}
	queries, complete := v.MetricQueries().Items()
	if !complete {
		i.undecided(standard, "metricQueries", notKnown)
		return
	}
	if len(queries) == 0 {
		if s := sku(v.Period()); s.ok() {
			i.fixed(s.value, 1)
		} else {
			i.undecided(standard, "period", s.problem)
		}
		return
	}
	metrics, worst := int64(0), standard
	for _, q := range queries {
		if !possible(q.Metric().Set()) { // an expression over the others
			continue
		}
		metrics++
		s := sku(q.Metric().Period())
		if !s.ok() {
			i.undecided(standard, "metricQueries", s.problem)
			return
		}
		if s.value == high {
			worst = high
		}
	}
	i.fixed(worst, metrics)
}
