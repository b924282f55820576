package engine

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLifecycle creates, changes and destroys the stacks sandbox and prod. Each step needs
// the steps before it, so a failed step ends the test of its stack. TestKilledUpRecovers
// creates and destroys the stack staging.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]step{
		"sandbox": {{"a failed migration runs again", checkFailedMigrationRunsAgain}}, // in this stack, because its updates are short
		"prod":    productionSteps,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t, newEnvironment(t), name)
			if name == "prod" {
				s.pulumi(t, "config", "rm", protectionKey) // now the value of the project's file applies
				s.pulumi(t, "config", "rm", discardKey)
			}
			for _, step := range slices.Concat([]step{
				{"preview creates nothing", checkPreviewCreatesNothing},
				{"up creates the platform", checkUpCreatesThePlatform},
				{"a second up has no changes", checkSecondUpChangesNothing},
				{"a preview of some resources has no changes", checkTargetedPreview},
				{"drift is shown and undone", checkDriftIsUndone},
			}, changes, []step{
				{"destroy removes everything", checkDestroyRemovesEverything},
			}) {
				if !t.Run(step.name, func(t *testing.T) { step.do(t, s) }) {
					t.FailNow()
				}
			}
		})
	}
}

// step is a step of TestLifecycle.
type step struct {
	name string
	do   func(*testing.T, *stack)
}

// plan is the output of `pulumi preview --json`.
type plan struct {
	Steps []struct {
		Op  string `json:"op"`
		URN string `json:"urn"`
	} `json:"steps"`
	ChangeSummary map[string]int `json:"changeSummary"`
}

// countAWSCreations counts the resources that the plan would create at AWS.
func (p plan) countAWSCreations() int {
	count := 0
	for _, step := range p.Steps {
		if step.Op == "create" && strings.Contains(step.URN, "aws:") {
			count++
		}
	}
	return count
}

// preview runs `pulumi preview --json`.
func (s *stack) preview(t *testing.T, args ...string) plan {
	t.Helper()
	var p plan
	require.NoError(t, json.Unmarshal([]byte(s.pulumiStdout(t, append([]string{"preview", "--json"}, args...)...)), &p))
	return p
}

func checkPreviewCreatesNothing(t *testing.T, s *stack) {
	p := s.preview(t)
	require.Greater(t, p.ChangeSummary["create"], 20, "the preview shows the platform")
	require.Len(t, p.ChangeSummary, 1, "the preview shows only creations")
	require.Empty(t, s.listAWSResources(t))
	require.NotContains(t, s.kubectl(t, "get", "namespaces", "-o", "name"), "progressive-framework-"+s.name)
}

func checkUpCreatesThePlatform(t *testing.T, s *stack) {
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.NotEmpty(t, s.listAWSResources(t))

	var (
		images    map[string]string
		namespace string
	)
	s.readOutput(t, "images", &images)
	s.readOutput(t, "namespace", &namespace)
	require.Equal(t, "progressive-framework-"+s.name, namespace)

	require.Equal(t, images["mca"], s.kubectl(t, "-n", namespace, "get", "deployment", "mca",
		"-o", "jsonpath={.spec.template.spec.containers[0].image}"), "the pod runs the image that was built")
	ready := s.kubectl(t, "-n", namespace, "get", "deployment", "mca", "-o", "jsonpath={.status.readyReplicas}/{.spec.replicas}")
	readyReplicas, replicas, _ := strings.Cut(ready, "/")
	require.Equal(t, replicas, readyReplicas, "every replica is ready")
}

// checkTargetedPreview runs a preview with --target. For a resource that is not a target, the engine
// adds the dependencies in the state. So the program must register every resource after those.
func checkTargetedPreview(t *testing.T, s *stack) {
	s.pulumi(t, "preview", "--expect-no-changes", "--target", "**ko:index:Image**")
}

func checkSecondUpChangesNothing(t *testing.T, s *stack) {
	s.pulumi(t, "preview", "--expect-no-changes")
	s.pulumi(t, "up", "--yes", "--skip-preview", "--expect-no-changes")
	s.pulumi(t, "refresh", "--yes", "--skip-preview", "--expect-no-changes")
}

// requireNoChanges compares the program with the state and with the existing resources, in
// one command.
func requireNoChanges(t *testing.T, s *stack) {
	t.Helper()
	s.pulumi(t, "preview", "--refresh", "--expect-no-changes")
}

// checkDriftIsUndone changes resources without Pulumi: a property and a resource at AWS, and
// objects in Kubernetes. The next update changes them back.
func checkDriftIsUndone(t *testing.T, s *stack) {
	var vpc, namespace string
	s.readOutput(t, "vpcId", &vpc)
	s.readOutput(t, "namespace", &namespace)

	resourcesBefore := s.listAWSResources(t)
	_, err := s.run(t, s.dir, "sandbox", "aws", "set", "aws:ec2/vpc:Vpc", vpc, "enableDnsHostnames=false")
	require.NoError(t, err)
	_, err = s.run(t, s.dir, "sandbox", "aws", "delete", "aws:ec2/routeTableAssociation:RouteTableAssociation", findResourceID(t, resourcesBefore, "RouteTableAssociation"))
	require.NoError(t, err)
	s.kubectl(t, "-n", namespace, "delete", "service", "mca-service", "--wait")
	s.kubectl(t, "-n", namespace, "set", "env", "deployment/mca", "AGENT_TYPE=WPA")
	s.kubectl(t, "-n", namespace, "patch", "deployment/mca", "--field-manager=autoscaler", "--type=merge", "-p", `{"spec":{"minReadySeconds":1}}`)

	s.pulumi(t, "refresh", "--yes", "--skip-preview")
	p := s.preview(t)
	require.Positive(t, p.ChangeSummary["update"], "changed properties are shown")
	require.Positive(t, p.ChangeSummary["create"], "deleted resources are shown")

	s.pulumi(t, "up", "--yes", "--skip-preview")
	s.kubectl(t, "-n", namespace, "get", "service", "mca-service")
	require.Equal(t, "MCA", s.kubectl(t, "-n", namespace, "get", "deployment", "mca",
		"-o", `jsonpath={.spec.template.spec.containers[0].env[?(@.name=="AGENT_TYPE")].value}`))
	require.Equal(t, "1", s.kubectl(t, "-n", namespace, "get", "deployment", "mca", "-o", "jsonpath={.spec.minReadySeconds}"),
		"an update keeps a field that another controller has set and the program does not set")
	require.Len(t, s.listAWSResources(t), len(resourcesBefore))
	requireNoChanges(t, s)
}

// findResourceID returns the id of the first resource of a kind, such as "RouteTableAssociation".
func findResourceID(t *testing.T, resources []resourceRef, kind string) string {
	t.Helper()
	for _, r := range resources {
		if strings.HasSuffix(r.Type, ":"+kind) {
			return r.ID
		}
	}
	require.Failf(t, "no such resource", "the stand-in has no %s", kind)
	return ""
}

func checkDestroyRemovesEverything(t *testing.T, s *stack) {
	s.pulumi(t, "destroy", "--yes", "--skip-preview")
	require.Empty(t, s.listAWSResources(t), "nothing is left at AWS")
	require.NotContains(t, s.kubectl(t, "get", "namespaces", "-o", "name"), "progressive-framework-"+s.name)
	out := s.pulumi(t, "stack", "export")
	require.NotContains(t, out, `"urn"`, "nothing is left in the state")
	s.pulumi(t, "stack", "rm", "--yes")
}
