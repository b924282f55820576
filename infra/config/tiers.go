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
	// What adds and removes instances: the Cluster Autoscaler, or the group's own
	// scaling policies. Never both. With the Cluster Autoscaler the alarms of the
	// tier notify `edge.alarmTopicArn` and change nothing.
	CapacityOwner scaling.CapacityOwner `key:"capacityOwner"`
	// Instance types that can replace each other, the preferred one first. All
	// have the same class, size and architecture.
	InstanceTypes []string `key:"instanceTypes"`
	// How many instances are on-demand before any is spot.
	OnDemandBase int `key:"onDemandBase"`
	// The share of spot among the instances beyond `onDemandBase`, in percent.
	SpotShare int `key:"spotShare"`
	// The root volume of a node in GiB: 20 to 16384.
	VolumeGiB int `key:"volumeGiB"`
	// The release of AWS's node image: the Kubernetes minor version of the nodes and the date, such
	// as `1.34-20260923`. Another release replaces the nodes of the tier step by step; change one
	// tier in an update. The nodes may be up to three minor versions older than `cluster.version`.
	// If it is not set, the tier keeps the image that it was created with: the newest release that
	// the platform had on that day.
	Release string `key:"release" unset:"the image that the tier has"`
	// An AMI in place of a release: yours, a shared or a public one, in the stack's region. A preview
	// reads it. Its architecture must be that of `instanceTypes`, and its root device `/dev/xvda` with
	// at most `volumeGiB`. No alarm watches its age.
	ImageID string `key:"imageId"`
}

// NodeTier is a tier of nodes with the stack's changes applied.
type NodeTier struct {
	Profile scaling.Tier
	Owner   scaling.Owner
	Fleet   instancespec.Fleet
}

// NodeTiers lists the tiers of nodes on a cluster. Load returns the same errors.
func (s *Stack) NodeTiers(clusterName string) ([]NodeTier, error) {
	var tiers []NodeTier
	for _, profile := range scaling.Tiers() {
		change := s.Tiers[string(profile.Name)]
		sized, err := profile.WithSize(change.size())
		if err != nil {
			return nil, err
		}
		tiers = append(tiers, NodeTier{
			Profile: sized,
			Owner:   change.CapacityOwner.Owner(clusterName),
			Fleet:   change.fleet(),
		})
	}
	return tiers, nil
}

// NodeImage is the image of the nodes of a tier: a release, or an AMI.
type NodeImage struct {
	Release instancespec.Release
	ID      string
}

// nodeImageFieldID returns the id under which the guard records the image of a tier's nodes.
func nodeImageFieldID(tier scaling.TierName) string { return "image of the nodes of " + string(tier) }

// NodeImages returns the images of the tiers' nodes by the tiers' names, from the recorded
// values of FixedFields. Its error names nodes that do not fit the control plane.
func (s *Stack) NodeImages(recorded map[string]string) (map[scaling.TierName]NodeImage, error) {
	images := map[scaling.TierName]NodeImage{}
	for _, t := range scaling.Tiers() {
		value := recorded[nodeImageFieldID(t.Name)]
		if imageID.MatchString(value) {
			images[t.Name] = NodeImage{ID: value}
			continue
		}
		releaseKey := "tiers." + string(t.Name) + ".release"
		release, err := instancespec.ParseRelease(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", releaseKey, err)
		}
		if err := release.CheckSkew(string(s.Cluster.Version)); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", releaseKey, value, err)
		}
		images[t.Name] = NodeImage{Release: release}
	}
	return images, nil
}

func (t Tier) size() scaling.Size { return scaling.Size{Min: t.Min, Desired: t.Desired, Max: t.Max} }

// formatSizes returns the numbers of instances that the stack sets, for an error.
func (t Tier) formatSizes() string {
	var parts []string
	for _, n := range []struct {
		key   string
		value int
	}{{"min", t.Min}, {"desired", t.Desired}, {"max", t.Max}} {
		if n.value != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", n.key, n.value))
		}
	}
	return strings.Join(parts, ", ")
}

// fleet returns the settings of the tier's instances, with the defaults for unset keys.
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

// checkNodeRelease returns an error unless a text is a release of the node image that fits the
// version of the control plane.
func (s *Stack) checkNodeRelease(text string) error {
	release, err := instancespec.ParseRelease(text)
	if err != nil {
		return err
	}
	return release.CheckSkew(string(s.Cluster.Version))
}

// validateTiers checks the changes of each tier of nodes.
func validateTiers(s *Stack) field.ErrorList {
	var problems field.ErrorList
	profiles := map[string]scaling.Tier{}
	for _, t := range scaling.Tiers() {
		profiles[string(t.Name)] = t
	}
	known := slices.Sorted(maps.Keys(profiles))
	for _, name := range slices.Sorted(maps.Keys(s.Tiers)) {
		keyPath, change := path("tiers").Child(name), s.Tiers[name]
		profile, ok := profiles[name]
		if !ok {
			problems = append(problems, field.NotSupported(path("tiers"), name, known))
			continue
		}
		sized, err := profile.WithSize(change.size())
		if err != nil {
			problems = append(problems, field.Invalid(keyPath, change.formatSizes(), err.Error()))
		} else if change.OnDemandBase > sized.Size.Max {
			problems = append(problems, field.Invalid(keyPath.Child("onDemandBase"), change.OnDemandBase, fmt.Sprintf(
				"must be at most max, which is %d: lower it, or raise max", sized.Size.Max)))
		}
		fleet := change.fleet()
		fleet.OnDemandBase = 0 // onDemandBase is checked above
		if err := fleet.Validate(sized.Size.Max); err != nil {
			problems = append(problems, field.Invalid(keyPath.Child("instanceTypes"), strings.Join(fleet.InstanceTypes, ", "), err.Error()))
		}
		if change.ImageID != "" && !imageID.MatchString(change.ImageID) {
			problems = append(problems, field.Invalid(keyPath.Child("imageId"), change.ImageID, "must be such as ami-0123456789abcdef0"))
		}
		if change.ImageID != "" && change.Release != "" {
			problems = append(problems, field.Forbidden(keyPath.Child("imageId"), "has no effect with release; remove one of them"))
		}
		if change.Release != "" {
			if err := s.checkNodeRelease(change.Release); err != nil {
				problems = append(problems, field.Invalid(keyPath.Child("release"), change.Release, err.Error()))
			}
		}
		if change.OnDemandBase > 0 && change.SpotShare == 0 {
			problems = append(problems, field.Forbidden(keyPath.Child("onDemandBase"), "has no effect without spotShare, because all instances are then on-demand; remove it"))
		}
	}
	return problems
}
