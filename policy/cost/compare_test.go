package cost_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/source"
)

func TestCompareListsChangedItemsAndNewGaps(t *testing.T) {
	nat := resource("aws:ec2/natGateway:NatGateway", "nat", nil, nil)
	key := resource("aws:kms/key:Key", "key", nil, nil)
	redis := func(replicas float64) *graph.Resource {
		return resource("aws:elasticache/replicationGroup:ReplicationGroup", "redis", map[string]any{"nodeType": "cache.r7g.large", "replicasPerNodeGroup": replicas}, nil)
	}
	mongo := resource("aws:docdb/clusterInstance:ClusterInstance", "mongo", map[string]any{"instanceClass": "db.r6g.large"}, nil)

	// Before: NAT gateway $32.85, key $1.00, 2 Redis nodes $319.74. After: key, 3 Redis nodes
	// $479.61, and a DocumentDB instance without a price.
	d := cost.Compare(estimate(nat, key, redis(1)), estimate(key, redis(2), mongo))
	require.Equal(t, "+$127.02", d.Change.Expected.Signed(), "159.87 - 32.85")
	require.Len(t, d.Components, 1)
	require.Equal(t, d.Change, d.Components[0].Change)
	require.Len(t, d.Lines, 2, "the key does not change")
	require.Equal(t, "elasticache:redis:cache.r7g.large", d.Lines[0].SKU)
	require.Equal(t, "+$159.87", d.Lines[0].Change.Expected.Signed())
	require.Equal(t, "-$32.85", d.Lines[1].Change.Expected.Signed())
	require.Len(t, d.NewGaps, 1)
	require.Empty(t, d.GoneGaps)
	percent, ok := d.Growth()
	require.True(t, ok)
	require.Equal(t, int64(36), percent, "127.02 / 353.59 is 35.9 %, rounded up")

	reverse := cost.Compare(estimate(key, redis(2), mongo), estimate(nat, key, redis(1)))
	require.Equal(t, d.Change, cost.Range{}.Minus(reverse.Change))
	require.Len(t, reverse.GoneGaps, 1)
}

func TestCompareHandlesEqualAndMissingAmounts(t *testing.T) {
	s := readRecording(t, "prod")
	r := cost.Estimate(s, cost.Options{Now: today})
	d := cost.Compare(r, r)
	require.Zero(t, d.Change)
	require.Empty(t, d.Lines)
	require.Empty(t, d.Components)
	percent, ok := d.Growth()
	require.True(t, ok)
	require.Zero(t, percent)

	_, ok = cost.Compare(estimate(), r).Growth()
	require.False(t, ok, "a growth from zero has no percentage")
	noFigure := cost.Estimate(&source.Stack{Graph: graph.Build(nil)}, cost.Options{})
	require.NotEmpty(t, noFigure.NoFigure)
	for _, d := range []cost.Difference{cost.Compare(noFigure, r), cost.Compare(r, noFigure)} {
		require.Equal(t, noFigure.NoFigure, d.NoFigure)
		_, ok := d.Growth()
		require.False(t, ok)
	}
}

func TestAmountsAreFormattedAndParsed(t *testing.T) {
	for _, tc := range []struct {
		amount cost.Micros
		want   string
	}{
		{0, "$0.00"}, {4_999, "$0.00"}, {5_000, "$0.01"}, {-4_999, "$0.00"}, {-5_000, "-$0.01"},
		{16_425_000, "$16.43"}, {1_234_567_890_000, "$1,234,567.89"}, {-1_000_000_000, "-$1,000.00"}, {999_995_000, "$1,000.00"},
	} {
		require.Equal(t, tc.want, tc.amount.String())
	}
	for amount, want := range map[cost.Micros]string{201_600: "$0.2016", 1_000_000: "$1.00", 22_500: "$0.0225", 1: "$0.000001", -5_500_000: "-$5.50"} {
		require.Equal(t, want, amount.Exact())
	}
	for text, want := range map[string]cost.Micros{"0.2016000000": 201_600, "5": 5_000_000, "0.0000010000": 1, "0": 0} {
		amount, err := cost.ParseMicros(text)
		require.NoError(t, err)
		require.Equal(t, want, amount)
	}
	for _, text := range []string{"", ".5", "-1", "0.0000004", "1e3", "0.1.2", "99999999999999999999"} {
		_, err := cost.ParseMicros(text)
		require.Error(t, err, text)
	}
	require.Equal(t, "+$1.00", cost.Dollar.Signed())
	require.Equal(t, "$0.00", cost.Micros(0).Signed())
}

// Amounts in a report's JSON are whole millionths of a dollar. A report with NoFigure has no total.
func TestJSONOmitsTheTotalOfAReportWithoutFigure(t *testing.T) {
	raw, err := json.Marshal(estimate(resource("aws:kms/key:Key", "key", nil, nil)))
	require.NoError(t, err)
	require.Contains(t, string(raw), `"total":{"minMicroUSD":1000000,"expectedMicroUSD":1000000,"maxMicroUSD":1000000}`)
	raw, err = json.Marshal(cost.Estimate(&source.Stack{Graph: graph.Build(nil)}, cost.Options{}))
	require.NoError(t, err)
	require.NotContains(t, string(raw), `"total"`)
}
