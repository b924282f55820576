package engine

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/registry"
	sandboxstack "github.com/progressive-framework/platform/sandbox/stack"
)

// productionSteps are the steps of TestLifecycle for the existing stack prod: checks, and
// changes that must not replace a resource with data.
var productionSteps = []step{
	{"no secret is in the state", checkNoSecretIsInTheState},
	{"every resource can be recognized after a lost response", checkEveryCreationIsRecognized},
	{"a service can read the secrets that it mounts, and no other", checkSecretsAreMounted},
	{"services verify the stores' certificates with the configured authority", checkCertificatesAreVerified},
	{"the API server refuses pods that are not the stack's", checkOtherPodsAreRefused},
	{"the site's files are uploaded, and no source files", checkSiteIsUploaded},
	{"an update keeps an autoscaler's count", checkAutoscaledCountIsKept},
	{"another image replaces the nodes of one tier at a time, and a tag replaces none", checkNodesRollOneTierAtATime},
	{"a fourth zone replaces nothing", checkFourthZoneReplacesNothing},
	{"another instance class changes the parameters and replaces nothing", checkInstanceClassChangesParameters},
	{"destroy of a protected store is refused", checkProtectedDestroyIsRefused},
}

// object is an AWS resource in the stack's state.
type object struct {
	URN     string         `json:"urn"`
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Outputs map[string]any `json:"outputs"`
}

// listObjects lists the objects of a type, such as "rds/instance:Instance".
func (s *stack) listObjects(t *testing.T, kind string, flags ...string) []object {
	t.Helper()
	var export struct {
		Deployment struct {
			Resources []object `json:"resources"`
		} `json:"deployment"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.pulumiStdout(t, append([]string{"stack", "export"}, flags...)...)), &export))
	return slices.DeleteFunc(export.Deployment.Resources, func(o object) bool { return o.Type != "aws:"+kind })
}

// findObject returns the object of a type with namePart in its URN. The test fails if there is no
// such object or more than one.
func (s *stack) findObject(t *testing.T, kind, namePart string) object {
	t.Helper()
	objects := slices.DeleteFunc(s.listObjects(t, kind), func(o object) bool { return !strings.Contains(o.URN, namePart) })
	require.Len(t, objects, 1, "%s of %s", kind, namePart)
	return objects[0]
}

// destructiveSteps lists the steps of a plan that delete or replace a resource, each as
// OPERATION URN.
func (p plan) destructiveSteps() []string {
	var steps []string
	for _, step := range p.Steps {
		switch step.Op {
		case "same", "create", "update", "read", "refresh":
		default:
			steps = append(steps, step.Op+" "+step.URN)
		}
	}
	return steps
}

// checkAutoscaledCountIsKept changes a group's desired capacity, as Cluster Autoscaler does.
// Neither a refresh nor an update may change the capacity back.
func checkAutoscaledCountIsKept(t *testing.T, s *stack) {
	const group = "autoscaling/group:Group"
	applicationGroup := s.findObject(t, group, "-application-")
	_, err := s.run(t, s.dir, "sandbox", "aws", "set", "aws:"+group, applicationGroup.ID, "desiredCapacity=5")
	require.NoError(t, err)
	s.pulumi(t, "refresh", "--yes", "--skip-preview")
	s.pulumi(t, "preview", "--expect-no-changes")
	s.pulumi(t, "up", "--yes", "--skip-preview", "--expect-no-changes")
	require.EqualValues(t, 5, s.findObject(t, group, "-application-").Outputs["desiredCapacity"])
}

// checkNodesRollOneTierAtATime changes a tag, which replaces no node. The release of the nodes
// of both tiers can't change in one update, so the test changes one tier after the other.
func checkNodesRollOneTierAtATime(t *testing.T, s *stack) {
	require.Empty(t, s.listRefreshedGroups(t))
	s.pulumi(t, "config", "set", "--path", "aws:defaultTags.tags.CostCenter", "nodes")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Empty(t, s.listRefreshedGroups(t), "a tag replaces no node")

	const webKey, appKey, release = "progressive-framework:tiers.web.release", "progressive-framework:tiers.application.release", "1.34-20260625"
	s.pulumi(t, "config", "set", "--path", webKey, release)
	s.pulumi(t, "config", "set", "--path", appKey, release)
	out, err := s.tryPulumi(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, "can't change in one update")
	s.pulumi(t, "config", "rm", "--path", appKey)
	template := s.findObject(t, "ec2/launchTemplate:LaunchTemplate", "-web-")
	require.Empty(t, s.preview(t).destructiveSteps(), "the template and its former version stay")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Equal(t, template.ID, s.findObject(t, "ec2/launchTemplate:LaunchTemplate", "-web-").ID)
	require.Equal(t, []string{"progressive-framework-v5-web-prod"}, s.listRefreshedGroups(t))
	requireNoChanges(t, s)
	s.pulumi(t, "config", "set", "--path", appKey, release)
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.ElementsMatch(t, []string{"progressive-framework-v5-web-prod", "progressive-framework-v5-app-prod"}, s.listRefreshedGroups(t))
}

// listRefreshedGroups returns the names of the groups with nodes that an instance refresh has
// replaced. A group is in the list once for each of its instance refreshes.
func (s *stack) listRefreshedGroups(t *testing.T) []string {
	t.Helper()
	out, combined, err := s.runStreams(t, s.dir, "sandbox", "aws", "list", "--owned", "--json")
	require.NoError(t, err, combined)
	var objects []struct {
		Type  string         `json:"type"`
		State map[string]any `json:"state"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &objects))
	var groups []string
	for _, o := range objects {
		if o.Type == "Auto Scaling instance refresh" {
			groups = append(groups, o.State["autoscalingGroupName"].(string))
		}
	}
	return groups
}

