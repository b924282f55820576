// Package ekscalendar owns EKS's release calendar: the dates on which AWS ends the support
// of each Kubernetes version. It imports no SDK. Package eksspec has the versions that the
// platform offers, and their add-ons.
package ekscalendar

import "time"

// Notice is the time before an end of support during which a preview warns. AWS
// announces an end at least 60 days before (EKS User Guide, "Understand the
// Kubernetes version lifecycle on EKS"). The other 30 days are for the upgrade.
const Notice = 90 * 24 * time.Hour

// Support has the ends of EKS's standard and extended support of a version. Each end is
// 00:00 UTC of AWS's date. After the end of standard support, a cluster with the upgrade
// policy EXTENDED costs more, and AWS upgrades a cluster with the policy STANDARD. After
// the end of extended support, AWS upgrades both.
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
//   - 1.36: the same page of AWS, as quoted in Kiro's upgrade skills for EKS on
//     2026-08-06. The output of `aws eks describe-cluster-versions` in AWS's
//     templates for GPU clusters of 2026-09 has the same dates.
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

// date returns 00:00 UTC of a day.
func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// ForVersion returns the support of a minor version such as "1.36". It returns false if
// the dates of the version are not known.
func ForVersion(minor string) (Support, bool) {
	s, known := calendar[minor]
	return s, known
}
