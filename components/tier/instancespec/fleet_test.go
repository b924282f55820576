package instancespec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFleet(t *testing.T) {
	require.NoError(t, DefaultFleet().Validate(3))
	good := Fleet{InstanceTypes: []string{"m7i.xlarge", "m6a.xlarge", "m5.xlarge"}, OnDemandBase: 3, SpotShare: 50, VolumeGiB: 100}
	for _, tc := range []struct {
		reason string
		change func(*Fleet)
		want   []string // none: allowed
	}{
		{"three generations of one shape", func(*Fleet) {}, nil},
		{"one type", func(f *Fleet) { f.InstanceTypes = []string{"c7g.2xlarge"} }, nil},
		{"two processors of AWS's own", func(f *Fleet) { f.InstanceTypes = []string{"m7g.xlarge", "m6gd.xlarge"} }, nil},
		{"no type", func(f *Fleet) { f.InstanceTypes = nil }, []string{"must have an instance type"}},
		{"a type that is none", func(f *Fleet) { f.InstanceTypes = []string{"xlarge"} }, []string{`"xlarge": must be such as`}},
		{"the autoscaler would see half of the cores", func(f *Fleet) { f.InstanceTypes[1] = "m6a.2xlarge" }, []string{"m7i.xlarge and m6a.2xlarge differ in class or size"}},
		{"or half of the memory", func(f *Fleet) { f.InstanceTypes[1] = "c6i.xlarge" }, []string{"m7i.xlarge and c6i.xlarge differ"}},
		{"an image of one architecture can't start on the other", func(f *Fleet) { f.InstanceTypes[2] = "m7g.xlarge" }, []string{"differ in architecture"}},
		{"more spot than there is", func(f *Fleet) { f.SpotShare = 101 }, []string{"spot share of 101 %"}},
		{"a base that the group never reaches", func(f *Fleet) { f.OnDemandBase = 31 }, []string{"on-demand base of 31: must be 0 to the group's 30"}},
		{"a volume that the image does not fit", func(f *Fleet) { f.VolumeGiB = 8 }, []string{"root volume of 8 GiB"}},
		{"all at once", func(f *Fleet) { f.SpotShare, f.VolumeGiB = -1, 0 }, []string{"-1 %", "0 GiB"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			f := good
			f.InstanceTypes = append([]string(nil), good.InstanceTypes...)
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

func TestImageParameter(t *testing.T) {
	for instance, architecture := range map[string]string{
		"m7i.xlarge": "x86_64", "t3.large": "x86_64", "g5.xlarge": "x86_64", "r6id.4xlarge": "x86_64", "m7i-flex.large": "x86_64",
		"m7g.xlarge": "arm64", "c6gn.xlarge": "arm64", "g5g.xlarge": "arm64", "im4gn.large": "arm64", "a1.large": "arm64",
	} {
		require.Equal(t, "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/"+architecture+"/standard/recommended/image_id",
			Fleet{InstanceTypes: []string{instance}}.ImageParameter("1.34"), instance)
	}
}
