package driftreport

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
)

func TestStarOfAPatternMatchesAnyText(t *testing.T) {
	for _, tc := range []struct {
		pattern, text string
		want          bool
	}{
		{"kubernetes:*", "kubernetes:apps/v1:Deployment", true},
		{"kubernetes:apps/v1:*", "kubernetes:batch/v1:Job", false},
		{"status*", "status.conditions[0].type", true},
		{"status*", "spec.status", false},
		{"webhooks*clientConfig.caBundle", "webhooks[0].clientConfig.caBundle", true},
		{"webhooks*clientConfig.caBundle", "webhooks[0].failurePolicy", false},
	} {
		require.Equal(t, tc.want, matchesPattern(tc.pattern, tc.text), "%s %s", tc.pattern, tc.text)
	}
}

func TestEveryOwnerHasAReason(t *testing.T) {
	for _, field := range OwnedFields {
		require.NotEmpty(t, field.By, field.Path)
		require.NotEmpty(t, field.Reason, field.Path)
	}
}

// parseRefresh returns the output of a refresh with these steps, which are JSON.
func parseRefresh(t *testing.T, steps ...string) *canonicalplan.Preview {
	t.Helper()
	p, err := canonicalplan.ParsePreview([]byte(`{"steps": [` + strings.Join(steps, ",") + `]}`))
	require.NoError(t, err)
	return p
}

// stepJSON returns the JSON of a step of the engine. paths are the properties that differ.
func stepJSON(op, kind, name string, paths ...string) string {
	var diff []string
	for _, p := range paths {
		diff = append(diff, fmt.Sprintf(`%q: {"kind": "update"}`, p))
	}
	return fmt.Sprintf(`{"op": %q, "urn": "urn:pulumi:prod::p::%s::%s", "detailedDiff": {%s}}`, op, kind, name, strings.Join(diff, ","))
}

func TestOnlyFieldsWithoutAnOwnerDrift(t *testing.T) {
	const group, deployment, vpc = "aws:autoscaling/group:Group", "kubernetes:apps/v1:Deployment", "aws:ec2/vpc:Vpc"
	for _, tc := range []struct {
		reason string
		step   string
		drift  string
	}{
		{"nothing differs", stepJSON("refresh", vpc, "x"), ""},
		{"the autoscaler changed the number of nodes", stepJSON("update", group, "x", "desiredCapacity"), ""},
		{"somebody changed the maximum number of nodes", stepJSON("update", group, "x", "desiredCapacity", "maxSize"), "maxSize"},
		{"an autoscaler changed the number of pods", stepJSON("update", deployment, "x", "spec.replicas", "status.readyReplicas", "metadata.generation"), ""},
		{"somebody changed an image", stepJSON("update", deployment, "x", "spec.template.spec.containers[0].image"), "containers[0].image"},
		{"somebody changed the VPC", stepJSON("update", vpc, "x", "enableDnsHostnames"), "enableDnsHostnames"},
		{"somebody changed the number of pods of a store, which nothing scales", stepJSON("update", "kubernetes:apps/v1:StatefulSet", "x", "spec.replicas"), "spec.replicas"},
		{"spec.replicas of a resource that is not a workload", stepJSON("update", vpc, "x", "spec.replicas"), "spec.replicas"},
		{"somebody deleted the resource", stepJSON("delete", deployment, "x", "status.x"), "gone"},
		{"a component is not a resource", stepJSON("update", "progressive:key:Key", "x", "arn"), ""},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			r := New("prod", parseRefresh(t, tc.step))
			require.Equal(t, tc.drift != "", len(r.Drifts) > 0)
			if tc.drift != "" {
				require.Contains(t, r.Text(), tc.drift)
				require.Contains(t, r.Markdown(), tc.drift)
			}
		})
	}
}

func TestIssueIsBoundedAndHasNoMarkup(t *testing.T) {
	var steps []string
	for n := range 3000 {
		steps = append(steps, stepJSON("update", "a:b:C", fmt.Sprintf("x`|%04d", n), "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"))
	}
	text := New("prod", parseRefresh(t, steps...)).Markdown()
	require.Less(t, len(text), 60_000)
	require.True(t, strings.HasPrefix(text, Marker("prod")))
	require.Contains(t, text, "2800 more")
	require.Contains(t, text, "1 more |")
	require.Contains(t, text, "x'\\|0000`")
}