// checkNoSecretIsInTheState requires that the exported state does not contain the plain value
// of any secret. The registry's password is not in it at all, not even encrypted.
func checkNoSecretIsInTheState(t *testing.T, s *stack) {
	state := s.pulumi(t, "stack", "export")
	secrets := s.listObjects(t, "secretsmanager/secretVersion:SecretVersion", "--show-secrets")
	require.NotEmpty(t, secrets)
	for _, secret := range secrets {
		shown, _ := secret.Outputs["secretString"].(map[string]any)
		encoded, _ := shown["plaintext"].(string)
		var value string
		require.NoError(t, json.Unmarshal([]byte(encoded), &value), "the state has the value as a secret")
		require.Greater(t, len(value), 15)
		require.NotContains(t, state, value, secret.URN)
	}
	registryPassword, err := registry.EnsurePassword(s.layout)
	require.NoError(t, err)
	decrypted := s.pulumiStdout(t, "stack", "export", "--show-secrets")
	require.False(t, strings.Contains(decrypted, registryPassword), "the state has the registry's password")
	require.Contains(t, decrypted, `"login": {`, "images log in with the AWS CLI")
}

// checkFourthZoneReplacesNothing adds a zone to the network and removes the zone again. Neither change
// may replace or delete a resource of another zone.
func checkFourthZoneReplacesNothing(t *testing.T, s *stack) {
	zoneKey := []string{"--path", "progressive-framework:network.zones[3]"} // arguments of pulumi config
	s.pulumi(t, append([]string{"config", "set"}, append(zoneKey, "us-east-1d")...)...)
	p := s.preview(t)
	require.Empty(t, p.destructiveSteps())
	require.Positive(t, p.ChangeSummary["create"])
	subnets := len(s.listObjects(t, "ec2/subnet:Subnet"))
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Len(t, s.listObjects(t, "ec2/subnet:Subnet"), subnets+3, "a subnet in each tier")
	requireNoChanges(t, s)

	// When the zone is removed again, its resources are protected until deletionProtection
	// is off. Then only the resources of this zone are deleted.
	s.pulumi(t, append([]string{"config", "rm"}, zoneKey...)...)
	out, err := s.tryPulumi(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, "protect")
	s.pulumi(t, append([]string{"config", "set"}, append(zoneKey, "us-east-1d")...)...)
	s.unprotect(t)
	s.pulumi(t, append([]string{"config", "rm"}, zoneKey...)...)
	for _, step := range s.preview(t).destructiveSteps() {
		require.Regexp(t, `^delete .*-d(-[a-z0-9]+)?$`, step)
	}
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Len(t, s.listObjects(t, "ec2/subnet:Subnet"), subnets)
	s.pulumi(t, "config", "rm", protectionKey)
	s.pulumi(t, "config", "rm", discardKey)
	s.pulumi(t, "up", "--yes", "--skip-preview")
}

