package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier/instancespec"
)

// Tiers is what the stack changes of each tier of nodes, by the tier's name:
// `web` or `application`.
type Tiers map[string]Tier

// Tier is what a stack may change of a tier of nodes.
type Tier struct {
	// The smallest number of instances, at least 1.
	Min int `key:"min"`
	// The number of instances at creation, not below `min`. Afterwards an
	// autoscaler decides.
	Desired int `key:"desired"`
	// The largest number of instances. At least `desired`.
	Max int `key:"max"`
	// What removes instances: the Cluster Autoscaler, or the group's own scaling
	// policies. Never both.
	ScaleIn scaling.ScaleInOwner `key:"scaleIn"`
	// Instance types that can replace each other, the preferred one first. All
	// have the same class, size and architecture.
	InstanceTypes []string `key:"instanceTypes"`
	// How many instances are on-demand before any is spot.
	OnDemandBase int `key:"onDemandBase"`
	// The share of spot among the instances beyond `onDemandBase`, in percent.
	SpotShare int `key:"spotShare"`
	// The root volume of a node in GiB: 20 to 16384.
	VolumeGiB int `key:"volumeGiB"`
	// The AMI of the nodes. Unset, AWS's recommended AMI is looked up when the
	// tier is created or the cluster's version changes, and then kept. To take a
	// newer one, set it: the tier then replaces its nodes step by step.
	ImageID string `key:"imageId" unset:"AWS's recommended AMI"`
}

// NodeTier is a tier of nodes with the stack's changes applied.
type NodeTier struct {
	Profile scaling.Tier
	Owner   scaling.Owner
	Fleet   instancespec.Fleet
	ImageID string
}

// NodeTiers lists the tiers of nodes on a cluster. Its error is one that Load
// gives too.
func (s *Stack) NodeTiers(clusterName string) ([]NodeTier, error) {
	var all []NodeTier
	for _, profile := range scaling.Tiers() {
		change := s.Tiers[string(profile.Name)]
		sized, err := profile.WithSize(change.size())
		if err != nil {
			return nil, err
		}
		all = append(all, NodeTier{
			Profile: sized,
			Owner:   change.ScaleIn.Owner(clusterName),
			Fleet:   change.fleet(),
			ImageID: change.ImageID,
		})
	}
	return all, nil
}

func (t Tier) size() scaling.Size { return scaling.Size{Min: t.Min, Desired: t.Desired, Max: t.Max} }

func (t Tier) fleet() instancespec.Fleet {
	f := instancespec.DefaultFleet()
	if len(t.InstanceTypes) > 0 {
		f.InstanceTypes = t.InstanceTypes
	}
	if t.VolumeGiB != 0 {
		f.VolumeGiB = t.VolumeGiB
	}
	f.OnDemandBase, f.SpotShare = t.OnDemandBase, scaling.Percent(t.SpotShare)
	return f
}

func validateTiers(s *Stack) field.ErrorList {
	var problems field.ErrorList
	profiles := map[string]scaling.Tier{}
	for _, t := range scaling.Tiers() {
		profiles[string(t.Name)] = t
	}
	known := slices.Sorted(maps.Keys(profiles))
	for _, name := range slices.Sorted(maps.Keys(s.Tiers)) {
		at, change := path("tiers").Child(name), s.Tiers[name]
		profile, ok := profiles[name]
		if !ok {
			problems = append(problems, field.NotSupported(path("tiers"), name, known))
			continue
		}
		sized, err := profile.WithSize(change.size())
		if err != nil {
			problems = append(problems, field.Invalid(at, fmt.Sprintf("%+v", change.size()), err.Error()))
		}
		if err := change.fleet().Validate(sized.Size.Max); err != nil {
			problems = append(problems, field.Invalid(at, strings.Join(change.fleet().InstanceTypes, ", "), err.Error()))
		}
		if change.ImageID != "" && !imageID.MatchString(change.ImageID) {
			problems = append(problems, field.Invalid(at.Child("imageId"), change.ImageID, "must be such as ami-0123456789abcdef0"))
		}
		if change.OnDemandBase > 0 && change.SpotShare == 0 {
			problems = append(problems, field.Forbidden(at.Child("onDemandBase"), "has no effect without spotShare, because all instances are then on-demand; take it out"))
		}
	}
	return problems
}
