package cost_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/value"
)

// Resources that the resources of typeRows refer to.
var (
	gp3Template = resource("aws:ec2/launchTemplate:LaunchTemplate", "template", map[string]any{
		"instanceType":        "m6i.large",
		"blockDeviceMappings": []any{map[string]any{"ebs": map[string]any{"volumeSize": 50.0, "volumeType": "gp3"}}},
	}, nil)
	storageClass = resource("kubernetes:storage.k8s.io/v1:StorageClass", "class", map[string]any{
		"metadata": map[string]any{"name": "fast"}, "provisioner": "ebs.csi.aws.com", "parameters": map[string]any{"type": "gp3"},
	}, nil)
)

// claimSpec returns the spec of a PersistentVolumeClaim of 10 GiB.
func claimSpec() map[string]any {
	return map[string]any{"storageClassName": "fast", "resources": map[string]any{"requests": map[string]any{"storage": "10Gi"}}}
}

// typeRow is a resource of one type and its expected monthly cost. An expected text that begins
// with $ is an amount. Any other text is part of the reason of a gap.
type typeRow struct {
	typ    string
	inputs map[string]any
	refs   map[string]*graph.Resource
	// others are further resources of the stack.
	others []*graph.Resource
	// full is the expected amount or gap with all inputs.
	full string
	inputRows
}

// inputRows has two expected texts for each input: without the input, and while it is unknown.
type inputRows map[string]struct{ absent, unknown string }

