package envconfig_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSizeHasUnitsAndBounds(t *testing.T) {
	const sizeError = ` must be a size such as 256MB, from 1.0 MiB to 1.0 GiB: set such a value, or unset it for the default 256MB`
	for _, row := range []struct {
		reason, text string
		want         uint64
		fails        bool
	}{
		{"a decimal unit, as in the design document", "256MB", 256_000_000, false},
		{"a binary unit", "1GiB", 1 << 30, false},
		{"too small", "1MB", 256_000_000, true},
		{"too large", "2GiB", 256_000_000, true},
		{"not a number", "much", 256_000_000, true},
		{"an empty value is not absent", "", 256_000_000, true},
	} {
		r := newReader(map[string]string{"X": row.text})
		require.Equal(t, row.want, r.Size("X", "256MB", 1<<20, 1<<30), row.reason)
		if row.fails {
			require.EqualError(t, r.Err(), `X="`+row.text+`"`+sizeError, row.reason)
		} else {
			require.NoError(t, r.Err(), row.reason)
		}
	}
	require.EqualValues(t, 5_000_000, newReader(nil).Size("X", "5MB", 1, 1<<30))
}
