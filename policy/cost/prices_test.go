package cost_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/cost"
)

func TestEveryPriceHasEnoughSources(t *testing.T) {
	rows := cost.Prices()
	require.NotEmpty(t, rows)
	for _, p := range rows {
		require.False(t, p.AsOf.After(time.Now()), "%s has a date in the future", p.SKU)
		require.Equal(t, "us-east-1", p.Region, p.SKU)
		// AWS's own price list, which pf cost refresh reads, needs no second source.
		require.True(t, len(p.Sources) >= 2 || strings.HasPrefix(p.Sources[0], "AWS price list "), "%s has one source: name a second one, or AWS's price list", p.SKU)
		for _, source := range p.Sources {
			require.Regexp(t, `[a-z0-9-]+\.[a-z]+/\S|^AWS price list `, source, "a reader can find the source of %s", p.SKU)
		}
		// No two sources agree on the price of a DocumentDB instance, so it must have no row.
		require.False(t, strings.HasPrefix(p.SKU, "docdb:db."), p.SKU)
	}
}

// Within one instance family, a larger size costs more.
func TestLargerInstanceSizesCostMore(t *testing.T) {
	sizes := []string{"micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"}
	bySKU := map[string]cost.Micros{}
	for _, p := range cost.Prices() {
		bySKU[p.SKU] = p.Amount
	}
	for sku := range bySKU {
		i := strings.LastIndex(sku, ".")
		if i < 0 { // the SKU has no instance size
			continue
		}
		family := sku[:i]
		previous := cost.Micros(0)
		for _, size := range sizes {
			if amount, ok := bySKU[family+"."+size]; ok {
				require.Greater(t, amount, previous, "%s.%s", family, size)
				previous = amount
			}
		}
	}
}

func TestFaultyPriceTablesAreRefused(t *testing.T) {
	const head = "sku,micro_usd,unit,region,as_of,sources\n"
	for _, tc := range []struct{ reason, table, want string }{
		{"no header", "a,1,hour,us-east-1,2026-01-01,s\n", "the first line must be"},
		{"empty", "", "the first line must be"},
		{"a price of zero", head + "a,0,hour,us-east-1,2026-01-01,s\n", "a whole number above zero"},
		{"a fraction", head + "a,0.1,hour,us-east-1,2026-01-01,s\n", "a whole number above zero"},
		{"no day", head + "a,1,hour,us-east-1,2026,s\n", "a day such as"},
		{"no source", head + "a,1,hour,us-east-1,2026-01-01, ; \n", "must not be empty"},
		{"two rows for one SKU and region", head + "a,1,hour,us-east-1,2026-01-01,s\na,2,hour,us-east-1,2026-01-01,s\n", "is there twice"},
		{"columns are missing", head + "a,1\n", "wrong number of fields"},
	} {
		_, err := cost.ParsePrices(tc.table)
		require.ErrorContains(t, err, tc.want, tc.reason)
	}
	rows, err := cost.ParsePrices(head + "a,1,hour,us-east-1,2026-01-01,x ; y\na,2,hour,eu-west-1,2026-01-01,x\n")
	require.NoError(t, err)
	require.Equal(t, []string{"x", "y"}, rows[0].Sources)
}

func TestOldPricesAreMarked(t *testing.T) {
	day := func(text string) time.Time {
		d, err := time.Parse(time.DateOnly, text)
		require.NoError(t, err)
		return d
	}
	p := cost.Price{AsOf: day("2025-10-25")}
	require.False(t, p.IsStale(day("2026-11-29")), "the price is 400 days old")
	require.True(t, p.IsStale(day("2026-11-30")), "the price is 401 days old")
	require.False(t, p.IsStale(time.Time{}), "there is no day to compare with")

	key := resource("aws:kms/key:Key", "k", nil, nil)
	require.True(t, cost.Estimate(stackWith(key), cost.Options{Now: day("2030-01-01")}).Lines[0].Stale)
	require.False(t, cost.Estimate(stackWith(key), cost.Options{}).Lines[0].Stale)
}
