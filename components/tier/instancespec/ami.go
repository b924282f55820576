package instancespec

import (
	"fmt"
	"strings"
)

// RootDevice is the root device of Amazon Linux 2023. A tier's launch template sets the size and
// the key of the volume with this name.
const RootDevice = "/dev/xvda"

// AMI is what EC2 says about a machine image (EC2 API Reference, "Image").
type AMI struct {
	// Architecture is one of i386, x86_64, arm64, x86_64_mac and arm64_mac.
	Architecture string
	// State is available if instances can start with the image.
	State string
	// VirtualizationType is hvm or paravirtual.
	VirtualizationType string
	// ENA says that the image supports the Elastic Network Adapter.
	ENA bool
	// RootDeviceType is ebs or instance-store.
	RootDeviceType string
	// RootDeviceName is a name such as RootDevice.
	RootDeviceName string
	// RootGiB is the size of the root device's snapshot in GiB. 0 means that EC2 does not say it.
	RootGiB int
}

// ec2Architectures are EC2's names of the architectures.
var ec2Architectures = map[Architecture]string{AMD64: "x86_64", ARM64: "arm64"}

// ec2Architecture returns EC2's name of the architecture of the fleet's instances.
func (f Fleet) ec2Architecture() string {
	if isARM(f.InstanceTypes[0]) {
		return ec2Architectures[ARM64]
	}
	return ec2Architectures[AMD64]
}

// CheckAMI returns all reasons why the fleet's instances can't start with an image, or why their
// root volume would not have the fleet's size and the tier's key. Each reason has the rule and the
// fix. All instance types of the platform are Nitro types, which need hvm, ENA and a root device in
// EBS (EC2 Instance Types guide, "Instances built on the Nitro System"). EC2 refuses a volume that
// is smaller than its snapshot (InvalidBlockDeviceMapping).
func (f Fleet) CheckAMI(image AMI) []string {
	var reasons []string
	add := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	if needed := f.ec2Architecture(); image.Architecture != needed {
		fix := "choose an image for " + needed
		if image.Architecture == ec2Architectures[AMD64] || image.Architecture == ec2Architectures[ARM64] {
			fix += ", or instanceTypes that run " + image.Architecture
		}
		add("is for %s, and the instances %s need %s: %s", image.Architecture, strings.Join(f.InstanceTypes, ", "), needed, fix)
	}
	if image.State != "available" {
		add("has the state %s, must be available: wait for it, or choose another image", image.State)
	}
	if image.VirtualizationType != "hvm" {
		add("has the virtualization type %s, must be hvm, as Nitro instances need: choose another image", image.VirtualizationType)
	}
	if !image.ENA {
		add("does not support the Elastic Network Adapter, which Nitro instances need: register it with ENA support, or choose another image")
	}
	switch {
	case image.RootDeviceType != "ebs":
		add("has a root device of the type %s, must be ebs, as Nitro instances need: choose another image", image.RootDeviceType)
	case image.RootDeviceName != RootDevice:
		// AWS would add a second volume of this name, and leave the root volume as the image has it.
		add("has the root device %s, must be %s, the volume with the tier's size and key: choose an image that is built on Amazon Linux 2023", image.RootDeviceName, RootDevice)
	}
	if image.RootGiB > f.VolumeGiB {
		add("has a root device of %d GiB, and volumeGiB is %d: set volumeGiB to at least %d", image.RootGiB, f.VolumeGiB, image.RootGiB)
	}
	return reasons
}
