package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/infra/config"
)

// The program reports every AMI that can't start the instances of its tier, before it registers
// any resource of AWS.
func TestRefusedAMIRegistersNothingAtAWS(t *testing.T) {
	const onGraviton = `"instanceTypes":["m7g.xlarge","m6g.xlarge"],`
	for _, tc := range []struct {
		reason, tiers string
		recorded      map[string]any // the values of the guards; nil if they are those of the program
		want          []string       // nil means no error
	}{
		{"an image of the tier's architecture", `{"web":{"imageId":"` + cloudmocks.AMD64Image + `"}}`, nil, nil},
		{"an image for Graviton", `{"web":{` + onGraviton + `"imageId":"` + cloudmocks.ARM64Image + `"}}`, nil, nil},
		{"images of the other architecture", `{"web":{"imageId":"` + cloudmocks.ARM64Image + `"},"application":{` + onGraviton + `"imageId":"` + cloudmocks.AMD64Image + `"}}`, nil, []string{
			`tiers.web.imageId: "` + cloudmocks.ARM64Image + `": is for arm64, and the instances m7i.xlarge, m6i.xlarge, m5.xlarge need x86_64`,
			`tiers.application.imageId: "` + cloudmocks.AMD64Image + `": is for x86_64, and the instances m7g.xlarge, m6g.xlarge need arm64`,
		}},
		{"an image with another root device, larger than the volume", `{"web":{"volumeGiB":99,"imageId":"` + cloudmocks.SharedImage + `"}}`, nil, []string{
			`tiers.web.imageId: "` + cloudmocks.SharedImage + `": has the root device /dev/sda1, must be /dev/xvda`,
			`tiers.web.imageId: "` + cloudmocks.SharedImage + `": has a root device of 100 GiB, and volumeGiB is 99`,
		}},
		{"an image that the account can't use", `{"web":{"imageId":"ami-00000000000000000"}}`, nil, []string{
			`tiers.web.imageId: "ami-00000000000000000": must be an image in us-east-1 that account 123456789012 may use`, "set tiers.web.release", "Your query returned no results",
		}},
		// The key imageId is gone, and the tier keeps the image.
		{"other instances for an image that the tier keeps", `{"web":{"instanceTypes":["m7g.xlarge"]}}`,
			map[string]any{"image of the nodes of web": cloudmocks.AMD64Image, "image of the nodes of application": "1.36-20260923"},
			[]string{`tiers.web.imageId: "` + cloudmocks.AMD64Image + `": is for x86_64, and the instances m7g.xlarge need arm64`}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			stack, err := config.Load("staging", readStackValues(t, "staging", map[string]string{
				"progressive-framework:tiers":  tc.tiers,
				"progressive-framework:images": `{"platforms":["linux/amd64","linux/arm64"]}`,
			}))
			require.NoError(t, err)
			cloud := &cloudmocks.Cloud{}
			if tc.recorded != nil {
				cloud.Outputs = map[string]map[string]any{"ko:index:ChangeGuard": {"values": tc.recorded}}
			}
			resources, err := deployOnCloud(cloud, stack)
			if tc.want == nil {
				require.NoError(t, err)
				return
			}
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			for _, r := range resources {
				require.NotRegexp(t, "^aws:", r.Type, r.Name)
			}
		})
	}
}
