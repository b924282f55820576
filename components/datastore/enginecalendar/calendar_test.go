package enginecalendar

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSupportedNeedsSupportForLongerThanNotice(t *testing.T) {
	autumn := date(2026, time.September, 1)
	for _, tc := range []struct {
		reason  string
		engine  Engine
		version string
		today   time.Time
		want    bool
	}{
		{"a major version", PostgreSQL, "17", autumn, true},
		{"a minor version", PostgreSQL, "17.5", autumn, true},
		{"a version that ends within Notice", PostgreSQL, "14.20", autumn, false},
		{"the last day before Notice", PostgreSQL, "14", date(2027, time.February, 28).Add(-Notice - time.Second), true},
		{"the first day of Notice", PostgreSQL, "14", date(2027, time.February, 28).Add(-Notice), false},
		{"support is over", PostgreSQL, "13.23", autumn, false},
		{"the row of 13 is not for version 1", PostgreSQL, "1", autumn, false},
		{"the row of 17 is not for version 170", PostgreSQL, "170", autumn, false},
		{"no end is announced", Redis, "7.1", autumn, true},
		{"Redis 6 ends in January 2027", Redis, "6.2", autumn, false},
		{"versions of Valkey are not those of Redis", Valkey, "7.1", autumn, false},
		{"a version of Valkey", Valkey, "8.2", autumn, true},
		{"a version of three numbers", DocumentDB, "5.0.0", autumn, true},
		{"DocumentDB 3.6 has ended", DocumentDB, "3.6.0", autumn, false},
		{"an unknown version", DocumentDB, "9.0.0", autumn, false},
		{"an unknown engine", "mysql", "8.0", autumn, false},
		{"no version", Redis, "", autumn, false},
	} {
		require.Equal(t, tc.want, IsSupported(tc.engine, tc.version, tc.today), tc.reason)
	}
}

// RDS supports each major version of PostgreSQL a year longer than the one before.
func TestSupportOfPostgreSQLVersionsEndsInSuccessiveYears(t *testing.T) {
	previousEnd := calendars[PostgreSQL]["13"]
	for _, major := range []string{"14", "15", "16", "17"} {
		end := calendars[PostgreSQL][major]
		require.Equal(t, previousEnd.Year()+1, end.Year(), major)
		previousEnd = end
	}
}