var typeRows = []typeRow{
	{typ: "aws:ec2/eip:Eip", full: "$3.65"},
	{typ: "aws:ec2/natGateway:NatGateway", full: "$32.85"},
	{typ: "aws:kms/key:Key", full: "$1.00"},
	{
		typ: "aws:ec2/vpcEndpoint:VpcEndpoint", inputs: map[string]any{"vpcEndpointType": "Interface", "subnetIds": []any{"a", "b"}}, full: "$14.60", // 2 × 730 h × $0.01
		inputRows: inputRows{
			"vpcEndpointType": {"$0.00", "vpcEndpointType is not known yet"}, // a gateway endpoint is free
			"subnetIds":       {"subnetIds is not set", "subnetIds is not known yet"},
		},
	},
	{
		typ: "aws:lb/loadBalancer:LoadBalancer", inputs: map[string]any{"loadBalancerType": "network", "internal": false, "subnets": []any{"a", "b"}}, full: "$23.73", // 730 h × $0.0225 + 2 × 730 h × $0.005
		inputRows: inputRows{
			"loadBalancerType": {"$23.73", "loadBalancerType is not known yet"}, // an application load balancer costs the same
			"internal":         {"$23.73", "internal is not known yet"},         // false is the default
			"subnets":          {"subnets is not set", "subnets is not known yet"},
		},
	},
	{
		typ: "aws:wafv2/webAcl:WebAcl", inputs: map[string]any{"rules": []any{map[string]any{}, map[string]any{}}}, full: "$7.00", // $5.00 + 2 × $1.00
		inputRows: inputRows{"rules": {"$5.00", "rules is not known yet"}},
	},
	{
		typ: "aws:cloudwatch/metricAlarm:MetricAlarm", inputs: map[string]any{"period": 10.0}, full: "$0.30", // high resolution
		inputRows: inputRows{
			"period":            {"$0.10", "period is not known yet"}, // 60 s is the default
			"metricQueries":     {"$0.30", "metricQueries is not known yet"},
			"thresholdMetricId": {"$0.30", "no row"},
		},
	},
	{
		typ: "aws:cloudwatch/metricAlarm:MetricAlarm", inputs: map[string]any{"metricQueries": []any{
			map[string]any{"expression": "a + b"},
			map[string]any{"metric": map[string]any{"metricName": "a", "period": 60.0}}, map[string]any{"metric": map[string]any{"metricName": "b", "period": 10.0}},
		}}, full: "$0.60", // 2 metrics × $0.30: one metric has high resolution
		inputRows: inputRows{"metricQueries.2.metric.period": {"$0.20", "metricQueries is not known yet"}, "metricQueries.2.metric": {"$0.10", "metricQueries is not known yet"}},
	},
	{
		typ: "aws:eks/cluster:Cluster", inputs: map[string]any{"version": "1.33", "upgradePolicy": map[string]any{"supportType": "STANDARD"}}, full: "$73.00",
		inputRows: inputRows{
			"version":                   {"version is not set", "version is not known yet"},
			"upgradePolicy.supportType": {"$438.00", "upgradePolicy.supportType is not known yet"}, // EXTENDED is the default
			"computeConfig":             {"$73.00", "no row"},
		},
	},
	{
		typ: "aws:autoscaling/group:Group", inputs: map[string]any{"minSize": 1.0, "maxSize": 1.0, "desiredCapacity": 1.0, "mixedInstancesPolicy": map[string]any{
			"launchTemplate": map[string]any{"overrides": []any{map[string]any{"instanceType": "m7i.xlarge"}}},
		}},
		refs: map[string]*graph.Resource{"launchTemplate": gp3Template}, others: []*graph.Resource{gp3Template}, full: "$151.17", // 730 h × $0.2016 + 50 GB × $0.08
		inputRows: inputRows{
			"minSize":              {"minSize is not set", "minSize is not known yet"},
			"maxSize":              {"maxSize is not set", "maxSize is not known yet"},
			"desiredCapacity":      {"$151.17", "desiredCapacity is not known yet"},
			"mixedInstancesPolicy": {"$74.08", "the instance type is not known yet"}, // the template's m6i.large
			"mixedInstancesPolicy.launchTemplate.overrides.0.instanceType": {"$74.08", "the instance type is not known yet"},
		},
	},
	{
		typ: "aws:rds/instance:Instance", full: "$721.28", // 730 h × $0.956 + 100 GB × $0.23 + a secret, $0.40
		inputs: map[string]any{"engine": "postgres", "instanceClass": "db.r7g.xlarge", "multiAz": true, "storageType": "gp3", "allocatedStorage": 100.0,
			"manageMasterUserPassword": true, "performanceInsightsEnabled": true, "performanceInsightsRetentionPeriod": 7.0},
		inputRows: inputRows{
			"engine":                             {"engine is not set", "engine is not known yet"},
			"instanceClass":                      {"instanceClass is not set", "instanceClass is not known yet"},
			"multiAz":                            {"$360.84", "multiAz is not known yet"},     // instance and storage cost half
			"storageType":                        {"$721.28", "storageType is not known yet"}, // gp2 costs the same
			"allocatedStorage":                   {"allocatedStorage is not set", "allocatedStorage is not known yet"},
			"manageMasterUserPassword":           {"$720.88", "manageMasterUserPassword is not known yet"},
			"performanceInsightsEnabled":         {"$721.28", "$721.28"},
			"performanceInsightsRetentionPeriod": {"$721.28", "performanceInsightsRetentionPeriod is not known yet"},
			"iops":                               {"$721.28", "no row"},
			"storageThroughput":                  {"$721.28", "no row"},
		},
	},
	{
		typ: "aws:docdb/cluster:Cluster", inputs: map[string]any{"manageMasterUserPassword": true}, full: "$0.40",
		inputRows: inputRows{"manageMasterUserPassword": {"$0.00", "manageMasterUserPassword is not known yet"}},
	},
	{
		typ: "aws:docdb/clusterInstance:ClusterInstance", inputs: map[string]any{"instanceClass": "db.r6g.large"}, full: "no row",
		inputRows: inputRows{"instanceClass": {"instanceClass is not set", "instanceClass is not known yet"}},
	},
	{
		typ: "aws:elasticache/replicationGroup:ReplicationGroup", full: "$959.22", // 3 shards × 2 nodes × 730 h × $0.219
		inputs: map[string]any{"engine": "redis", "nodeType": "cache.r7g.large", "numNodeGroups": 3.0, "replicasPerNodeGroup": 1.0},
		inputRows: inputRows{
			"engine":               {"$959.22", "engine is not known yet"},
			"nodeType":             {"nodeType is not set", "nodeType is not known yet"},
			"numNodeGroups":        {"$319.74", "numNodeGroups is not known yet"},        // one shard, 2 nodes
			"replicasPerNodeGroup": {"$479.61", "replicasPerNodeGroup is not known yet"}, // no replicas, 3 nodes
			"numCacheClusters":     {"$959.22", "numCacheClusters is not known yet"},
		},
	},
	{
		typ: "aws:secretsmanager/secret:Secret", inputs: map[string]any{"replicas": []any{map[string]any{"region": "us-west-2"}}}, full: "$0.80",
		inputRows: inputRows{"replicas": {"$0.40", "replicas is not known yet"}},
	},
	{
		typ: "kubernetes:core/v1:PersistentVolumeClaim", inputs: map[string]any{"spec": claimSpec()}, others: []*graph.Resource{storageClass}, full: "$0.80",
		inputRows: inputRows{
			"spec.storageClassName":           {"storageClassName is not set", "storageClassName is not known yet"},
			"spec.resources.requests.storage": {"resources.requests.storage is not set", "resources.requests.storage is not known yet"},
		},
	},
	{
		typ: "kubernetes:apps/v1:StatefulSet", others: []*graph.Resource{storageClass}, full: "$2.40", // 3 pods × 10 GB × $0.08
		inputs: map[string]any{"metadata": map[string]any{"name": "set"}, "spec": map[string]any{"replicas": 3.0, "volumeClaimTemplates": []any{
			map[string]any{"metadata": map[string]any{"name": "data"}, "spec": claimSpec()},
		}}},
		inputRows: inputRows{
			"spec.replicas":             {"$0.80", "replicas is not known yet"},
			"spec.volumeClaimTemplates": {"$0.00", "volumeClaimTemplates is not known yet"},
			"spec.volumeClaimTemplates.0.spec.storageClassName": {"storageClassName is not set", "storageClassName is not known yet"},
		},
	},
	{
		typ: "kubernetes:core/v1:Service", inputs: map[string]any{"spec": map[string]any{"type": "LoadBalancer"}}, full: "creates a load balancer outside of the stack",
		inputRows: inputRows{"spec.type": {"$0.00", "spec.type is not known yet"}},
	},
}

