package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each row has a fixed day, so that the test passes on every day.
func TestVersionWithoutSupportIsRefused(t *testing.T) {
	onDay := func(year int, month time.Month, day int) Option {
		return WithToday(time.Date(year, month, day, 12, 0, 0, 0, time.UTC))
	}
	load := func(cluster string, opts ...Option) (*Stack, error) {
		return Load("prod", validValuesWith(map[string]string{"progressive-framework:cluster": cluster}), opts...)
	}
	for _, tc := range []struct {
		reason, cluster string
		today           Option
		warning, err    string
	}{
		{"long before the end", `{"version":"1.34"}`, onDay(2026, 8, 1), "", ""},
		{"near the end", `{"version":"1.34"}`, onDay(2026, 11, 29), "support of Kubernetes 1.34 ends on 2026-12-02", ""},
		{"without support", `{"version":"1.34"}`, onDay(2026, 12, 2), "", "cluster.version: Invalid value: \"1.34\": its standard support ended on 2026-12-02"},
		{"with extended support", `{"version":"1.34","extendedSupport":true}`, onDay(2026, 12, 2), "", ""},
		{"a version that is not offered has one error", `{"version":"1.31"}`, onDay(2026, 12, 2), "", "1 error(s)"},
		{"without a day", `{"version":"1.33"}`, WithToday(time.Time{}), "", ""},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s, err := load(tc.cluster, tc.today)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			if tc.warning == "" {
				require.Empty(t, s.Warnings)
				return
			}
			require.Len(t, s.Warnings, 1)
			require.Contains(t, s.Warnings[0], tc.warning)
		})
	}
	require.Empty(t, validateSupport(&Stack{Cluster: Cluster{Version: "1.33", Nodes: NodesOwn}}, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)),
		"a sandbox has no end of support")
}

func TestUpgradeStageMustBeAPartWithAnOfferedVersion(t *testing.T) {
	checkLoad(t, []loadCase{
		{"the first part", "cluster", `{"upgradeStage":"controlPlane"}`, ""},
		{"an unknown stage", "cluster", `{"upgradeStage":"tiers"}`, `supported values: "controlPlane", "addons", "autoscaler"`},
		{"a stage that needs a version that is not offered", "cluster", `{"version":"1.33","upgradeStage":"controlPlane"}`, "the version before 1.33"},
	})
}
