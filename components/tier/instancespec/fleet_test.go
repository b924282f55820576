package instancespec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidateReturnsAllErrorsOfAFleet(t *testing.T) {
	require.NoError(t, DefaultFleet().Validate(3))
	valid := Fleet{InstanceTypes: []string{"m7i.xlarge", "m6a.xlarge", "m5.xlarge"}, OnDemandBase: 3, SpotShare: 50, VolumeGiB: 100}
	for _, tc := range []struct {
		reason string
		change func(*Fleet)
		want   []string // nil means no error
	}{
		{"three generations of one class and size", func(*Fleet) {}, nil},
		{"one type", func(f *Fleet) { f.InstanceTypes = []string{"c7g.2xlarge"} }, nil},
		{"two Graviton types", func(f *Fleet) { f.InstanceTypes = []string{"m7g.xlarge", "m6gd.xlarge"} }, nil},
		{"no type", func(f *Fleet) { f.InstanceTypes = nil }, []string{"no instance type: must have at least one"}},
		{"a malformed type", func(f *Fleet) { f.InstanceTypes = []string{"xlarge"} }, []string{`"xlarge": must have the form of`}},
		{"types with different numbers of cores", func(f *Fleet) { f.InstanceTypes[1] = "m6a.2xlarge" }, []string{"m7i.xlarge and m6a.2xlarge differ in class or size"}},
		{"types with different memory", func(f *Fleet) { f.InstanceTypes[1] = "c6i.xlarge" }, []string{"m7i.xlarge and c6i.xlarge differ"}},
		{"types of two architectures", func(f *Fleet) { f.InstanceTypes[2] = "m7g.xlarge" }, []string{"differ in architecture"}},
		{"more than 100 % spot", func(f *Fleet) { f.SpotShare = 101 }, []string{"spot share of 101 %"}},
		{"an on-demand base above the size of the group", func(f *Fleet) { f.OnDemandBase = 31 }, []string{"on-demand base of 31: must be 0 to the group's 30"}},
		{"a volume that is too small for the image", func(f *Fleet) { f.VolumeGiB = 8 }, []string{"root volume of 8 GiB"}},
		{"all errors at once", func(f *Fleet) { f.SpotShare, f.VolumeGiB = -1, 0 }, []string{"-1 %", "0 GiB"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			f := valid
			f.InstanceTypes = append([]string(nil), valid.InstanceTypes...)
			tc.change(&f)
			err := f.Validate(30)
			if tc.want == nil {
				require.NoError(t, err)
			}
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestImageParameterHasTheArchitecture(t *testing.T) {
	for instance, architecture := range map[string]string{
		"m7i.xlarge": "x86_64", "t3.large": "x86_64", "g5.xlarge": "x86_64", "r6id.4xlarge": "x86_64", "m7i-flex.large": "x86_64",
		"m7g.xlarge": "arm64", "c6gn.xlarge": "arm64", "g5g.xlarge": "arm64", "im4gn.large": "arm64", "a1.large": "arm64",
	} {
		require.Equal(t, "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/"+architecture+"/standard/amazon-eks-node-al2023-"+architecture+
			"-standard-1.34-v20260923/image_id", Fleet{InstanceTypes: []string{instance}}.ImageParameter(NewestRelease("1.34")), instance)
	}
}
