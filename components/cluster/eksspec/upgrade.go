package eksspec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Stage is a stage of the upgrade of a cluster by one minor version. Each stage includes
// the stages before it. Nodes are not a stage: each tier has the release of its node
// image (instancespec.Release).
type Stage string

// The stages are in the order that AWS requires: no part may be newer than the control
// plane, and nodes run the add-ons of their cluster (EKS Best Practices, "Cluster
// upgrades").
const (
	StageControlPlane Stage = "controlPlane"
	StageAddons       Stage = "addons"
	StageAutoscaler   Stage = "autoscaler"
)

// stages lists the stages in their order.
var stages = []Stage{StageControlPlane, StageAddons, StageAutoscaler}

// Values lists the stages in their order.
func (Stage) Values() []string {
	values := make([]string, len(stages))
	for i, s := range stages {
		values[i] = string(s)
	}
	return values
}

// ComponentVersions are the Kubernetes minor versions of a cluster's parts, such as "1.36".
type ComponentVersions struct{ ControlPlane, Addons, Autoscaler string }

// ComponentVersionsAt returns the versions of the parts during an upgrade to version. The parts of
// the stage and of earlier stages have version. The other parts have the previous minor
// version. The empty stage means the last one. ComponentVersionsAt returns an error for an unknown
// stage, and for a version without a row in releases.
func ComponentVersionsAt(version string, stage Stage) (ComponentVersions, error) {
	if _, err := ForVersion(version); err != nil {
		return ComponentVersions{}, err
	}
	parts := ComponentVersions{version, version, version}
	if stage == "" || stage == StageAutoscaler {
		return parts, nil
	}
	stageIndex := slices.Index(stages, stage)
	if stageIndex < 0 {
		return ComponentVersions{}, fmt.Errorf("upgrade stage %q: must be one of %s", stage, strings.Join(stage.Values(), ", "))
	}
	previousVersion, err := previousMinor(version)
	if err != nil {
		return ComponentVersions{}, err
	}
	if _, err := ForVersion(previousVersion); err != nil {
		return ComponentVersions{}, fmt.Errorf("upgrade stage %s: the parts after it have the version before %s: %w", stage, version, err)
	}
	for i, part := range []*string{&parts.ControlPlane, &parts.Addons, &parts.Autoscaler} {
		if i > stageIndex {
			*part = previousVersion
		}
	}
	return parts, nil
}

// previousMinor returns the minor version before version.
func previousMinor(version string) (string, error) {
	n, err := minorNumber(version)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("1.%d", n-1), nil
}

// minorNumber returns the minor number of a version of Kubernetes 1, such as 36 of "1.36".
func minorNumber(version string) (int, error) {
	text, found := strings.CutPrefix(version, "1.")
	n, err := strconv.Atoi(text)
	if !found || err != nil {
		return 0, fmt.Errorf("Kubernetes version %q: must be such as 1.36", version)
	}
	return n, nil
}
