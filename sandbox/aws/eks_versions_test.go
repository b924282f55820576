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

// clusterInputs returns the inputs of a cluster in the fixture's subnets. version is the
// Kubernetes version, and policy is the upgrade policy, STANDARD or EXTENDED.
func (f *fixture) clusterInputs(version, policy string) props {
	return props{"name": "c", "version": version, "roleArn": f.clusterRole.state["arn"], "vpcConfig": props{"subnetIds": []any{f.a.id, f.b.id}},
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
			f.s.mustCreate(policyAttachmentT, "attach", props{"role": f.clusterRole.state["name"], "policyArn": clusterPolicyARN})
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
		{"standard support of the next version has ended as well", "2027-03-27", "1.34", "STANDARD", "1.36"},
		{"with extended support", "2026-12-02", "1.34", "EXTENDED", "1.34"},
		{"the end of extended support", "2027-12-02", "1.34", "EXTENDED", "1.35"},
		{"the newest version in the calendar is never upgraded", "2030-01-01", "1.36", "STANDARD", "1.36"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			f := newFixture(t)
			s := f.s
			s.mustCreate(policyAttachmentT, "attach", props{"role": f.clusterRole.state["name"], "policyArn": clusterPolicyARN})
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
	s.mustCreate(policyAttachmentT, "attach", props{"role": f.clusterRole.state["name"], "policyArn": clusterPolicyARN})
	cluster := s.mustCreate(clusterT, "c", f.clusterInputs("1.34", "STANDARD"))
	s.mustCreate(addonT, "proxy", props{"clusterName": "c", "addonName": "kube-proxy", "addonVersion": "v1.34.6-eksbuild.18"})
	s.setDay("2026-12-02")
	require.ErrorContains(t, s.update(cluster, f.clusterInputs("1.34", "EXTENDED")), "version update from 1.35 to 1.34", "EKS has already upgraded the cluster to 1.35")
	_, err := s.create(addonT, "again", props{"clusterName": "c", "addonName": "kube-proxy", "addonVersion": "v1.34.6-eksbuild.18"})
	require.ErrorContains(t, err, "not supported: kube-proxy v1.34.6-eksbuild.18 on Kubernetes 1.35")
	require.NoError(t, s.update(cluster, f.clusterInputs("1.35", "STANDARD")), "the version that the cluster has now")
	require.NoError(t, s.update(cluster, f.clusterInputs("1.36", "STANDARD")), "an upgrade by one minor version")
	require.Equal(t, "1.36", cluster.state["version"])
}

// A cluster in extended support can't change to the policy STANDARD.
func TestPolicyStandardNeedsStandardSupport(t *testing.T) {
	f := newFixture(t)
	s := f.s
	s.mustCreate(policyAttachmentT, "attach", props{"role": f.clusterRole.state["name"], "policyArn": clusterPolicyARN})
	cluster := s.mustCreate(clusterT, "c", f.clusterInputs("1.33", "EXTENDED"))
	require.ErrorContains(t, s.update(cluster, f.clusterInputs("1.33", "STANDARD")), "upgrade policy STANDARD; its standard support ended on 2026-07-29")
	require.NoError(t, s.update(cluster, f.clusterInputs("1.34", "STANDARD")))
}

func TestFunctionsReturnTheClustersOfARegion(t *testing.T) {
	f := newFixture(t)
	s := f.s
	before, err := s.invoke("aws:eks/getClusters:getClusters", nil)
	require.NoError(t, err)
	require.Equal(t, []any{}, before["names"])
	_, err = s.invoke("aws:eks/getCluster:getCluster", props{"name": "c"})
	require.ErrorContains(t, err, "ResourceNotFoundException")
	s.mustCreate(policyAttachmentT, "attach", props{"role": f.clusterRole.state["name"], "policyArn": clusterPolicyARN})
	s.mustCreate(clusterT, "c", f.clusterInputs("1.36", "STANDARD"))
	after, err := s.invoke("aws:eks/getClusters:getClusters", nil)
	require.NoError(t, err)
	require.Equal(t, []any{"c"}, after["names"])
	described, err := s.invoke("aws:eks/getCluster:getCluster", props{"name": "c"})
	require.NoError(t, err)
	require.Equal(t, []any{map[string]any{"supportType": "STANDARD"}}, described["upgradePolicies"])
	require.NotEmpty(t, described["endpoint"])
}

// The environment variable PROGRESSIVE_TODAY sets the day of the clock.
func TestClockHasDayOfEnvironmentVariable(t *testing.T) {
	t.Setenv(todayVariable, "2027-03-27")
	now, err := clockFromEnv()
	require.NoError(t, err)
	require.Equal(t, "2027-03-27", now().Format(time.DateOnly))
	t.Setenv(todayVariable, "tomorrow")
	_, err = clockFromEnv()
	require.ErrorContains(t, err, `PROGRESSIVE_TODAY "tomorrow": must be a day such as 2026-12-02`)
}

// The Pulumi program and the stand-in have separate calendars of EKS versions. For each
// version in both calendars, support must end on the same days. The test reads the program's
// days from its source file.
func TestCalendarHasSameDaysAsThePulumiProgram(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "components", "cluster", "ekscalendar", "calendar.go"))
	require.NoError(t, err)
	// A line of the program's calendar has a version, the end of its standard support and
	// the end of its extended support.
	calendarLine := regexp.MustCompile(`"(1\.\d+)": \{date\((\d+), time\.(\w+), (\d+)\), date\((\d+), time\.(\w+), (\d+)\)\}`)
	const dateFormat = "2006 January 2"
	comparedCount := 0
	for _, match := range calendarLine.FindAllStringSubmatch(string(source), -1) {
		standard, extended, known := rules.EKSSupport(match[1])
		if !known {
			continue
		}
		comparedCount++
		for end, text := range map[string]string{standard: match[2] + " " + match[3] + " " + match[4], extended: match[5] + " " + match[6] + " " + match[7]} {
			day, err := time.Parse(dateFormat, text)
			require.NoError(t, err)
			require.Equal(t, day.Format(time.DateOnly), end, match[1])
		}
	}
	require.GreaterOrEqual(t, comparedCount, 5, "the expression must match the lines of the program's calendar")
}
