package config

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestImageOf(t *testing.T) {
	for _, row := range []struct{ reason, mirror, upstream, want string }{
		{"upstream's", "", "quay.io/prometheus/prometheus:v3.16.0", "quay.io/prometheus/prometheus:v3.16.0"},
		{"a mirror has upstream's tag", "ecr://mirror", "quay.io/prometheus/prometheus:v3.16.0", "ecr://mirror/prometheus:v3.16.0"},
		{"another digest in a mirror", "ecr://a/b", "ghcr.io/prometheus:2@sha256:ab", "ecr://a/b/prometheus:2"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			s := Stack{Images: Images{Mirror: row.mirror}}
			require.Equal(t, row.want, s.ImageOf(row.upstream, "prometheus"))
		})
	}
}

// Nodes of the stack run an image of others without podScaling, too: the one that sends logs.
func TestMirrorServesNodes(t *testing.T) {
	requireLoad(t, map[string]string{"images": `{"mirror":"ecr://mirror"}`}, "")
}

// A node must have room for what scales the pods, too.
func TestPodsOfPodScalingNeedRoom(t *testing.T) {
	count := func(s Stack) map[string]int {
		names := map[string]int{}
		for _, p := range s.pods() {
			names[p.name]++
		}
		return names
	}
	without := defaults()
	require.Zero(t, count(without)["prometheus"])
	with := defaults()
	with.PodScaling.Enabled = true
	require.Equal(t, 2, count(with)["prometheus"])
	require.Equal(t, 1, count(with)["kube-state-metrics"])
	require.Equal(t, 1, count(with)["keda-operator"])
	for _, name := range []string{"keda-metrics-apiserver", "vpa-recommender", "vpa-updater", "vpa-admission-controller"} {
		require.Equal(t, 1, count(with)[name], name)
	}
	require.Zero(t, count(with)["forecaster"])
	with.PodScaling.Predictive = PredictiveShadow
	require.Equal(t, 1, count(with)["forecaster"])
	require.Zero(t, count(with)["alertmanager"], "nothing receives alerts")
	with.Edge.AlarmTopicARN = "arn:aws:sns:us-east-1:123456789012:alarms"
	require.Equal(t, 1, count(with)["alertmanager"])
}

func TestPredictiveNeedsPodScaling(t *testing.T) {
	for _, tc := range []struct{ reason, podScaling, cluster, err string }{
		{"without the key", `{"enabled":true}`, "1.34", ""},
		{"shadow on any version", `{"enabled":true,"predictive":"shadow"}`, "1.34", ""},
		{"on", `{"enabled":true,"predictive":"on"}`, "1.35", ""},
		{"on without a tolerance", `{"enabled":true,"predictive":"on"}`, "1.34", "podScaling.predictive: Invalid value: \"on\": needs cluster.version 1.35 or later, which is 1.34"},
		{"without what scales", `{"predictive":"shadow"}`, "1.36", "podScaling.predictive: Forbidden: has no effect without podScaling.enabled"},
		{"another word", `{"enabled":true,"predictive":"yes"}`, "1.36", `podScaling.predictive: Unsupported value: "yes": supported values: "off", "shadow", "on"`},
		{"YAML's on without quotes", `{"enabled":true,"predictive":true}`, "1.36", "podScaling.predictive: Invalid value: true: must be"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s, err := Load("prod", with(map[string]string{
				"progressive-framework:podScaling": tc.podScaling, "progressive-framework:cluster": `{"version":"` + tc.cluster + `"}`,
			}), WithToday(time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)))
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, strings.Contains(tc.podScaling, "predictive"), s.PodScaling.Forecasts())
		})
	}
}

func TestWorkspaceIsOfTheStack(t *testing.T) {
	const enabled, id = `{"enabled":true}`, "ws-01234567-89ab-cdef-0123-456789abcdef"
	for _, tc := range []struct{ reason, podScaling, prometheus, want string }{
		{"none", enabled, `{"replicas":2}`, ""},
		{"of the stack's region and account", enabled, `{"workspaceArn":"arn:aws:aps:us-east-1:123456789012:workspace/` + id + `"}`, ""},
		{"its URL", enabled, `{"workspaceArn":"https://aps-workspaces.us-east-1.amazonaws.com/workspaces/` + id + `"}`, "prometheus.workspaceArn: Invalid value"},
		{"of another region", enabled, `{"workspaceArn":"arn:aws:aps:eu-west-1:123456789012:workspace/` + id + `"}`, "must be in the stack's region us-east-1"},
		{"of another partition", enabled, `{"workspaceArn":"arn:aws-cn:aps:us-east-1:123456789012:workspace/` + id + `"}`, "must be in the stack's region"},
		{"of another account", enabled, `{"workspaceArn":"arn:aws:aps:us-east-1:210987654321:workspace/` + id + `"}`, "is a workspace of another account than 123456789012"},
		{"without a Prometheus", `{"enabled":false}`, `{"workspaceArn":"arn:aws:aps:us-east-1:123456789012:workspace/` + id + `"}`, "prometheus: Forbidden: has no effect without podScaling.enabled"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			requireLoad(t, map[string]string{"podScaling": tc.podScaling, "prometheus": tc.prometheus}, tc.want)
		})
	}
}
