package config

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestThirdPartyImageIsUpstreamsOrTheMirrors(t *testing.T) {
	for _, tc := range []struct{ reason, mirror, upstream, want string }{
		{"without a mirror", "", "quay.io/prometheus/prometheus:v3.16.0", "quay.io/prometheus/prometheus:v3.16.0"},
		{"a mirror, with upstream's tag", "ecr://mirror", "quay.io/prometheus/prometheus:v3.16.0", "ecr://mirror/prometheus:v3.16.0"},
		{"a mirror, without upstream's digest", "ecr://a/b", "ghcr.io/prometheus:2@sha256:ab", "ecr://a/b/prometheus:2"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s := Stack{Images: Images{Mirror: tc.mirror}}
			require.Equal(t, tc.want, s.ThirdPartyImage(tc.upstream, "prometheus"))
		})
	}
}

// A mirror is accepted without podScaling, because the nodes run the third-party image of Fluent
// Bit.
func TestMirrorIsAcceptedWithoutPodScaling(t *testing.T) {
	requireLoad(t, map[string]string{"images": `{"mirror":"ecr://mirror"}`}, "")
}

// The capacity of the nodes must be enough for the pods of Prometheus, KEDA, VPA, the forecaster
// and the Alertmanager too.
func TestPodsIncludeThoseOfPodScaling(t *testing.T) {
	countPods := func(s Stack) map[string]int {
		names := map[string]int{}
		for _, p := range s.pods() {
			names[p.name]++
		}
		return names
	}
	disabled := defaults()
	require.Zero(t, countPods(disabled)["prometheus"])
	enabled := defaults()
	enabled.PodScaling.Enabled = true
	require.Equal(t, 2, countPods(enabled)["prometheus"])
	require.Equal(t, 1, countPods(enabled)["kube-state-metrics"])
	require.Equal(t, 1, countPods(enabled)["keda-operator"])
	for _, name := range []string{"keda-metrics-apiserver", "vpa-recommender", "vpa-updater", "vpa-admission-controller"} {
		require.Equal(t, 1, countPods(enabled)[name], name)
	}
	require.Zero(t, countPods(enabled)["forecaster"])
	enabled.PodScaling.Predictive = PredictiveShadow
	require.Equal(t, 1, countPods(enabled)["forecaster"])
	require.Zero(t, countPods(enabled)["alertmanager"], "no Alertmanager without a topic for alarms")
	enabled.Edge.AlarmTopicARN = "arn:aws:sns:us-east-1:123456789012:alarms"
	require.Equal(t, 1, countPods(enabled)["alertmanager"])
}

func TestPredictiveNeedsPodScalingAndAVersionWithTolerance(t *testing.T) {
	for _, tc := range []struct{ reason, podScaling, cluster, err string }{
		{"without predictive", `{"enabled":true}`, "1.34", ""},
		{"shadow on any version", `{"enabled":true,"predictive":"shadow"}`, "1.34", ""},
		{"on", `{"enabled":true,"predictive":"on"}`, "1.35", ""},
		{"on with a version that ignores the tolerance", `{"enabled":true,"predictive":"on"}`, "1.34", "podScaling.predictive: Invalid value: \"on\": needs cluster.version 1.35 or later, but it is 1.34"},
		{"without podScaling.enabled", `{"predictive":"shadow"}`, "1.36", "podScaling.predictive: Forbidden: has no effect without podScaling.enabled"},
		{"an unsupported value", `{"enabled":true,"predictive":"yes"}`, "1.36", `podScaling.predictive: Unsupported value: "yes": supported values: "off", "shadow", "on"`},
		{"YAML's on without quotes", `{"enabled":true,"predictive":true}`, "1.36", "podScaling.predictive: Invalid value: true: must be"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s, err := Load("prod", validValuesWith(map[string]string{
				"progressive-framework:podScaling": tc.podScaling, "progressive-framework:cluster": `{"version":"` + tc.cluster + `"}`,
			}), WithToday(time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, strings.Contains(tc.podScaling, "predictive"), s.PodScaling.RunsForecaster())
		})
	}
}

func TestWorkspaceMustBeInTheStacksRegionAndAccount(t *testing.T) {
	const enabled, id = `{"enabled":true}`, "ws-01234567-89ab-cdef-0123-456789abcdef"
	for _, tc := range []struct{ reason, podScaling, prometheus, want string }{
		{"none", enabled, `{"replicas":2}`, ""},
		{"of the stack's region and account", enabled, `{"workspaceArn":"arn:aws:aps:us-east-1:123456789012:workspace/` + id + `"}`, ""},
		{"its URL", enabled, `{"workspaceArn":"https://aps-workspaces.us-east-1.amazonaws.com/workspaces/` + id + `"}`, "prometheus.workspaceArn: Invalid value"},
		{"of another region", enabled, `{"workspaceArn":"arn:aws:aps:eu-west-1:123456789012:workspace/` + id + `"}`, "must be in the stack's region us-east-1"},
		{"of another partition", enabled, `{"workspaceArn":"arn:aws-cn:aps:us-east-1:123456789012:workspace/` + id + `"}`, "must be in the stack's region"},
		{"of another account", enabled, `{"workspaceArn":"arn:aws:aps:us-east-1:210987654321:workspace/` + id + `"}`, "is a workspace of another account than 123456789012"},
		{"without podScaling.enabled", `{"enabled":false}`, `{"workspaceArn":"arn:aws:aps:us-east-1:123456789012:workspace/` + id + `"}`, "prometheus: Forbidden: has no effect without podScaling.enabled"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			requireLoad(t, map[string]string{"podScaling": tc.podScaling, "prometheus": tc.prometheus}, tc.want)
		})
	}
}
