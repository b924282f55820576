package cost_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/value"
)

// prodRows is the monthly bill of the recorded stack prod, written by hand. Each row has the number
// of units a month, the SKU, the price of a unit and the amount. If prod gets a new item, add its
// row.
var prodRows = []string{
	"8 × 730 h ec2:m7i.xlarge at $0.2016 = $1,177.34 (4 to 50: $588.67 to $7,358.40), tier application-group",
	"6 × 730 h ec2:m7i.xlarge at $0.2016 = $883.01 (3 to 30: $441.50 to $4,415.04), tier web-group",
	"8 × 50 GB ebs:gp3 at $0.08 = $32.00 ($16.00 to $200.00), tier application-group",
	"6 × 50 GB ebs:gp3 at $0.08 = $24.00 ($12.00 to $120.00), tier web-group",
	"8 × 7 cloudwatch:metric at $0.30 = $16.80 ($8.40 to $105.00), tier application-group",
	"6 × 7 cloudwatch:metric at $0.30 = $12.60 ($6.30 to $63.00), tier web-group",
	"1 × 730 h eks:standard at $0.10 = $73.00, cluster cluster",
	"1 × 730 h load-balancer:application at $0.0225 = $16.43, loadbalancer alb",
	"3 × 730 h nat-gateway at $0.045 = $98.55, network",
	"3 × 730 h public-ipv4 at $0.005 = $10.95, network",
	"8 × 3 × 730 h vpc-endpoint:interface at $0.01 = $175.20, network",
	"1 × 730 h rds:postgres:multi-az:db.r7g.xlarge at $0.956 = $697.88, postgres",
	"100 GB rds:storage:multi-az:gp3 at $0.23 = $23.00, postgres",
	"3 × 2 × 730 h elasticache:redis:cache.r7g.large at $0.219 = $959.22, redis",
	"2 × 50 GB ebs:gp3 at $0.08 = $8.00, prometheus",
	"4 × 1 kms:key at $1.00 = $4.00, the stack and three stores",
	"3 × 1 secretsmanager:secret at $0.40 = $1.20, two master users and Redis",
	"1 × 1 wafv2:web-acl at $5.00 = $5.00, webacl",
	"4 × 1 wafv2:rule at $1.00 = $4.00, webacl",
	"46 × 1 cloudwatch:alarm:standard at $0.10 = $4.60, alarms by the metrics that they read",
}

// sumsBySKU returns the sums of a report's lines by SKU. Some SKUs are in several rows of prodRows. For
// the lines of a tier, the key is then the SKU and the group. For Prometheus it is the SKU and
// "prometheus".
func sumsBySKU(r cost.Report) map[string]cost.Range {
	sums := map[string]cost.Range{}
	for _, l := range r.Lines {
		key := l.SKU
		if l.Component == "tier" && l.SKU != "cloudwatch:alarm:standard" {
			key += " " + strings.TrimPrefix(l.Resource, "progressive-framework-prod-")
		} else if l.Component == "prometheus" {
			key += " prometheus"
		}
		sums[key] = sums[key].Plus(l.Monthly)
	}
	return sums
}

// The report has the same items as the bill that was written by hand, with the same amounts.
func TestProdCostsEqualTheHandWrittenBill(t *testing.T) {
	r := cost.Estimate(readRecording(t, "prod"), cost.Options{Now: today})
	remaining := sumsBySKU(r)
	for _, row := range prodRows {
		matchedKey := ""
		for key, amount := range remaining {
			sku, resource, _ := strings.Cut(key, " ")
			if strings.Contains(row, " "+sku+" at ") && strings.Contains(row, resource) {
				matchedKey = key
				require.Contains(t, row, " = "+amount.Expected.String(), key)
				if amount.Min != amount.Max {
					require.Contains(t, row, fmt.Sprintf("%s to %s)", amount.Min, amount.Max), key)
				}
			}
		}
		require.NotEmpty(t, matchedKey, "prod does not have this item any more: %s", row)
		delete(remaining, matchedKey)
	}
	require.Empty(t, remaining, "prod has items that prodRows does not have")
	require.Empty(t, r.Undecided)
	var unpriced []string
	for _, g := range r.Unpriced {
		unpriced = append(unpriced, g.SKU)
	}
	require.Equal(t, slices.Repeat([]string{"docdb:db.r6g.large"}, 3), unpriced)
	require.Equal(t, "$4,226.78 ($3,153.90 to $14,342.47)", r.Total.String())
}

// Each type of the recorded stacks is in one of the tables billed and notBilled of package cost.
func TestRecordedTypesAreKnown(t *testing.T) {
	for _, name := range []string{"prod", "staging"} {
		r := cost.Estimate(readRecording(t, name), cost.Options{Now: today})
		require.Empty(t, r.NoFigure)
		for _, g := range r.Unpriced {
			require.NotContains(t, g.Reason, "not in the table of billed types")
		}
	}
}

func TestAResourceNeverLowersTheTotal(t *testing.T) {
	all := slices.DeleteFunc(slices.Clone(readRecording(t, "prod").Graph.All()), func(r *graph.Resource) bool {
		// Without the providers, Options.Region decides the region of every drawn stack.
		return strings.HasPrefix(r.Type, "pulumi:providers:")
	})
	total := func(resources []*graph.Resource) cost.Range {
		return cost.Estimate(&source.Stack{Graph: graph.Build(resources)}, cost.Options{Region: "us-east-1"}).Total
	}
	rapid.Check(t, func(rt *rapid.T) {
		stack := rapid.SliceOfDistinct(rapid.SampledFrom(all), func(r *graph.Resource) string { return r.URN }).Draw(rt, "stack")
		added := rapid.SampledFrom(all).Draw(rt, "resource")
		if slices.Contains(stack, added) {
			return
		}
		before, after := total(stack), total(append(slices.Clone(stack), added))
		if after.Min < before.Min || after.Expected < before.Expected || after.Max < before.Max {
			rt.Fatalf("%s lowers the total from %v to %v", added.URN, before, after)
		}
		if after.Min > after.Expected || after.Expected > after.Max {
			rt.Fatalf("the expected amount is outside of the range: %v", after)
		}
	})
}

// An unknown value never raises the total. If it lowers the total, the report names a gap.
func TestUnknownValueThatLowersTheTotalIsAGap(t *testing.T) {
	for _, name := range []string{"prod", "staging"} {
		all := readRecording(t, name).Graph.All()
		full := cost.Estimate(&source.Stack{Graph: graph.Build(all)}, cost.Options{Region: "us-east-1"})
		rapid.Check(t, func(rt *rapid.T) {
			i := rapid.IntRange(0, len(all)-1).Draw(rt, "resource")
			names, _ := all[i].Inputs.Keys()
			if len(names) == 0 {
				return
			}
			changed := slices.Clone(all)
			changed[i] = withInput(all[i], rapid.SampledFrom(names).Draw(rt, "input"), value.Undetermined{})
			r := cost.Estimate(&source.Stack{Graph: graph.Build(changed)}, cost.Options{Region: "us-east-1"})
			if r.Total.Expected > full.Total.Expected || r.Total.Max > full.Total.Max {
				rt.Fatalf("an unknown value raises the total from %v to %v", full.Total, r.Total)
			}
			if r.Total != full.Total && len(r.Undecided)+len(r.Unpriced) <= len(full.Undecided)+len(full.Unpriced) {
				rt.Fatalf("the total is lower by %v, but the report has no additional gap", full.Total.Minus(r.Total))
			}
		})
	}
}
