package awsoffer

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/cost"
)

// readTestFile reads testdata/ec2.json, which was written by hand in the format of AWS's files.
func readTestFile(t *testing.T) Offer {
	t.Helper()
	f, err := os.Open("testdata/ec2.json")
	require.NoError(t, err)
	defer f.Close()
	o, err := Read(f)
	require.NoError(t, err)
	return o
}

func TestReadKeepsOnDemandPricesOnly(t *testing.T) {
	o := readTestFile(t)
	require.Equal(t, "AmazonEC2", o.Code)
	prices := map[string]string{}
	for _, p := range o.Prices {
		prices[p.Region+" "+p.SKU] = p.Amount.Exact() + " " + p.Unit
		require.Equal(t, "2026-10-01", p.AsOf.Format("2006-01-02"))
		require.Equal(t, []string{"AWS price list AmazonEC2 20261001000000"}, p.Sources)
	}
	require.Equal(t, map[string]string{
		"us-east-1 ec2:m7i.xlarge": "$0.2016 hour", // not dedicated, not Windows, not reserved
		"us-east-1 ec2:m6i.xlarge": "$0.185 hour",
		"us-east-1 ec2:m99.xlarge": "$0.90 hour",
		"us-east-1 nat-gateway":    "$0.045 hour",    // not the free tier
		"us-east-1 ebs:gp3":        "$0.08 GB-month", // not the discounted price of larger volumes
		"eu-central-1 nat-gateway": "$0.052 hour",
	}, prices)
	require.Equal(t, []string{"ec2:c7g.large in us-east-1: $0.0725 and $0.08, so it gets no row"}, o.Problems)
}

func TestCompareSeparatesChangedAndEqualPrices(t *testing.T) {
	o := readTestFile(t)
	changed, same := Compare(cost.Prices(), o, nil)
	require.Len(t, changed, 1)
	require.Equal(t, "ec2:m6i.xlarge in us-east-1: $0.192 to $0.185 (hour)", changed[0].String())
	require.Len(t, same, 3)
	withNew, _ := Compare(cost.Prices(), o, []string{"ec2:m99", "docdb:"})
	require.Len(t, withNew, 2)
	require.Equal(t, "ec2:m99.xlarge in us-east-1: new, $0.90 (hour)", withNew[1].String())

	// The parser of the price table reads the written rows.
	var rows strings.Builder
	require.NoError(t, WriteRows(&rows, withNew))
	parsed, err := cost.ParsePrices("sku,micro_usd,unit,region,as_of,sources\n" + rows.String())
	require.NoError(t, err)
	require.Equal(t, withNew[0].After, parsed[0])
	require.Equal(t, withNew[1].After, parsed[1])
}

// A product that the price table does not have gets a row with an empty SKU. The attributes are those
// in AWS's files.
func TestNewPriceRowMapsProductsToSKUs(t *testing.T) {
	for _, tc := range []struct {
		code, family string
		attributes   map[string]string
		want         string
	}{
		{"AmazonRDS", "Database Instance", map[string]string{"instanceType": "db.r7g.xlarge", "databaseEngine": "PostgreSQL", "deploymentOption": "Multi-AZ"}, "rds:postgres:multi-az:db.r7g.xlarge"},
		{"AmazonRDS", "Database Instance", map[string]string{"instanceType": "db.r7g.xlarge", "databaseEngine": "MySQL", "deploymentOption": "Single-AZ"}, ""},
		{"AmazonRDS", "Database Instance", map[string]string{"instanceType": "db.m6gd.large", "databaseEngine": "PostgreSQL", "deploymentOption": "Multi-AZ (readable standbys)"}, ""},
		{"AmazonRDS", "Database Storage", map[string]string{"volumeType": "General Purpose-GP3", "databaseEngine": "PostgreSQL", "deploymentOption": "Single-AZ"}, "rds:storage:single-az:gp3"},
		{"AmazonElastiCache", "Cache Instance", map[string]string{"instanceType": "cache.r7g.large", "cacheEngine": "Redis", "usagetype": "USE2-NodeUsage:cache.r7g.large"}, "elasticache:redis:cache.r7g.large"},
		{"AmazonElastiCache", "Cache Instance", map[string]string{"instanceType": "cache.r7g.large", "cacheEngine": "Redis", "usagetype": "USE1-ExtendedSupportYr3-NodeUsage:cache.r7g.large"}, ""},
		{"AmazonElastiCache", "Cache Instance", map[string]string{"instanceType": "cache.r7g.large", "cacheEngine": "Valkey", "usagetype": "NodeUsage:cache.r7g.large"}, ""},
		{"AmazonDocDB", "Database Instance", map[string]string{"instanceType": "db.r6g.large", "usagetype": "InstanceUsage:db.r6g.large"}, "docdb:db.r6g.large"},
		{"AmazonDocDB", "Database Instance", map[string]string{"instanceType": "db.r6g.large", "usagetype": "InstanceUsageIOOptimized:db.r6g.large"}, ""},
		{"AWSELB", "Load Balancer-Application", map[string]string{"usagetype": "LoadBalancerUsage", "operation": "LoadBalancing:Application"}, "load-balancer:application"},
		{"AWSELB", "Load Balancer-Gateway", map[string]string{"usagetype": "LoadBalancerUsage", "operation": "LoadBalancing:Gateway"}, ""},
		{"AmazonVPC", "VpcEndpoint", map[string]string{"usagetype": "EU-VpcEndpoint-Hours", "operation": "VpcEndpoint"}, "vpc-endpoint:interface"},
		{"awskms", "Encryption Key", map[string]string{"usagetype": "us-east-1-KMS-Keys"}, "kms:key"},
		{"awswaf", "Web Application Firewall", map[string]string{"usagetype": "USE1-WebACLV2"}, "wafv2:web-acl"},
		{"AmazonEKS", "Compute", map[string]string{"usagetype": "USE1-AmazonEKS-Hours:perCluster"}, "eks:standard"},
		{"AmazonEC2", "Compute Instance", map[string]string{"usagetype": "NatGateway-Hours"}, ""},
	} {
		require.Equal(t, tc.want, newPriceRow(tc.code, product{Family: tc.family, Attributes: tc.attributes}).SKU, "%s %v", tc.code, tc.attributes)
	}
}

// Every SKU that a usage type maps to is in the price table.
func TestUsageRowsAreInThePriceTable(t *testing.T) {
	units := map[string]string{}
	for _, p := range cost.Prices() {
		units[p.SKU] = p.Unit
	}
	for _, u := range usageRows {
		require.Equal(t, units[u.sku], u.unit, u.sku)
	}
}

// No input makes the parser panic or run forever.
func FuzzRead(f *testing.F) {
	raw, err := os.ReadFile("testdata/ec2.json")
	require.NoError(f, err)
	f.Add(raw)
	f.Add([]byte(`{"products":{"A":{"sku":"A"}},"terms":{"OnDemand":{"A":{}}}}`))
	f.Add([]byte(`{"terms":{"OnDemand":[[[{]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := Read(strings.NewReader(string(raw)))
		if err == nil {
			for _, p := range o.Prices {
				require.Positive(t, p.Amount)
			}
		}
	})
}

func TestReadRefusesOtherFiles(t *testing.T) {
	for _, raw := range []string{"", "[]", "{}", `{"offerCode":"AmazonEC2"}`, `{"products":[]}`, `{"products":{"A":`, `{"offerCode":1}`, "<html>"} {
		_, err := Read(strings.NewReader(raw))
		require.ErrorContains(t, err, "offer file", raw)
	}
}
