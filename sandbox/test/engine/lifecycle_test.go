package engine

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The life of a stack, from nothing to nothing. Each step needs the one before
// it, so a failed step ends its stack. The life of staging is that of
// TestKilledUpRecovers.
func TestLifecycle(t *testing.T) {
	for name, inBetween := range map[string][]step{"sandbox": nil, "prod": changes} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t, newEnvironment(t), name)
			if len(inBetween) > 0 {
				s.pulumi(t, "config", "rm", protection) // as it stands in the project
			}
			for _, step := range slices.Concat([]step{
				{"preview makes nothing", previewMakesNothing},
				{"up makes what was previewed", upMakesIt},
				{"a second up has no changes", upAgainChangesNothing},
				{"drift is seen and mended", driftIsMended},
			}, inBetween, []step{
				{"destroy leaves nothing", destroyLeavesNothing},
			}) {
				if !t.Run(step.name, func(t *testing.T) { step.do(t, s) }) {
					t.FailNow()
				}
			}
		})
	}
}

// step is one part of a stack's life.
type step struct {
	name string
	do   func(*testing.T, *stack)
}

// plan is what `pulumi preview --json` prints.
type plan struct {
	Steps []struct {
		Op  string `json:"op"`
		URN string `json:"urn"`
	} `json:"steps"`
	ChangeSummary map[string]int `json:"changeSummary"`
}

// creationsAtAWS counts what the plan would make at AWS.
func (p plan) creationsAtAWS() int {
	n := 0
	for _, step := range p.Steps {
		if step.Op == "create" && strings.Contains(step.URN, "aws:") {
			n++
		}
	}
	return n
}

func (s *stack) preview(t *testing.T, args ...string) plan {
	t.Helper()
	out := s.pulumi(t, append([]string{"preview", "--json"}, args...)...)
	var p plan
	require.NoError(t, json.Unmarshal([]byte(out[strings.Index(out, "{"):]), &p))
	return p
}

func previewMakesNothing(t *testing.T, s *stack) {
	p := s.preview(t)
	require.Greater(t, p.ChangeSummary["create"], 20, "the preview shows the platform")
	require.Len(t, p.ChangeSummary, 1, "and nothing but its creation")
	require.Empty(t, s.atAWS(t))
	require.NotContains(t, s.kubectl(t, "get", "namespaces", "-o", "name"), "progressive-framework-"+s.name)
}

func upMakesIt(t *testing.T, s *stack) {
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.NotEmpty(t, s.atAWS(t))

	var (
		images    map[string]string
		namespace string
	)
	s.output(t, "images", &images)
	s.output(t, "namespace", &namespace)
	require.Equal(t, "progressive-framework-"+s.name, namespace)

	require.Equal(t, images["mca"], s.kubectl(t, "-n", namespace, "get", "deployment", "mca",
		"-o", "jsonpath={.spec.template.spec.containers[0].image}"), "what runs is what was built")
	ready := s.kubectl(t, "-n", namespace, "get", "deployment", "mca", "-o", "jsonpath={.status.readyReplicas}/{.spec.replicas}")
	have, want, _ := strings.Cut(ready, "/")
	require.Equal(t, want, have, "every replica is ready")
}

func upAgainChangesNothing(t *testing.T, s *stack) {
	s.pulumi(t, "preview", "--expect-no-changes")
	s.pulumi(t, "up", "--yes", "--skip-preview", "--expect-no-changes")
	s.pulumi(t, "refresh", "--yes", "--skip-preview", "--expect-no-changes")
}

// requireNoChanges compares the program with the state and with what exists, in one command.
func requireNoChanges(t *testing.T, s *stack) {
	t.Helper()
	s.pulumi(t, "preview", "--refresh", "--expect-no-changes")
}

// driftIsMended changes resources behind the engine's back in three places: a
// property at AWS, an object in Kubernetes, an image in the registry.
func driftIsMended(t *testing.T, s *stack) {
	var vpc, namespace string
	s.output(t, "vpcId", &vpc)
	s.output(t, "namespace", &namespace)

	before := s.atAWS(t)
	_, err := s.run(t, s.dir, "sandbox", "aws", "set", "aws:ec2/vpc:Vpc", vpc, "enableDnsHostnames=false")
	require.NoError(t, err)
	_, err = s.run(t, s.dir, "sandbox", "aws", "delete", "aws:ec2/routeTableAssociation:RouteTableAssociation", idOf(t, before, "RouteTableAssociation"))
	require.NoError(t, err)
	s.kubectl(t, "-n", namespace, "delete", "service", "mca-service", "--wait")
	s.kubectl(t, "-n", namespace, "set", "env", "deployment/mca", "AGENT_TYPE=WPA")
	s.kubectl(t, "-n", namespace, "patch", "deployment/mca", "--field-manager=autoscaler", "--type=merge", "-p", `{"spec":{"minReadySeconds":1}}`)

	s.pulumi(t, "refresh", "--yes", "--skip-preview")
	p := s.preview(t)
	require.Positive(t, p.ChangeSummary["update"], "the drift of properties is seen")
	require.Positive(t, p.ChangeSummary["create"], "what is gone is seen")

	s.pulumi(t, "up", "--yes", "--skip-preview")
	s.kubectl(t, "-n", namespace, "get", "service", "mca-service")
	require.Equal(t, "MCA", s.kubectl(t, "-n", namespace, "get", "deployment", "mca",
		"-o", `jsonpath={.spec.template.spec.containers[0].env[?(@.name=="AGENT_TYPE")].value}`))
	require.Equal(t, "1", s.kubectl(t, "-n", namespace, "get", "deployment", "mca", "-o", "jsonpath={.spec.minReadySeconds}"),
		"what the program does not set stays as another controller has set it")
	require.Len(t, s.atAWS(t), len(before))
	requireNoChanges(t, s)
}

func idOf(t *testing.T, records []record, kind string) string {
	t.Helper()
	for _, r := range records {
		if strings.HasSuffix(r.Type, ":"+kind) {
			return r.ID
		}
	}
	require.Failf(t, "no such resource", "the stand-in holds no %s", kind)
	return ""
}

func destroyLeavesNothing(t *testing.T, s *stack) {
	s.pulumi(t, "destroy", "--yes", "--skip-preview")
	require.Empty(t, s.atAWS(t), "nothing is left at AWS")
	require.NotContains(t, s.kubectl(t, "get", "namespaces", "-o", "name"), "progressive-framework-"+s.name)
	out := s.pulumi(t, "stack", "export")
	require.NotContains(t, out, `"urn"`, "nothing is left in the state")
	s.pulumi(t, "stack", "rm", "--yes")
}
