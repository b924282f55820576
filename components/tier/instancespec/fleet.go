// Package instancespec checks the specification of a tier's EC2 instances: types
// that can replace each other, the share of spot instances, the size of the root
// volume, and the image. It imports no SDK. The resources are in package tier.
package instancespec

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/progressive-framework/platform/components/scaling"
)

// The bounds of a root volume in GiB: the minimum of the EKS image (amazon-eks-ami,
// "Root volume size"), and the maximum of gp3 (EBS User Guide).
const (
	MinVolume = 20
	MaxVolume = 16384
)

// Fleet is the specification of a tier's instances.
type Fleet struct {
	// InstanceTypes are types that can replace each other. The first type is preferred. All
	// types must have the same class and size, because the Cluster Autoscaler assumes that
	// they have the cores and memory of the first type.
	InstanceTypes []string
	// OnDemandBase is the number of instances that are always on-demand.
	OnDemandBase int
	// SpotShare is the share of spot instances among the instances beyond OnDemandBase, 0 to
	// 100 %.
	SpotShare scaling.Percent
	// VolumeGiB is the size of the root volume, MinVolume to MaxVolume.
	VolumeGiB int
}

// instanceTypePattern splits a type into class, generation, attributes and size, such as
// m, 7, gd and 2xlarge (EC2 User Guide, "Naming conventions").
var instanceTypePattern = regexp.MustCompile(`^([a-z]+)(\d+)([a-z]*(?:-flex)?)\.(nano|micro|small|medium|\d*x?large|metal(?:-\d+xl)?)$`)

// Validate returns all errors of a fleet. maxInstances is the largest number of instances in the
// group.
func (f Fleet) Validate(maxInstances int) error {
	var errs []error
	if len(f.InstanceTypes) == 0 {
		errs = append(errs, errors.New("no instance type: must have at least one"))
	}
	classAndSize := func(t string) (string, bool) {
		m := instanceTypePattern.FindStringSubmatch(t)
		if m == nil {
			return "", false
		}
		return m[1] + " " + m[4], true
	}
	for _, t := range f.InstanceTypes {
		current, ok := classAndSize(t)
		first, _ := classAndSize(f.InstanceTypes[0])
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("instance type %q: must have the form of m7i.xlarge", t))
		case current != first:
			errs = append(errs, fmt.Errorf("instance types %s and %s differ in class or size: must be the same, because the Cluster Autoscaler uses the cores and memory of the first one for all", f.InstanceTypes[0], t))
		case isARM(t) != isARM(f.InstanceTypes[0]):
			errs = append(errs, fmt.Errorf("instance types %s and %s differ in architecture: must be the same, because no machine image runs on both", f.InstanceTypes[0], t))
		}
	}
	if len(errs) == 0 {
		_, err := f.SmallestHardware()
		errs = append(errs, err)
	}
	if f.SpotShare < 0 || f.SpotShare > 100 {
		errs = append(errs, fmt.Errorf("spot share of %s: must be 0 to 100 %%", f.SpotShare))
	}
	if f.OnDemandBase < 0 || f.OnDemandBase > maxInstances {
		errs = append(errs, fmt.Errorf("on-demand base of %d: must be 0 to the group's %d", f.OnDemandBase, maxInstances))
	}
	if f.VolumeGiB < MinVolume || f.VolumeGiB > MaxVolume {
		errs = append(errs, fmt.Errorf("root volume of %d GiB: must be %d to %d", f.VolumeGiB, MinVolume, MaxVolume))
	}
	return errors.Join(errs...)
}

// isARM reports whether an instance type has a Graviton processor. The name of such a type has a
// "g" after the generation. The only exception is a1, the first Graviton type.
func isARM(t string) bool {
	m := instanceTypePattern.FindStringSubmatch(t)
	return m != nil && (strings.Contains(m[3], "g") || m[1]+m[2] == "a1")
}

// ImageParameter returns the name of the public SSM parameter with the id of a release's
// image for the fleet's architecture. The value of the parameter never changes
// (aws/karpenter-provider-aws, pkg/providers/amifamily/al2023.go).
func (f Fleet) ImageParameter(r Release) string {
	return fmt.Sprintf("/aws/service/eks/optimized-ami/%[1]s/amazon-linux-2023/%[2]s/standard/amazon-eks-node-al2023-%[2]s-standard-%[1]s-v%[3]s/image_id",
		r.Version, f.ec2Architecture(), r.Date.Format(releaseDateLayout))
}

// DefaultFleet returns on-demand general-purpose instances with four cores and 16 GiB. This is the
// smallest size that can run a pod of the main application at its limits together with an agent's
// pod. If AWS has too few instances of one type, AWS launches another of the three types. The
// volume of 50 GiB is several times as large as the images, logs and caches of the pods together.
func DefaultFleet() Fleet {
	return Fleet{InstanceTypes: []string{"m7i.xlarge", "m6i.xlarge", "m5.xlarge"}, VolumeGiB: 50}
}
