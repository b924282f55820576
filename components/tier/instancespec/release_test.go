package instancespec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseReleaseNeedsAVersionAndADate(t *testing.T) {
	r, err := ParseRelease("1.34-20260923")
	require.NoError(t, err)
	require.Equal(t, "1.34", r.Version)
	require.Equal(t, "2026-09-23", r.Date.Format("2006-01-02"))
	require.Equal(t, "1.34-20260923", r.String())
	for text, want := range map[string]string{
		"latest": "must be a Kubernetes minor version and a date", "1.34": "must be", "v20260923": "must be", "1.34.4-20260923": "must be",
		"1.34-20260931": "is no date",
	} {
		_, err := ParseRelease(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestNewestReleaseCanBeParsed(t *testing.T) {
	r := NewestRelease("1.35")
	require.Equal(t, "1.35-20260923", r.String())
	parsed, err := ParseRelease(r.String())
	require.NoError(t, err)
	require.Equal(t, r, parsed)
}

func TestCheckSkewAllowsThreeOlderMinorVersions(t *testing.T) {
	for _, tc := range []struct{ nodes, controlPlane, want string }{
		{"1.34", "1.34", ""},
		{"1.34", "1.37", ""},
		{"1.34", "1.38", "change the nodes first"},
		{"2.34", "1.34", "choose a release of 1.34"},
		{"0.34", "1.34", "choose a release of 1.34"},
		{"1.35", "1.34", "upgrade cluster.version first"},
	} {
		err := Release{Version: tc.nodes}.CheckSkew(tc.controlPlane)
		if tc.want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, tc.want)
	}
}
