package eksspec

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReleasesPinEveryVersion(t *testing.T) {
	version := regexp.MustCompile(`^v\d+\.\d+\.\d+-eksbuild\.\d+$`)
	for _, minor := range Versions() {
		t.Run(minor, func(t *testing.T) {
			r, err := ForVersion(minor)
			require.NoError(t, err)
			for _, name := range []string{VPCCNI, KubeProxy, PodIdentityAgent, CoreDNS, EBSCSIDriver, MetricsServer, SecretsStore} {
				require.Regexp(t, version, r.Addons[name], name)
			}
			require.Len(t, r.Addons, 7)
			require.True(t, strings.HasPrefix(r.Addons[KubeProxy], "v"+minor+"."), "kube-proxy has the cluster's minor version")
			require.True(t, strings.HasPrefix(r.ClusterAutoscaler, "v"+minor+"."), "the autoscaler has the cluster's minor version")
		})
	}
	_, err := ForVersion("1.12")
	require.ErrorContains(t, err, `"1.12": must be one of 1.33, 1.34, 1.35, 1.36`)
}

func TestCheckZonesNeedsTwoZonesWithSubnets(t *testing.T) {
	available := []string{"us-east-1c", "us-east-1a", "us-east-1b"}
	for _, tc := range []struct {
		reason string
		zones  []string
		want   string
	}{
		{"two of three", []string{"us-east-1a", "us-east-1b"}, ""},
		{"all", available, ""},
		{"one zone, which EKS refuses", []string{"us-east-1a"}, "at least two"},
		{"one zone twice", []string{"us-east-1a", "us-east-1a"}, "named twice"},
		{"a zone that the network does not have", []string{"us-east-1a", "us-east-1d"}, "us-east-1d has no subnet; the network has us-east-1a, us-east-1b, us-east-1c"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			err := CheckZones(tc.zones, available)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestAdminNameIsTheLastPartOfTheARN(t *testing.T) {
	for _, tc := range []struct {
		reason, arn, name string // an empty name means an error
	}{
		{"a role", "arn:aws:iam::123456789012:role/platform", "platform"},
		{"a role of IAM Identity Center, which has a path", "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1", "AWSReservedSSO_Admin_1"},
		{"a user of another AWS partition", "arn:aws-us-gov:iam::123456789012:user/ada", "ada"},
		{"an STS session", "arn:aws:sts::123456789012:assumed-role/platform/ada", ""},
		{"an account, which would include every identity in it", "arn:aws:iam::123456789012:root", ""},
		{"an IAM group, which EKS does not support", "arn:aws:iam::123456789012:group/admins", ""},
		{"a name without an ARN", "platform", ""},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			name, err := AdminName(tc.arn)
			require.Equal(t, tc.name, name)
			if tc.name == "" {
				require.ErrorContains(t, err, "must be the ARN of an IAM role or user")
			}
		})
	}
}

// parseDay returns the start of a day in UTC.
func parseDay(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, text)
	require.NoError(t, err)
	return d
}

func TestSupportWarnsBeforeItsEndAndFailsAfterIt(t *testing.T) {
	for _, tc := range []struct {
		reason   string
		today    string
		extended bool
		warning  string
		err      string
	}{
		{"long before the end", "2026-08-01", false, "", ""},
		{"91 days before", "2026-09-02", false, "", ""},
		{"90 days before", "2026-09-03", false, "standard support of Kubernetes 1.34 ends on 2026-12-02", ""},
		{"the last day", "2026-12-01", false, "ends on 2026-12-02", ""},
		{"the first day without support", "2026-12-02", false, "", "standard support ended on 2026-12-02"},
		{"the error proposes extended support while EKS offers it", "2026-12-02", false, "", "cluster.extendedSupport: true"},
		{"extended support", "2026-12-02", true, "", ""},
		{"90 days before the end of extended support", "2027-09-03", true, "extended support of Kubernetes 1.34 ends on 2027-12-02", ""},
		{"after extended support", "2027-12-02", true, "", "extended support ended on 2027-12-02"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			warning, err := Version("1.34").CheckSupport(parseDay(t, tc.today), tc.extended)
			require.Contains(t, warning, tc.warning)
			require.Equal(t, tc.warning == "", warning == "")
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
	_, err := Version("1.34").CheckSupport(parseDay(t, "2027-12-02"), false)
	require.NotContains(t, err.Error(), "extendedSupport", "extended support has ended as well")
}

// Every offered version has dates. The zero time is before all of them, so there is no warning.
func TestEveryVersionHasDates(t *testing.T) {
	for _, minor := range Versions() {
		warning, err := Version(minor).CheckSupport(time.Time{}, false)
		require.NoError(t, err)
		require.Empty(t, warning)
	}
	_, err := Version("1.12").CheckSupport(time.Time{}, false)
	require.ErrorContains(t, err, "not known")
}

func TestCheckNotOlderRefusesADowngrade(t *testing.T) {
	for _, tc := range []struct{ reason, configured, live, err string }{
		{"no cluster yet", "1.36", "", ""},
		{"the same version", "1.36", "1.36", ""},
		{"an upgrade", "1.36", "1.35", ""},
		{"a version older than the cluster, which EKS has upgraded", "1.9", "1.10", "set cluster.version to 1.10"},
		{"a live version with another major number", "1.36", "2.0", `"2.0": must be such as 1.36`},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			err := CheckNotOlder(tc.configured, tc.live)
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
}

func TestPartsAtReturnsThePreviousVersionForLaterParts(t *testing.T) {
	for stage, want := range map[Stage]ComponentVersions{
		StageControlPlane: {"1.36", "1.35", "1.35"},
		StageAddons:       {"1.36", "1.36", "1.35"},
		StageAutoscaler:   {"1.36", "1.36", "1.36"},
		"":                {"1.36", "1.36", "1.36"},
	} {
		parts, err := ComponentVersionsAt("1.36", stage)
		require.NoError(t, err)
		require.Equal(t, want, parts, stage)
	}
	_, err := ComponentVersionsAt("1.12", StageAutoscaler)
	require.ErrorContains(t, err, "must be one of")
	_, err = ComponentVersionsAt("1.36", "tiers")
	require.ErrorContains(t, err, "must be one of controlPlane, addons, autoscaler")
	_, err = ComponentVersionsAt(Versions()[0], StageControlPlane)
	require.ErrorContains(t, err, "the version before "+Versions()[0])
}
