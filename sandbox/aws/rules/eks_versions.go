package rules

import (
	"slices"
	"time"
)

// eksVersion is an entry of EKS's release calendar: a minor version, and the days on which its
// standard and its extended support end, at 00:00 UTC. A day has the form 2026-03-23, so the
// order of the texts is the order of the days.
type eksVersion struct{ minor, standardEnd, extendedEnd string }

// eksCalendar has the versions of EKS, oldest first
// (eks/latest/userguide/kubernetes-versions.html). The dates were read on 2026-11-29 in
// copies of that page. The dates up to 1.34 are from awsdocs/amazon-eks-user-guide. The dates
// of 1.35 and 1.36 are from aws-samples/sample-apex-skills and from an output of
// `aws eks describe-cluster-versions` of September 2026. EKS has 1.37 since 2026-10-01.
// This version is left out, because its dates were not found.
var eksCalendar = []eksVersion{
	{"1.32", "2026-03-23", "2027-03-23"},
	{"1.33", "2026-07-29", "2027-07-29"},
	{"1.34", "2026-12-02", "2027-12-02"},
	{"1.35", "2027-03-27", "2028-03-27"},
	{"1.36", "2027-08-02", "2028-08-02"},
}

// eksVersions are the minor versions of the calendar.
var eksVersions = minorVersions(eksCalendar)

// minorVersions returns the minor versions of a calendar, in its order.
func minorVersions(calendar []eksVersion) []string {
	var all []string
	for _, v := range calendar {
		all = append(all, v.minor)
	}
	return all
}

// supportTypeExtended is the upgrade policy under which EKS keeps a version until the
// end of extended support. It is EKS's default.
const supportTypeExtended = "EXTENDED"

// supportEnded reports whether the support of a version under an upgrade policy has ended.
func (v eksVersion) supportEnded(policy string, now time.Time) bool {
	end := v.standardEnd
	if policy == supportTypeExtended {
		end = v.extendedEnd
	}
	return now.UTC().Format(time.DateOnly) >= end
}

// clusterUpgradePolicy returns the upgrade policy of a cluster: STANDARD, or EXTENDED, which is
// EKS's default.
func clusterUpgradePolicy(cluster Object) string {
	if policy := cluster.Object("upgradePolicy").String("supportType"); policy != "" {
		return policy
	}
	return supportTypeExtended
}

// clusterVersion returns the Kubernetes version that a cluster has now. After the
// support of a version ends, EKS upgrades the control plane to the next version
// (eks/latest/userguide/view-upgrade-policy.html and kubernetes-versions.html). The stand-in
// upgrades on the day on which the support ends. It never upgrades the newest version of the
// calendar. A version that is not in the calendar is returned unchanged.
func clusterVersion(cluster Object, now time.Time) string {
	version := cluster.String("version")
	i := slices.Index(eksVersions, version)
	if i < 0 {
		return version
	}
	for i < len(eksCalendar)-1 && eksCalendar[i].supportEnded(clusterUpgradePolicy(cluster), now) {
		i++
	}
	return eksCalendar[i].minor
}

// verifyVersionSupported returns an error if EKS no longer offers the version in the inputs of a
// cluster (kubernetes-versions.html, "Amazon EKS extended support FAQs"). It also returns an
// error for a version without standard support on a cluster with the policy STANDARD. AWS does
// not document whether EKS allows such a version.
func verifyVersionSupported(in Object, now time.Time) error {
	version := in.String("version")
	i := slices.Index(eksVersions, version)
	switch {
	case i < 0:
		return nil // the Enum rule of the property refuses it
	case eksCalendar[i].supportEnded(supportTypeExtended, now):
		return refuse("InvalidParameterException", "unsupported Kubernetes version %s", version)
	case eksCalendar[i].supportEnded(clusterUpgradePolicy(in), now):
		return refuse("InvalidParameterException", "unsupported Kubernetes version %s for upgrade policy STANDARD; its standard support ended on %s",
			version, eksCalendar[i].standardEnd)
	}
	return nil
}

// EKSSupport returns the days on which the standard and the extended support of a minor version
// end. known is false if the calendar does not have the version.
func EKSSupport(minor string) (standardEnd, extendedEnd string, known bool) {
	i := slices.Index(eksVersions, minor)
	if i < 0 {
		return "", "", false
	}
	return eksCalendar[i].standardEnd, eksCalendar[i].extendedEnd, true
}
