package eksspec

import (
	"fmt"
	"time"

	"github.com/progressive-framework/platform/components/cluster/ekscalendar"
)

// CheckSupport checks that EKS supports the version today, under the upgrade policy EXTENDED
// or STANDARD. It returns a warning if the support ends within ekscalendar.Notice, and an
// error if it has ended.
func (v Version) CheckSupport(today time.Time, extended bool) (warning string, err error) {
	support, known := ekscalendar.ForVersion(string(v))
	if !known {
		return "", fmt.Errorf("Kubernetes version %q: the end of its support is not known", v)
	}
	kind, end := "standard", support.End(extended)
	if extended {
		kind = "extended"
	}
	day := end.Format(time.DateOnly)
	if !today.Before(end) {
		hint := ""
		if !extended && today.Before(support.Extended) {
			hint = ". If the cluster still has it, cluster.extendedSupport: true keeps it at AWS's higher price"
		}
		return "", fmt.Errorf("its %s support ended on %s, and EKS upgrades the cluster by itself: run pulumi refresh, then set the version that the cluster has, or the next one (docs/runbooks/upgrade.md)%s", kind, day, hint)
	}
	if !today.Add(ekscalendar.Notice).Before(end) {
		return fmt.Sprintf("cluster.version: %s support of Kubernetes %s ends on %s. Upgrade before that day (docs/runbooks/upgrade.md): from then on "+
			"EKS upgrades the cluster by itself, and this version is refused", kind, v, day), nil
	}
	return "", nil
}

// CheckNotOlder returns an error if the configured version is older than live, the version of
// the cluster at EKS. An empty live means that the cluster does not exist yet. EKS upgrades a
// cluster when the support of its version ends. The version in the configuration would then
// request a downgrade, which EKS refuses.
func CheckNotOlder(configured, live string) error {
	if live == "" {
		return nil
	}
	configuredMinor, err := minorNumber(configured)
	if err != nil {
		return err
	}
	liveMinor, err := minorNumber(live)
	if err != nil {
		return err
	}
	if configuredMinor >= liveMinor {
		return nil
	}
	return fmt.Errorf("cluster.version: %q is older than the cluster, which has %s: EKS, or a person, has upgraded it, and EKS does not downgrade it. "+
		"Run pulumi refresh, set cluster.version to %s, and update the other parts (docs/runbooks/upgrade.md)", configured, live, live)
}
