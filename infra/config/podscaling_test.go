package config

import (
	"testing"

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
	require.Zero(t, count(with)["alertmanager"], "nothing receives alerts")
	with.Edge.AlarmTopicARN = "arn:aws:sns:us-east-1:123456789012:alarms"
	require.Equal(t, 1, count(with)["alertmanager"])
}
