package ekscalendar

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Extended support follows standard support for twelve months (EKS User Guide).
func TestExtendedSupportLastsAYear(t *testing.T) {
	for minor, s := range calendar {
		require.Equal(t, s.Standard.AddDate(1, 0, 0), s.Extended, minor)
	}
}

func TestForVersion(t *testing.T) {
	s, known := ForVersion("1.34")
	require.True(t, known)
	require.Equal(t, "2026-12-02", s.End(false).Format(time.DateOnly))
	require.Equal(t, "2027-12-02", s.End(true).Format(time.DateOnly))
	_, known = ForVersion("1.12")
	require.False(t, known)
}
