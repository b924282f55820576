// Package ekscalendar owns EKS's release calendar: until when AWS supports a
// Kubernetes version. It is pure. Which versions the platform offers, and with
// which add-ons, is in package eksspec.
package ekscalendar

import "time"

// Notice is how long before an end of support a version is reported. AWS
// announces an end at least 60 days before (EKS User Guide, "Understand the
// Kubernetes version lifecycle on EKS"). Another month is for the upgrade.
const Notice = 90 * 24 * time.Hour

// Support is until when EKS supports a version. Each end is 00:00 UTC of AWS's
// date. From Standard on AWS asks more for a cluster with the upgrade policy
// EXTENDED, and upgrades one with the policy STANDARD by itself. From Extended on
// it upgrades both.
type Support struct{ Standard, Extended time.Time }

// End returns the end of support under an upgrade policy: EXTENDED or STANDARD.
func (s Support) End(extended bool) time.Time {
	if extended {
		return s.Extended
	}
	return s.Standard
}

// calendar is AWS's release calendar, by minor version.
//
// Sources, read on 2026-11-29:
//   - up to 1.34: awsdocs/amazon-eks-user-guide,
//     latest/ug/versioning/kubernetes-versions.adoc;
//   - 1.35: aws-samples/sample-apex-skills, eks-operation-review,
//     references/cluster-lifecycle, as of 2026-04-24;
//   - 1.36: AWS's same page as quoted on 2026-08-06 in the upgrade skills for EKS
//     of Kiro, and the output of `aws eks describe-cluster-versions` in AWS's
//     templates for GPU clusters of 2026-09.
//
// 1.37 is missing: no dated source was found.
var calendar = map[string]Support{
	"1.31": {date(2025, time.November, 26), date(2026, time.November, 26)},
	"1.32": {date(2026, time.March, 23), date(2027, time.March, 23)},
	"1.33": {date(2026, time.July, 29), date(2027, time.July, 29)},
	"1.34": {date(2026, time.December, 2), date(2027, time.December, 2)},
	"1.35": {date(2027, time.March, 27), date(2028, time.March, 27)},
	"1.36": {date(2027, time.August, 2), date(2028, time.August, 2)},
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// ForVersion returns the support of a minor version such as "1.36"; false if its dates
// are not known.
func ForVersion(minor string) (Support, bool) {
	s, known := calendar[minor]
	return s, known
}
