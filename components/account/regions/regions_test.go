package regions

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRegionNamesAndTheirPartitions(t *testing.T) {
	for _, tc := range []struct {
		reason, region string
		ok             bool
		partition      string
	}{
		{"the public cloud", "us-east-1", true, "aws"},
		{"a direction of two words", "ap-southeast-7", true, "aws"},
		{"Mexico", "mx-central-1", true, "aws"},
		{"the European Sovereign Cloud", "eusc-de-east-1", true, "aws-eusc"},
		{"GovCloud", "us-gov-west-1", true, "aws-us-gov"},
		{"China", "cn-northwest-1", true, "aws-cn"},
		{"a closed partition", "us-isob-east-1", true, "aws-iso-b"},
		{"a closed partition of Europe", "eu-isoe-west-1", true, "aws-iso-e"},
		{"a partition that AWS may open", "insc-in-south-1", true, ""},
		{"a misspelled direction", "us-esat-1", false, ""},
		{"a zone", "us-east-1a", false, "aws"},
		{"no number", "us-east", false, ""},
		{"capitals", "US-EAST-1", false, ""},
		{"a number that no region has", "us-east-0", false, ""},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			require.Equal(t, tc.ok, Check(tc.region) == nil)
			if tc.ok {
				require.Equal(t, tc.partition, Partition(tc.region))
			}
		})
	}
}

func TestCheckZoneRefusesLettersThatARegionLacks(t *testing.T) {
	require.NoError(t, CheckZone("us-east-1", "us-east-1f"))
	require.NoError(t, CheckZone("eusc-de-east-1", "eusc-de-east-1h"), "a region that is not listed may have any letter")
	require.ErrorContains(t, CheckZone("us-east-1", "us-east-1g"), "has no zone")
	require.NoError(t, CheckZone("us-east-1", "us-east-1A"), "another rule refuses a name of another form")
	require.ErrorContains(t, CheckZone("eu-west-1", "eu-west-1d"), "the letters a, b, c")
	require.ErrorContains(t, CheckZone("ca-central-1", "ca-central-1c"), "the letters a, b, d")
	for region := range zoneLetters {
		require.NoError(t, Check(region))
		require.NotEmpty(t, Partition(region))
	}
}

// The list of zones without VPC origins has ids, because the letter of a zone differs by account.
func TestVPCOriginZonesOmitsZonesWithoutVPCOrigins(t *testing.T) {
	ids := map[string]string{"us-east-1a": "use1-az3", "us-east-1b": "use1-az1", "us-east-1c": "use1-az2"}
	zones, err := VPCOriginZones([]string{"us-east-1c", "us-east-1a", "us-east-1b"}, ids)
	require.NoError(t, err)
	require.Equal(t, []string{"us-east-1c", "us-east-1b"}, zones)
	_, err = VPCOriginZones([]string{"us-east-1a", "us-east-1b"}, ids)
	require.ErrorContains(t, err, "CloudFront reaches it in 1 of us-east-1a, us-east-1b only: it has no VPC origins in use1-az3; add a zone")
}

func TestCheckARNRefusesAnotherPartition(t *testing.T) {
	require.NoError(t, CheckARN("us-east-1", "arn:aws:iam::123456789012:role/a"))
	require.NoError(t, CheckARN("insc-in-south-1", "arn:aws-in:iam::123456789012:role/a"))
	require.ErrorContains(t, CheckARN("cn-north-1", "arn:aws:iam::123456789012:role/a"), "partition aws;")
}
