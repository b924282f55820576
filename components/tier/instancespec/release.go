package instancespec

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// newestDate is the date of the newest release of AWS's node images that the platform supports
// (awslabs/amazon-eks-ami, tag v20260923). AWS builds an image of each supported Kubernetes
// version for a release.
var newestDate = time.Date(2026, time.September, 23, 0, 0, 0, 0, time.UTC)

// MaxImageAge is the largest age of a node image's release without an alarm. AWS publishes a release
// every one or two weeks. A stack that changes its release every month may skip one change.
const MaxImageAge = 60 * 24 * time.Hour

// Release is a release of AWS's EKS-optimized Amazon Linux 2023 image.
type Release struct {
	// Version is the Kubernetes minor version of the kubelet.
	Version string
	// Date is the day of the release, in UTC.
	Date time.Time
}

// releaseDateLayout is the layout of a release's date, for package time.
const releaseDateLayout = "20060102"

// releasePattern matches a release. Its groups are the Kubernetes minor version and the date.
var releasePattern = regexp.MustCompile(`^(\d+\.\d+)-(\d{8})$`)

// ParseRelease parses a release such as "1.34-20260923".
func ParseRelease(text string) (Release, error) {
	m := releasePattern.FindStringSubmatch(text)
	if m == nil {
		return Release{}, fmt.Errorf("node image release %q: must be a Kubernetes minor version and a date, such as %s", text, NewestRelease("1.36"))
	}
	date, err := time.Parse(releaseDateLayout, m[2])
	if err != nil {
		return Release{}, fmt.Errorf("node image release %q: %s is no date: must be year, month and day, such as %s", text, m[2], newestDate.Format(releaseDateLayout))
	}
	return Release{Version: m[1], Date: date}, nil
}

// NewestRelease returns the newest release that the platform supports, for a Kubernetes minor
// version.
func NewestRelease(version string) Release { return Release{Version: version, Date: newestDate} }

// String returns the text that ParseRelease parses.
func (r Release) String() string { return r.Version + "-" + r.Date.Format(releaseDateLayout) }

// maxSkew is the largest number of minor versions by which a kubelet may be older than its
// API server (kubernetes.io, "Version Skew Policy").
const maxSkew = 3

// CheckSkew returns an error if nodes of this release are newer than the control plane, or
// too old for it. controlPlane is the Kubernetes minor version of the control plane.
func (r Release) CheckSkew(controlPlane string) error {
	nodeMajor, nodeMinor, err := parseVersion(r.Version)
	if err != nil {
		return err
	}
	controlPlaneMajor, controlPlaneMinor, err := parseVersion(controlPlane)
	if err != nil {
		return err
	}
	if nodeMajor != controlPlaneMajor {
		return fmt.Errorf("nodes of Kubernetes %s can't join a control plane of %s: choose a release of %s", r.Version, controlPlane, controlPlane)
	}
	switch behind := controlPlaneMinor - nodeMinor; {
	case behind < 0:
		return fmt.Errorf("nodes of Kubernetes %s can't join a control plane of %s: upgrade cluster.version first", r.Version, controlPlane)
	case behind > maxSkew:
		return fmt.Errorf("nodes of Kubernetes %s are more than %s minor versions behind a control plane of %s: change the nodes first",
			r.Version, strconv.Itoa(maxSkew), controlPlane)
	}
	return nil
}

// parseVersion returns the major and minor numbers of a Kubernetes version such as "1.34".
func parseVersion(version string) (major, minor int, err error) {
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return 0, 0, fmt.Errorf("kubernetes version %q: %w", version, err)
	}
	return major, minor, nil
}
