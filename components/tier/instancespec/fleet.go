// Package instancespec checks the specification of a tier's EC2 instances: which
// types may replace each other, how many may be spot, how big the root volume
// is, and which image they start from. It is pure; the resources are package
// tier's.
package instancespec

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/progressive-framework/platform/components/scaling"
)

// The bounds of a root volume, in GiB: what the EKS image needs at least
// (amazon-eks-ami, "Root volume size"), and gp3's largest (EBS User Guide).
const (
	MinVolume = 20
	MaxVolume = 16384
)

// Fleet is what a tier's instances are.
type Fleet struct {
	// InstanceTypes may stand for each other, the preferred first. They are of
	// one shape, because the Cluster Autoscaler takes all for the first.
	InstanceTypes []string
	// OnDemandBase is how many are on-demand before any spot is taken.
	OnDemandBase int
	// SpotShare is how much of the rest is spot, 0 to 100 %.
	SpotShare scaling.Percent
	// VolumeGiB is the size of the root volume, MinVolume to MaxVolume.
	VolumeGiB int
}

// instanceType parts a type into its class, its generation, its attributes
// and its size, such as m, 7, gd and 2xlarge (EC2 User Guide, "Naming
// conventions").
var instanceType = regexp.MustCompile(`^([a-z]+)(\d+)([a-z]*(?:-flex)?)\.(nano|micro|small|medium|\d*x?large|metal(?:-\d+xl)?)$`)

// Validate says everything that is wrong with a fleet of at most size
// instances.
func (f Fleet) Validate(size int) error {
	var errs []error
	if len(f.InstanceTypes) == 0 {
		errs = append(errs, errors.New("must have an instance type"))
	}
	shape := func(t string) (string, bool) {
		m := instanceType.FindStringSubmatch(t)
		if m == nil {
			return "", false
		}
		return m[1] + " " + m[4], true
	}
	for _, t := range f.InstanceTypes {
		own, ok := shape(t)
		first, _ := shape(f.InstanceTypes[0])
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("instance type %q: must be such as m7i.xlarge", t))
		case own != first:
			errs = append(errs, fmt.Errorf("instance types %s and %s differ in class or size; the Cluster Autoscaler counts on the first one's cores and memory", f.InstanceTypes[0], t))
		case arm(t) != arm(f.InstanceTypes[0]):
			errs = append(errs, fmt.Errorf("instance types %s and %s differ in architecture; no image runs on both", f.InstanceTypes[0], t))
		}
	}
	if f.SpotShare < 0 || f.SpotShare > 100 {
		errs = append(errs, fmt.Errorf("spot share of %s: must be 0 to 100 %%", f.SpotShare))
	}
	if f.OnDemandBase < 0 || f.OnDemandBase > size {
		errs = append(errs, fmt.Errorf("on-demand base of %d: must be 0 to the group's %d", f.OnDemandBase, size))
	}
	if f.VolumeGiB < MinVolume || f.VolumeGiB > MaxVolume {
		errs = append(errs, fmt.Errorf("root volume of %d GiB: must be %d to %d", f.VolumeGiB, MinVolume, MaxVolume))
	}
	return errors.Join(errs...)
}

// arm says whether an instance type has AWS's own processor: a g among its
// attributes, or the first of them all.
func arm(t string) bool {
	m := instanceType.FindStringSubmatch(t)
	return m != nil && (strings.Contains(m[3], "g") || m[1]+m[2] == "a1")
}

// ImageParameter is the public SSM parameter that holds the newest EKS image
// of Amazon Linux 2023 for a Kubernetes version and the fleet's architecture
// (EKS User Guide, "Retrieve recommended Amazon Linux AMI IDs").
func (f Fleet) ImageParameter(version string) string {
	architecture := "x86_64"
	if arm(f.InstanceTypes[0]) {
		architecture = "arm64"
	}
	return fmt.Sprintf("/aws/service/eks/optimized-ami/%s/amazon-linux-2023/%s/standard/recommended/image_id", version, architecture)
}

// DefaultFleet is general-purpose instances of four cores and 16 GiB, of which
// three generations stand for each other when one is scarce: the smallest that
// holds the main application's pod at its limits beside an agent's. All are
// on-demand. The volume holds images, logs and the pods' caches many times.
func DefaultFleet() Fleet {
	return Fleet{InstanceTypes: []string{"m7i.xlarge", "m6i.xlarge", "m5.xlarge"}, VolumeGiB: 50}
}