// The test estimates each input of each billed type with a value, without a value, and with an
// unknown value. An unknown amount is a gap that the report names; it never counts as zero.
func TestUnknownInputsOfBilledTypesAreGaps(t *testing.T) {
	for _, row := range typeRows {
		r := resource(row.typ, "subject", row.inputs, row.refs)
		check := func(reason, want string, r *graph.Resource) {
			t.Helper()
			report := estimate(append([]*graph.Resource{r}, row.others...)...)
			gaps := fmt.Sprint(report.Unpriced, report.Undecided)
			if want[0] == '$' {
				require.Equal(t, want, report.Total.String(), "%s, %s", row.typ, reason)
				require.Empty(t, append(report.Unpriced, report.Undecided...), "%s, %s", row.typ, reason)
				return
			}
			require.Contains(t, gaps, want, "%s, %s: total %s", row.typ, reason, report.Total)
			require.False(t, report.Complete())
		}
		check("complete", row.full, r)
		for input, want := range row.inputRows {
			check("without "+input, want.absent, withInput(r, input, nil))
			check("while "+input+" is unknown", want.unknown, withInput(r, input, value.Undetermined{}))
		}
	}
}

func TestEveryBilledTypeHasATypeRow(t *testing.T) {
	hasRow := map[string]bool{}
	for _, row := range typeRows {
		hasRow[row.typ] = true
	}
	for _, typ := range cost.BilledTypes() {
		require.True(t, hasRow[typ], "%s has no row in typeRows", typ)
	}
}

// A claim may be a resource of the stack, and a template of a StatefulSet may create a claim with the
// same name.
func TestClaimsAreCountedOnce(t *testing.T) {
	statefulSet := resource("kubernetes:apps/v1:StatefulSet", "set", map[string]any{
		"metadata": map[string]any{"name": "set"},
		"spec":     map[string]any{"replicas": 3.0, "volumeClaimTemplates": []any{map[string]any{"metadata": map[string]any{"name": "data"}, "spec": claimSpec()}}},
	}, nil)
	claim := resource("kubernetes:core/v1:PersistentVolumeClaim", "c", map[string]any{"metadata": map[string]any{"name": "data-set-1"}, "spec": claimSpec()}, nil)
	require.Equal(t, "$2.40", estimate(storageClass, statefulSet).Total.String())
	require.Equal(t, "$2.40", estimate(storageClass, statefulSet, claim).Total.String(), "the claim of pod 1 is a resource of the stack")
	r := estimate(storageClass, statefulSet, withInput(claim, "metadata.name", value.Undetermined{}))
	require.Equal(t, "$0.80", r.Total.String(), "only the claim resource is counted")
	require.Contains(t, r.Undecided[0].Reason, "whether a claim of the stack is one of volumeClaimTemplates")
	localClass := withInput(storageClass, "provisioner", "rancher.io/local-path")
	require.Contains(t, estimate(localClass, claim).Undecided[0].Reason, "the storage class fast creates volumes by rancher.io/local-path")
	require.Contains(t, estimate(claim).Undecided[0].Reason, "is not part of the stack")
}

// An input outside of the valid range adds no amount. The report names it as undecided, so that the
// total is a lower bound.
func TestInvalidQuantitiesAreUndecided(t *testing.T) {
	for _, size := range []any{-1.0, 1e12, "many", "1e400"} {
		g := resource("aws:autoscaling/group:Group", "g", map[string]any{"minSize": size, "maxSize": 3.0, "mixedInstancesPolicy": map[string]any{
			"launchTemplate": map[string]any{"overrides": []any{map[string]any{"instanceType": "m7i.xlarge"}}},
		}}, nil)
		r := estimate(g)
		require.Zero(t, r.Total, size)
		require.Contains(t, r.Undecided[0].Reason, "minSize is", size)
	}
	c := resource("kubernetes:core/v1:PersistentVolumeClaim", "c", map[string]any{"spec": map[string]any{
		"storageClassName": "fast", "resources": map[string]any{"requests": map[string]any{"storage": "9Ei"}}}}, nil)
	require.Contains(t, estimate(storageClass, c).Undecided[0].Reason, `"9Ei", which is no valid size`)
}
