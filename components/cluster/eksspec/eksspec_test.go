package eksspec

import (
	"regexp"
	"strings"
	"testing"

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

func TestZones(t *testing.T) {
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
			err := Zones(tc.zones, available)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestAdmin(t *testing.T) {
	for _, tc := range []struct {
		reason, arn, name string // an empty name means an error
	}{
		{"a role", "arn:aws:iam::123456789012:role/platform", "platform"},
		{"a role of IAM Identity Center, which has a path", "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1", "AWSReservedSSO_Admin_1"},
		{"a user of another AWS partition", "arn:aws-us-gov:iam::123456789012:user/ada", "ada"},
		{"an STS session", "arn:aws:sts::123456789012:assumed-role/platform/ada", ""},
		{"an account, which would be everyone in it", "arn:aws:iam::123456789012:root", ""},
		{"an IAM group, which EKS does not support", "arn:aws:iam::123456789012:group/admins", ""},
		{"a name without an ARN", "platform", ""},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			name, err := Admin(tc.arn)
			require.Equal(t, tc.name, name)
			if tc.name == "" {
				require.ErrorContains(t, err, "must be the ARN of an IAM role or user")
			}
		})
	}
}
