package cost_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/value"
)

// The test compares the estimate of a small stack with this calculation by hand:
//
//	2 NAT gateways     2 × 730 h × $0.045          $65.70
//	2 addresses        2 × 730 h × $0.005           $7.30
//	1 endpoint         3 zones × 730 h × $0.01     $21.90
//	1 cluster          730 h × $0.10               $73.00
//	1 load balancer    730 h × $0.0225             $16.425
//	                                              $184.325
//	group of 2, 3, 9   n × 730 h × $0.2016   294.336, 441.504, 1,324.512
//	volumes of 50 GiB  n × 50 × $0.08          8.00,  12.00,    36.00
//	7 metrics          n × 7 × $0.30           4.20,   6.30,    18.90
//
// sum: $490.861, $644.129, $1,563.737
func TestEstimateEqualsTheCalculationByHand(t *testing.T) {
	template := resource("aws:ec2/launchTemplate:LaunchTemplate", "template", map[string]any{
		"blockDeviceMappings": []any{map[string]any{"ebs": map[string]any{"volumeSize": 50.0, "volumeType": "gp3"}}},
		"monitoring":          map[string]any{"enabled": true},
	}, nil)
	unknown := value.Undetermined{}
	r := estimate(
		resource("aws:ec2/natGateway:NatGateway", "a", nil, nil), resource("aws:ec2/natGateway:NatGateway", "b", nil, nil),
		resource("aws:ec2/eip:Eip", "a", nil, nil), resource("aws:ec2/eip:Eip", "b", nil, nil),
		resource("aws:ec2/vpcEndpoint:VpcEndpoint", "sts", map[string]any{"vpcEndpointType": "Interface", "subnetIds": []any{unknown, unknown, unknown}}, nil),
		resource("aws:eks/cluster:Cluster", "c", map[string]any{"version": "1.36"}, nil),
		resource("aws:lb/loadBalancer:LoadBalancer", "lb", map[string]any{"internal": true}, nil),
		template,
		resource("aws:autoscaling/group:Group", "g", map[string]any{"minSize": 2.0, "desiredCapacity": 3.0, "maxSize": 9.0,
			"mixedInstancesPolicy": map[string]any{"launchTemplate": map[string]any{"overrides": []any{map[string]any{"instanceType": "m7i.xlarge"}, map[string]any{"instanceType": "m5.xlarge"}}}},
		}, map[string]*graph.Resource{"mixedInstancesPolicy": template}),
	)
	require.True(t, r.Complete(), "%v %v", r.Unpriced, r.Undecided)
	require.Equal(t, cost.Range{Min: 490_861_000, Expected: 644_129_000, Max: 1_563_737_000}, r.Total)
	require.Equal(t, "$644.13 ($490.86 to $1,563.74)", r.Total.String())
	require.Equal(t, []cost.Subtotal{{Component: "network", Monthly: r.Total, Lines: 10}}, r.Components)
}

// Prices depend on the region. For a stack without a region the report has no amount, instead of
// zero.
func TestReportHasNoFigureWithoutARegionWithPrices(t *testing.T) {
	nat := resource("aws:ec2/natGateway:NatGateway", "a", nil, nil)
	providerIn := func(region any) *graph.Resource {
		return resource("pulumi:providers:aws", "in", map[string]any{"region": region}, nil)
	}
	for _, tc := range []struct {
		reason    string
		resources []*graph.Resource
		config    string
		fallback  string
		want      string
	}{
		{"a region without rows", []*graph.Resource{nat, providerIn("eu-central-1")}, "", "", "no row for the region eu-central-1"},
		{"no region", []*graph.Resource{nat}, "", "", "the region is not known"},
		{"a region that is not known yet", []*graph.Resource{nat, providerIn(value.Undetermined{})}, "", "", "the region is not known"},
		{"two regions", []*graph.Resource{nat, providerIn("us-east-1"), providerIn("eu-west-1")}, "", "", "several regions: eu-west-1, us-east-1"},
		{"the region of the configuration", []*graph.Resource{nat}, "us-east-1", "", ""},
		{"the region of the caller", []*graph.Resource{nat}, "", "us-east-1", ""},
		{"the provider's region takes precedence", []*graph.Resource{nat, providerIn("us-east-1")}, "eu-central-1", "eu-central-1", ""},
	} {
		s := &source.Stack{Graph: graph.Build(tc.resources), Config: map[string]string{"aws:region": tc.config}}
		r := cost.Estimate(s, cost.Options{Region: tc.fallback})
		if tc.want == "" {
			require.Empty(t, r.NoFigure, tc.reason)
			require.Equal(t, "$32.85", r.Total.String(), tc.reason)
			continue
		}
		require.Contains(t, r.NoFigure, tc.want, tc.reason)
		require.False(t, r.Complete(), tc.reason)
		require.Empty(t, r.Lines, tc.reason)
	}
}

func TestUnknownTypesAreNotFree(t *testing.T) {
	r := estimate(resource("aws:ec2/instance:Instance", "i", map[string]any{"instanceType": "m7i.xlarge"}, nil))
	require.Len(t, r.Unpriced, 1)
	require.Contains(t, r.Unpriced[0].Reason, "aws:ec2/instance:Instance is not in the table of billed types")
	require.Equal(t, 1, r.Components[0].Gaps)
}

func TestUsageIsCountedOnlyWithAnEstimate(t *testing.T) {
	s := stackWith()
	withoutEstimate := cost.Estimate(s, cost.Options{Now: today})
	require.Contains(t, withoutEstimate.NotCounted, "data through NAT gateways (estimate: natGB)")
	require.Zero(t, withoutEstimate.Total)
	withEstimate := cost.Estimate(s, cost.Options{Now: today, Estimates: map[string]int64{"natGB": 1000}})
	require.Equal(t, "$45.00", withEstimate.Total.String(), "1000 GB × $0.045")
	require.Equal(t, cost.Usage, withEstimate.Lines[0].Kind)
	require.Len(t, withEstimate.NotCounted, len(withoutEstimate.NotCounted)-1)
	require.NotContains(t, withEstimate.NotCounted, "data through NAT gateways (estimate: natGB)")

	require.Empty(t, cost.EstimateProblems(map[string]int64{"natGB": 1}))
	require.Len(t, cost.EstimateProblems(map[string]int64{"natGb": 1, "logsGB": -1}), 2, "an unknown name and a negative number")
}

func TestEveryEstimateHasAPrice(t *testing.T) {
	estimates := map[string]int64{}
	for _, name := range cost.EstimateNames() {
		estimates[name] = 10
	}
	r := cost.Estimate(stackWith(), cost.Options{Estimates: estimates})
	require.Empty(t, r.Unpriced)
	require.Len(t, r.Lines, len(estimates))
}
