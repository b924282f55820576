package config

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier/instancespec"
)

// Tier is what a stack may change of a tier of nodes.
type Tier struct {
	// Min, Desired and Max are numbers of instances, Min <= Desired <= Max;
	// zero: the profile's. Desired counts only when the tier is made.
	Min     int `mapstructure:"min"`
	Desired int `mapstructure:"desired"`
	Max     int `mapstructure:"max"`
	// ScaleIn is who takes instances away: ScaleInClusterAutoscaler (the
	// default) or ScaleInPolicies.
	ScaleIn string `mapstructure:"scaleIn"`
	// InstanceTypes stand for each other, the preferred first; none: those of
	// instancespec.DefaultFleet.
	InstanceTypes []string `mapstructure:"instanceTypes"`
	// OnDemandBase is how many are on-demand before any spot is taken.
	OnDemandBase int `mapstructure:"onDemandBase"`
	// SpotShare is how much of the rest is spot, 0 to 100 %.
	SpotShare int `mapstructure:"spotShare"`
	// VolumeGiB is the size of a node's root volume; zero: the default's.
	VolumeGiB int `mapstructure:"volumeGiB"`
	// ImageID is the nodes' image; empty: AWS's recommended one of the day on
	// which the tier is made, or the cluster's version changes.
	ImageID string `mapstructure:"imageId"`
}

// Who takes instances away from a tier.
const (
	ScaleInClusterAutoscaler = "clusterAutoscaler"
	ScaleInPolicies          = "scalingPolicies"
)

// NodeTier is a tier of nodes with the stack's changes applied.
type NodeTier struct {
	Profile scaling.Tier
	Driver  scaling.Driver
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
		t := NodeTier{
			Profile: sized,
			Driver:  scaling.ClusterAutoscaler{ClusterName: clusterName},
			Fleet:   change.fleet(),
			ImageID: change.ImageID,
		}
		if change.ScaleIn == ScaleInPolicies {
			t.Driver = scaling.ScalingPolicies{}
		}
		all = append(all, t)
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

func validateTiers(changes map[string]Tier) field.ErrorList {
	var problems field.ErrorList
	profiles := map[string]scaling.Tier{}
	for _, t := range scaling.Tiers() {
		profiles[string(t.Name)] = t
	}
	known := slices.Sorted(maps.Keys(profiles))
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		at, change := path("tiers").Child(name), changes[name]
		profile, ok := profiles[name]
		if !ok {
			problems = append(problems, field.NotSupported(path("tiers"), name, known))
			continue
		}
		sized, err := profile.WithSize(change.size())
		if err != nil {
			problems = append(problems, field.Invalid(at, change.size(), err.Error()))
		}
		if err := change.fleet().Validate(sized.Size.Max); err != nil {
			problems = append(problems, field.Invalid(at, change.InstanceTypes, err.Error()))
		}
		drivers := []string{ScaleInClusterAutoscaler, ScaleInPolicies}
		if change.ScaleIn != "" && !slices.Contains(drivers, change.ScaleIn) {
			problems = append(problems, field.NotSupported(at.Child("scaleIn"), change.ScaleIn, drivers))
		}
		if change.ImageID != "" && !imageID.MatchString(change.ImageID) {
			problems = append(problems, field.Invalid(at.Child("imageId"), change.ImageID, "must be such as ami-0123456789abcdef0"))
		}
	}
	return problems
}
