package config

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier/instancespec"
)

func TestNodeTiers(t *testing.T) {
	s, err := Load("staging", with(map[string]string{
		"progressive-framework:tiers": `{"web":{"min":2,"desired":2,"spotShare":50,"scaleIn":"scalingPolicies","imageId":"ami-0123456789abcdef0"}}`,
	}))
	require.NoError(t, err)
	tiers, err := s.NodeTiers("c")
	require.NoError(t, err)
	require.Len(t, tiers, 2)
	web, app := tiers[0], tiers[1]
	require.Equal(t, scaling.Size{Min: 2, Desired: 2, Max: 30}, web.Profile.Size, "what the stack leaves out is the document's")
	require.Equal(t, scaling.ScalingPolicies{}, web.Owner)
	require.Equal(t, scaling.Percent(50), web.Fleet.SpotShare)
	require.Equal(t, "ami-0123456789abcdef0", web.ImageID)
	require.Equal(t, scaling.ApplicationNodes(), app.Profile, "the document's")
	require.Equal(t, scaling.ClusterAutoscaler{ClusterName: "c"}, app.Owner)
	require.Equal(t, instancespec.DefaultFleet(), app.Fleet)
}

func TestTiersRefuse(t *testing.T) {
	for _, tc := range []struct {
		reason, tiers string
		want          []string
	}{
		{"a tier that is not there", `{"data":{}}`, []string{`"data"`, `supported values: "application", "web"`}},
		{"min above the document's desired", `{"web":{"min":7}}`, []string{"tiers.web", "min 7, desired 6, max 30"}},
		{"max below the document's desired", `{"application":{"max":5}}`, []string{"tiers.application", "min 4, desired 8, max 5"}},
		{"two owners of scale-in, or one that nobody knows", `{"web":{"scaleIn":"both"}}`, []string{"tiers.web.scaleIn", "clusterAutoscaler"}},
		{"types of two shapes", `{"web":{"instanceTypes":["m7i.xlarge","c7i.xlarge"]}}`, []string{"tiers.web", "differ in class or size"}},
		{"a name instead of an image", `{"web":{"imageId":"latest"}}`, []string{"tiers.web.imageId", "ami-0123456789abcdef0"}},
		{"everything at once", `{"web":{"min":-1,"spotShare":200},"application":{"volumeGiB":1}}`, []string{"tiers.web.min: Invalid value: -1", "tiers.web.spotShare: Invalid value: 200: must be 0 to 100", "tiers.application.volumeGiB: Invalid value: 1"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := Load("staging", with(map[string]string{"progressive-framework:tiers": tc.tiers}))
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
