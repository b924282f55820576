package instancespec

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/size"
)

func TestLookupHardwareAcceptsOnlyNitroTypes(t *testing.T) {
	for instance, want := range map[string]Hardware{
		"m7i.xlarge":     {AMD64, 4, size.GiB(16), 110},
		"m7g.xlarge":     {ARM64, 4, size.GiB(16), 110},
		"c6gn.2xlarge":   {ARM64, 8, size.GiB(16), 110},
		"c5n.large":      {AMD64, 2, size.MiB(5376), 110},
		"r6id.4xlarge":   {AMD64, 16, size.GiB(128), 110},
		"t3.nano":        {AMD64, 2, size.MiB(512), 34},
		"t4g.medium":     {ARM64, 2, size.GiB(4), 98},
		"m6g.medium":     {ARM64, 1, size.GiB(4), 98},
		"g5.xlarge":      {AMD64, 4, size.GiB(16), 110},
		"g5g.xlarge":     {ARM64, 4, size.GiB(8), 110},
		"im4gn.large":    {ARM64, 2, size.GiB(8), 110},
		"m5.metal":       {AMD64, 96, size.GiB(384), 110},
		"m7i.metal-24xl": {AMD64, 96, size.GiB(384), 110},
		"x2gd.medium":    {ARM64, 1, size.GiB(16), 98},
	} {
		hardware, err := LookupHardware(instance)
		require.NoError(t, err)
		require.Equal(t, want, hardware, instance)
	}
	for instance, want := range map[string]string{
		"m7i.3xlarge": "family m7i has the sizes",
		"m4.xlarge":   "must be of a Nitro family", // no prefix delegation
		"t2.large":    "must be of a Nitro family",
		"m99.xlarge":  "must be of a Nitro family",
		"a1.large":    "must be of a Nitro family", // no Amazon Linux 2023
		"m5a.metal":   "family m5a has the sizes",
	} {
		_, err := LookupHardware(instance)
		require.ErrorContains(t, err, want, instance)
	}
}

// Every type of the table must have the form of an instance type, and cores and memory.
func TestEveryTypeHasCoresAndMemory(t *testing.T) {
	for name, f := range families {
		for _, s := range f.sizes {
			h, err := LookupHardware(name + "." + s)
			require.NoError(t, err)
			require.True(t, instanceTypePattern.MatchString(name+"."+s), name+"."+s)
			require.Positive(t, h.Cores, name+"."+s)
			require.Positive(t, h.Memory.Bytes(), name+"."+s)
		}
	}
}

// The numbers are those of amazon-eks-ami for 4 cores and 16 GiB, with 110 pods.
func TestAllocatableLeavesOutWhatTheKubeletKeeps(t *testing.T) {
	h, err := LookupHardware("m7i.xlarge")
	require.NoError(t, err)
	cpu, memory := h.Allocatable()
	require.Equal(t, "3920m", cpu.String())
	require.Equal(t, "13508Mi", memory.String())
}

func TestSmallestHardwareHasTheSmallestNumbers(t *testing.T) {
	h, err := Fleet{InstanceTypes: []string{"c5n.xlarge", "c6i.xlarge"}}.SmallestHardware()
	require.NoError(t, err)
	require.Equal(t, Hardware{AMD64, 4, size.GiB(8), 110}, h)
}