// checkInstanceClassChangesParameters changes the instance class of PostgreSQL. Without the key
// applyImmediately, the class and the parameters change in the maintenance window. With the key, they
// change in the next update. The database is never replaced.
func checkInstanceClassChangesParameters(t *testing.T, s *stack) {
	const database, group = "rds/instance:Instance", "rds/parameterGroup:ParameterGroup"
	databaseBefore := s.findObject(t, database, "")
	sharedBuffers := findParameter(t, s.findObject(t, group, ""), "shared_buffers")
	s.pulumi(t, "config", "set", "--path", "progressive-framework:postgres.instanceClass", "db.r7g.4xlarge")
	require.Empty(t, s.preview(t).destructiveSteps())
	s.pulumi(t, "up", "--yes", "--skip-preview")
	databasePending := s.findObject(t, database, "")
	require.Equal(t, databaseBefore.Outputs["instanceClass"], databasePending.Outputs["instanceClass"], "the class changes only in the maintenance window")
	require.Equal(t, sharedBuffers, findParameter(t, s.findObject(t, group, ""), "shared_buffers"), "a restart before the window does no harm")
	require.Contains(t, s.pulumi(t, "preview"), "changes it to db.r7g.4xlarge in the maintenance window")

	s.pulumi(t, "config", "set", "progressive-framework:applyImmediately", "true")
	require.Empty(t, s.preview(t).destructiveSteps())
	s.pulumi(t, "up", "--yes", "--skip-preview")
	databaseAfter := s.findObject(t, database, "")
	require.Equal(t, databaseBefore.ID, databaseAfter.ID)
	require.Equal(t, databaseBefore.Outputs["resourceId"], databaseAfter.Outputs["resourceId"], "the database is not replaced")
	require.Equal(t, "db.r7g.4xlarge", databaseAfter.Outputs["instanceClass"])
	require.NotEqual(t, sharedBuffers, findParameter(t, s.findObject(t, group, ""), "shared_buffers"))
	requireNoChanges(t, s)
}

// findParameter returns the value of a parameter of a parameter group.
func findParameter(t *testing.T, group object, name string) string {
	t.Helper()
	parameters, _ := group.Outputs["parameters"].([]any)
	for _, p := range parameters {
		if p := p.(map[string]any); p["name"] == name {
			return p["value"].(string)
		}
	}
	require.Failf(t, "no such parameter", "%s of %s", name, group.ID)
	return ""
}

// checkProtectedDestroyIsRefused expects that `pulumi destroy` fails in its preview, before
// anything is deleted. Then it removes the protection.
func checkProtectedDestroyIsRefused(t *testing.T, s *stack) {
	resourcesBefore := s.listAWSResources(t)
	out, err := s.tryPulumi(t, "destroy", "--yes")
	require.Error(t, err)
	require.Contains(t, out, "protect")
	require.ElementsMatch(t, resourcesBefore, s.listAWSResources(t), "nothing was deleted")
	s.unprotect(t)
}

// unprotect removes the protection of the stack's data.
func (s *stack) unprotect(t *testing.T) {
	t.Helper()
	s.pulumi(t, "config", "set", protectionKey, "false")
	s.pulumi(t, "config", "set", discardKey, "true")
	s.pulumi(t, "up", "--yes", "--skip-preview")
}

// checkEveryCreationIsRecognized compares each object of the stand-in with the inputs that the
// program has sent. After a lost response, `sandbox recover` finds the object by these inputs.
func checkEveryCreationIsRecognized(t *testing.T, s *stack) {
	var objects []store.Object
	out, combined, err := s.runStreams(t, s.dir, "sandbox", "aws", "list", "--json")
	require.NoError(t, err, combined)
	require.NoError(t, json.Unmarshal([]byte(out), &objects))
	created := map[resourceRef]store.Object{}
	for _, o := range objects {
		created[resourceRef{Type: o.Type, ID: o.ID}] = o
	}

	var export struct {
		Deployment struct {
			Resources []struct {
				resourceRef
				Inputs map[string]any `json:"inputs"`
			} `json:"resources"`
		} `json:"deployment"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.pulumiStdout(t, "stack", "export")), &export))
	var compared int
	for _, r := range export.Deployment.Resources {
		if o, ok := created[r.resourceRef]; ok {
			compared++
			assert.True(t, sandboxstack.MayComeFrom(o, r.Inputs), "%s %s: inputs %v, at AWS %v", r.Type, r.ID, r.Inputs, o.State)
		}
	}
	require.Equal(t, len(objects), compared)
}
