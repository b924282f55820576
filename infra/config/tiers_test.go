package config

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier/instancespec"
)

func TestNodeTiersHaveTheStacksChanges(t *testing.T) {
	s, err := Load("staging", validValuesWith(map[string]string{
		"progressive-framework:tiers": `{"web":{"min":2,"desired":2,"spotShare":50,"capacityOwner":"scalingPolicies","imageId":"ami-0123456789abcdef0"}}`,
	}))
	require.NoError(t, err)
	tiers, err := s.NodeTiers("c")
	require.NoError(t, err)
	require.Len(t, tiers, 2)
	web, app := tiers[0], tiers[1]
	require.Equal(t, scaling.Size{Min: 2, Desired: 2, Max: 30}, web.Profile.Size, "an unset key has the value of the design document")
	require.Equal(t, scaling.ScalingPolicies{}, web.Owner)
	require.Equal(t, scaling.Percent(50), web.Fleet.SpotShare)
	require.Equal(t, scaling.ApplicationNodes(), app.Profile, "the profile of the design document")
	require.Equal(t, scaling.ClusterAutoscaler{ClusterName: "c"}, app.Owner)
	require.Equal(t, instancespec.DefaultFleet(), app.Fleet)
}

func TestNodeImagesAreTheRecordedOnes(t *testing.T) {
	web, app := nodeImageFieldID(scaling.WebTier), nodeImageFieldID(scaling.ApplicationTier)
	s := defaults()
	s.Cluster.Version = "1.35"
	images, err := s.NodeImages(map[string]string{web: "1.34-20260625", app: "ami-0123456789abcdef0"})
	require.NoError(t, err)
	require.Equal(t, "1.34-20260625", images[scaling.WebTier].Release.String(), "the recorded release, not the newest one")
	require.Equal(t, NodeImage{ID: "ami-0123456789abcdef0"}, images[scaling.ApplicationTier])
	_, err = s.NodeImages(map[string]string{web: "1.30-20260625", app: "1.35-20260923"})
	require.ErrorContains(t, err, `tiers.web.release: "1.30-20260625"`)
}

func TestInvalidTiersAreRefused(t *testing.T) {
	for _, tc := range []struct {
		reason, tiers string
		want          []string
	}{
		{"a tier that does not exist", `{"data":{}}`, []string{`"data"`, `supported values: "application", "web"`}},
		{"min above the document's desired", `{"web":{"min":7}}`, []string{`tiers.web: Invalid value: "min 7"`, "min 7, desired 6, max 30", "an unset number is the tier's own"}},
		{"max below the document's desired", `{"application":{"max":5}}`, []string{"tiers.application", "min 4, desired 8, max 5"}},
		{"an unknown owner of the capacity", `{"web":{"capacityOwner":"both"}}`, []string{"tiers.web.capacityOwner", "clusterAutoscaler"}},
		{"instance types of different classes", `{"web":{"instanceTypes":["m7i.xlarge","c7i.xlarge"]}}`, []string{"tiers.web.instanceTypes: Invalid value", "differ in class or size"}},
		{"more on-demand instances than the tier has", `{"web":{"spotShare":50,"onDemandBase":31}}`, []string{"tiers.web.onDemandBase: Invalid value: 31: must be at most max, which is 30"}},
		{"a release of another major version", `{"web":{"release":"2.36-20260923"}}`, []string{"tiers.web.release", "choose a release of 1.36"}},
		{"a name instead of an image", `{"web":{"imageId":"latest"}}`, []string{"tiers.web.imageId", "ami-0123456789abcdef0"}},
		{"a release and an image", `{"web":{"imageId":"ami-0123456789abcdef0","release":"1.36-20260923"}}`, []string{"tiers.web.imageId", "remove one of them"}},
		{"a release without a date", `{"web":{"release":"1.36"}}`, []string{"tiers.web.release", "such as 1.36-"}},
		{"a release with an impossible date", `{"web":{"release":"1.36-20260231"}}`, []string{"tiers.web.release", "is no date"}},
		{"nodes newer than the control plane", `{"web":{"release":"1.37-20260923"}}`, []string{"tiers.web.release", "upgrade cluster.version first"}},
		{"nodes that are too old", `{"web":{"release":"1.30-20260923"}}`, []string{"tiers.web.release", "change the nodes first"}},
		{"everything at once", `{"web":{"min":-1,"spotShare":200},"application":{"volumeGiB":1}}`, []string{"tiers.web.min: Invalid value: -1", "tiers.web.spotShare: Invalid value: 200: must be 0 to 100", "tiers.application.volumeGiB: Invalid value: 1"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := Load("staging", validValuesWith(map[string]string{"progressive-framework:tiers": tc.tiers}))
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
