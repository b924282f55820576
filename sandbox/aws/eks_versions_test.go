package aws

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/rules"
)

// clusterInputs returns the inputs of a cluster in the fixture's subnets. policy is its
// upgrade policy.
func (f *fixture) clusterInputs(version, policy string) props {
	return props{"name": "c", "version": version, "roleArn": f.role.state["arn"], "vpcConfig": props{"subnetIds": []any{f.a.id, f.b.id}},
		"upgradePolicy": props{"supportType": policy}}
}

// setDay sets the day of the stand-in's clock, such as 2026-12-02.
func (s *sandbox) setDay(day string) {
	s.t.Helper()
	parsed, err := time.Parse(time.DateOnly, day)
	require.NoError(s.t, err)
	s.p.cloud.Now = clockOnDay(parsed)
}

func TestEKSOffersVersionsWithSupportOnly(t *testing.T) {
	for _, row := range []struct{ reason, day, version, policy, err string }{
		{"in standard support", "2026-12-01", "1.34", "STANDARD", ""},
		{"standard support is over", "2026-12-02", "1.34", "STANDARD", "unsupported Kubernetes version 1.34"},
		{"in extended support", "2026-12-02", "1.34", "EXTENDED", ""},
		{"the last day of extended support", "2027-12-01", "1.34", "EXTENDED", ""},
		{"extended support is over", "2027-12-02", "1.34", "EXTENDED", "unsupported Kubernetes version 1.34"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			f := newFixture(t)
			f.s.mustCreate(attachT, "attach", props{"role": f.role.state["name"], "policyArn": clusterPerm})
			f.s.setDay(row.day)
			_, err := f.s.create(clusterT, "c", f.clusterInputs(row.version, row.policy))
			if row.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.err)
		})
	}
}

func TestEKSUpgradesAClusterWithoutSupport(t *testing.T) {
	for _, row := range []struct{ reason, day, version, policy, want string }{
		{"the last day of standard support", "2026-12-01", "1.34", "STANDARD", "1.34"},
		{"the end of standard support", "2026-12-02", "1.34", "STANDARD", "1.35"},
		{"the end of the next version's support, too", "2027-03-27", "1.34", "STANDARD", "1.36"},
		{"with extended support", "2026-12-02", "1.34", "EXTENDED", "1.34"},
		{"the end of extended support", "2027-12-02", "1.34", "EXTENDED", "1.35"},
		{"the newest version that is known", "2030-01-01", "1.36", "STANDARD", "1.36"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			f := newFixture(t)
			s := f.s
			s.mustCreate(attachT, "attach", props{"role": f.role.state["name"], "policyArn": clusterPerm})
			cluster := s.mustCreate(clusterT, "c", f.clusterInputs(row.version, row.policy))
			s.setDay(row.day)
			require.True(t, s.refresh(cluster))
			require.Equal(t, row.want, cluster.state["version"])
			described, err := s.invoke("aws:eks/getCluster:getCluster", props{"name": "c"})
			require.NoError(t, err)
			require.Equal(t, row.want, described["version"])
		})
	}
}

func TestUpgradedClusterCannotReturnToItsFormerVersion(t *testing.T) {
	f := newFixture(t)
	s := f.s
	s.mustCreate(attachT, "attach", props{"role": f.role.state["name"], "policyArn": clusterPerm})
	cluster := s.mustCreate(clusterT, "c", f.clusterInputs("1.34", "STANDARD"))
	s.mustCreate(addonT, "proxy", props{"clusterName": "c", "addonName": "kube-proxy", "addonVersion": "v1.34.6-eksbuild.18"})
	s.setDay("2026-12-02")
	require.ErrorContains(t, s.update(cluster, f.clusterInputs("1.34", "EXTENDED")), "version update from 1.35 to 1.34", "the former version can't be kept any more")
	_, err := s.create(addonT, "again", props{"clusterName": "c", "addonName": "kube-proxy", "addonVersion": "v1.34.6-eksbuild.18"})
	require.ErrorContains(t, err, "not supported: kube-proxy v1.34.6-eksbuild.18 on Kubernetes 1.35")
	require.NoError(t, s.update(cluster, f.clusterInputs("1.35", "STANDARD")), "the version that it has")
	require.NoError(t, s.update(cluster, f.clusterInputs("1.36", "STANDARD")), "one minor more")
	require.Equal(t, "1.36", cluster.state["version"])
}

// A cluster in extended support can't change to the policy STANDARD.
func TestPolicyStandardNeedsStandardSupport(t *testing.T) {
	f := newFixture(t)
	s := f.s
	s.mustCreate(attachT, "attach", props{"role": f.role.state["name"], "policyArn": clusterPerm})
	cluster := s.mustCreate(clusterT, "c", f.clusterInputs("1.33", "EXTENDED"))
	require.ErrorContains(t, s.update(cluster, f.clusterInputs("1.33", "STANDARD")), "upgrade policy STANDARD; its standard support ended on 2026-07-29")
	require.NoError(t, s.update(cluster, f.clusterInputs("1.34", "STANDARD")))
}

func TestClustersAreLookedUp(t *testing.T) {
	f := newFixture(t)
	s := f.s
	none, err := s.invoke("aws:eks/getClusters:getClusters", nil)
	require.NoError(t, err)
	require.Equal(t, []any{}, none["names"])
	_, err = s.invoke("aws:eks/getCluster:getCluster", props{"name": "c"})
	require.ErrorContains(t, err, "ResourceNotFoundException")
	s.mustCreate(attachT, "attach", props{"role": f.role.state["name"], "policyArn": clusterPerm})
	s.mustCreate(clusterT, "c", f.clusterInputs("1.36", "STANDARD"))
	one, err := s.invoke("aws:eks/getClusters:getClusters", nil)
	require.NoError(t, err)
	require.Equal(t, []any{"c"}, one["names"])
	described, err := s.invoke("aws:eks/getCluster:getCluster", props{"name": "c"})
	require.NoError(t, err)
	require.Equal(t, []any{map[string]any{"supportType": "STANDARD"}}, described["upgradePolicies"])
	require.NotEmpty(t, described["endpoint"])
}

func TestClockHasTheDayOfTheEnvironment(t *testing.T) {
	t.Setenv(todayVariable, "2027-03-27")
	now, err := clock()
	require.NoError(t, err)
	require.Equal(t, "2027-03-27", now().Format(time.DateOnly))
	t.Setenv(todayVariable, "tomorrow")
	_, err = clock()
	require.ErrorContains(t, err, `PROGRESSIVE_TODAY "tomorrow": must be a day such as 2026-12-02`)
}

// The Pulumi program and the stand-in have separate calendars. For a version in both, the
// days must be equal.
func TestCalendarAgreesWithTheProgram(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "components", "cluster", "ekscalendar", "calendar.go"))
	require.NoError(t, err)
	line := regexp.MustCompile(`"(1\.\d+)": \{date\((\d+), time\.(\w+), (\d+)\), date\((\d+), time\.(\w+), (\d+)\)\}`)
	const form = "2006 January 2"
	compared := 0
	for _, m := range line.FindAllStringSubmatch(string(source), -1) {
		standard, extended, known := rules.EKSSupport(m[1])
		if !known {
			continue
		}
		compared++
		for end, text := range map[string]string{standard: m[2] + " " + m[3] + " " + m[4], extended: m[5] + " " + m[6] + " " + m[7]} {
			day, err := time.Parse(form, text)
			require.NoError(t, err)
			require.Equal(t, day.Format(time.DateOnly), end, m[1])
		}
	}
	require.GreaterOrEqual(t, compared, 5)
}
