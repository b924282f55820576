package instancespec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckAMIReturnsWhyTheInstancesCannotUseIt(t *testing.T) {
	usable := AMI{
		Architecture: "x86_64", State: "available", VirtualizationType: "hvm", ENA: true,
		RootDeviceType: "ebs", RootDeviceName: "/dev/xvda", RootGiB: 50,
	}
	intel, graviton := DefaultFleet(), Fleet{InstanceTypes: []string{"m7g.xlarge", "m6g.xlarge"}, VolumeGiB: 50}
	for _, tc := range []struct {
		reason string
		fleet  Fleet
		change func(*AMI)
		want   []string // nil means no error
	}{
		{"an image like AWS's own", intel, func(*AMI) {}, nil},
		{"an arm64 image for Graviton", graviton, func(a *AMI) { a.Architecture = "arm64" }, nil},
		{"a size that AWS does not say", intel, func(a *AMI) { a.RootGiB = 0 }, nil},
		{"an arm64 image for Intel", intel, func(a *AMI) { a.Architecture = "arm64" },
			[]string{"is for arm64, and the instances m7i.xlarge, m6i.xlarge, m5.xlarge need x86_64: choose an image for x86_64, or instanceTypes that run arm64"}},
		{"an x86_64 image for Graviton", graviton, func(*AMI) {},
			[]string{"is for x86_64, and the instances m7g.xlarge, m6g.xlarge need arm64: choose an image for arm64, or instanceTypes that run x86_64"}},
		{"an architecture that no tier can have", intel, func(a *AMI) { a.Architecture = "i386" },
			[]string{"is for i386, and the instances m7i.xlarge, m6i.xlarge, m5.xlarge need x86_64: choose an image for x86_64"}},
		{"an image for Macs", graviton, func(a *AMI) { a.Architecture = "arm64_mac" },
			[]string{"is for arm64_mac, and the instances m7g.xlarge, m6g.xlarge need arm64: choose an image for arm64"}},
		{"an image that is not ready", intel, func(a *AMI) { a.State = "pending" },
			[]string{"has the state pending, must be available: wait for it, or choose another image"}},
		{"a paravirtual image", intel, func(a *AMI) { a.VirtualizationType = "paravirtual" },
			[]string{"has the virtualization type paravirtual, must be hvm, as Nitro instances need: choose another image"}},
		{"an image without ENA", intel, func(a *AMI) { a.ENA = false },
			[]string{"does not support the Elastic Network Adapter, which Nitro instances need: register it with ENA support, or choose another image"}},
		{"a root device in instance storage", intel, func(a *AMI) { a.RootDeviceType, a.RootDeviceName = "instance-store", "" },
			[]string{"has a root device of the type instance-store, must be ebs, as Nitro instances need: choose another image"}},
		{"another root device", intel, func(a *AMI) { a.RootDeviceName = "/dev/sda1" },
			[]string{"has the root device /dev/sda1, must be /dev/xvda, the volume with the tier's size and key: choose an image that is built on Amazon Linux 2023"}},
		{"a root device larger than the volume", intel, func(a *AMI) { a.RootGiB = 51 },
			[]string{"has a root device of 51 GiB, and volumeGiB is 50: set volumeGiB to at least 51"}},
		{"all at once", intel, func(a *AMI) { a.Architecture, a.State, a.RootGiB = "arm64", "failed", 100 },
			[]string{
				"is for arm64, and the instances m7i.xlarge, m6i.xlarge, m5.xlarge need x86_64: choose an image for x86_64, or instanceTypes that run arm64",
				"has the state failed, must be available: wait for it, or choose another image",
				"has a root device of 100 GiB, and volumeGiB is 50: set volumeGiB to at least 100",
			}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			image := usable
			tc.change(&image)
			require.Equal(t, tc.want, tc.fleet.CheckAMI(image))
		})
	}
}
