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

func TestForVersionReturnsTheEndsOfSupport(t *testing.T) {
	const standard, extended = false, true
	s, known := ForVersion("1.34")
	require.True(t, known)
	require.Equal(t, "2026-12-02", s.End(standard).Format(time.DateOnly))
	require.Equal(t, "2027-12-02", s.End(extended).Format(time.DateOnly))
	_, known = ForVersion("1.12")
	require.False(t, known)
}
