package rdscalendar

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each major version is supported a year longer than the one before.
func TestVersionsEndOneAfterTheOther(t *testing.T) {
	older, _ := StandardEnd("14")
	for _, major := range []string{"15", "16", "17"} {
		end, known := StandardEnd(major)
		require.True(t, known, major)
		require.Equal(t, older.Year()+1, end.Year(), major)
		older = end
	}
	_, known := StandardEnd("9")
	require.False(t, known)
}
