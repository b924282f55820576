package engine

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	sandboxstack "github.com/progressive-framework/platform/sandbox/stack"
)

// productionSteps are the steps of TestLifecycle for the existing stack prod: checks, and
// changes that must not replace a resource with data.
var productionSteps = []step{
	{"no secret is in the state", noSecretIsInTheState},
	{"every resource can be recognised after a lost response", everyCreationIsRecognised},
	{"a service can read the secrets that it mounts, and no other", secretsAreMounted},
	{"services verify the stores' certificates with the configured authority", certificatesAreVerified},
	{"the API server refuses pods that are not the stack's", otherPodsAreRefused},
	{"the site's files are uploaded, and no source files", siteIsUploaded},
	{"an update keeps an autoscaler's count", autoscaledCountIsKept},
	{"another image replaces the nodes of one tier at a time, and a tag replaces none", nodesRollOneTierAtATime},
	{"a fourth zone replaces nothing", fourthZoneReplacesNothing},
	{"another instance class changes the parameters and replaces nothing", instanceClassChangesParameters},
	{"destroy of a protected store is refused", protectedDestroyIsRefused},
}

// object is an AWS resource in the stack's state.
type object struct {
	URN     string         `json:"urn"`
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Outputs map[string]any `json:"outputs"`
}

// objects lists the objects of a type, such as "rds/instance:Instance".
func (s *stack) objects(t *testing.T, kind string, flags ...string) []object {
	t.Helper()
	var export struct {
		Deployment struct {
			Resources []object `json:"resources"`
		} `json:"deployment"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.decodable(t, append([]string{"stack", "export"}, flags...)...)), &export))
	return slices.DeleteFunc(export.Deployment.Resources, func(o object) bool { return o.Type != "aws:"+kind })
}

// one returns the object of a type whose URN contains part. The test fails if there is no such
// object or more than one.
func (s *stack) one(t *testing.T, kind, part string) object {
	t.Helper()
	found := slices.DeleteFunc(s.objects(t, kind), func(o object) bool { return !strings.Contains(o.URN, part) })
	require.Len(t, found, 1, "%s of %s", kind, part)
	return found[0]
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

// autoscaledCountIsKept changes a group's desired capacity, as Cluster Autoscaler does.
// Neither a refresh nor an update may change the capacity back.
func autoscaledCountIsKept(t *testing.T, s *stack) {
	const group = "autoscaling/group:Group"
	app := s.one(t, group, "-application-")
	_, err := s.run(t, s.dir, "sandbox", "aws", "set", "aws:"+group, app.ID, "desiredCapacity=5")
	require.NoError(t, err)
	s.pulumi(t, "refresh", "--yes", "--skip-preview")
	s.pulumi(t, "preview", "--expect-no-changes")
	s.pulumi(t, "up", "--yes", "--skip-preview", "--expect-no-changes")
	require.EqualValues(t, 5, s.one(t, group, "-application-").Outputs["desiredCapacity"])
}

// nodesRollOneTierAtATime changes a tag, which replaces no node. The release of the nodes of
// both tiers can't change in one update, so the test changes one tier after the other.
func nodesRollOneTierAtATime(t *testing.T, s *stack) {
	require.Empty(t, s.refreshedGroups(t))
	s.pulumi(t, "config", "set", "--path", "aws:defaultTags.tags.CostCenter", "nodes")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Empty(t, s.refreshedGroups(t), "a tag replaces no node")

	const web, app, release = "progressive-framework:tiers.web.release", "progressive-framework:tiers.application.release", "1.34-20260625"
	s.pulumi(t, "config", "set", "--path", web, release)
	s.pulumi(t, "config", "set", "--path", app, release)
	out, err := s.try(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, "can't change in one update")
	s.pulumi(t, "config", "rm", "--path", app)
	template := s.one(t, "ec2/launchTemplate:LaunchTemplate", "-web-")
	require.Empty(t, s.preview(t).destructiveSteps(), "the template and its former version stay")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Equal(t, template.ID, s.one(t, "ec2/launchTemplate:LaunchTemplate", "-web-").ID)
	require.Equal(t, []string{"progressive-framework-v5-web-prod"}, s.refreshedGroups(t))
	requireNoChanges(t, s)
	s.pulumi(t, "config", "set", "--path", app, release)
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.ElementsMatch(t, []string{"progressive-framework-v5-web-prod", "progressive-framework-v5-app-prod"}, s.refreshedGroups(t))
}

// refreshedGroups returns the names of the groups whose nodes were replaced by an instance
// refresh. A group is in the list once for each of its instance refreshes.
func (s *stack) refreshedGroups(t *testing.T) []string {
	t.Helper()
	out, both, err := s.streams(t, s.dir, "sandbox", "aws", "list", "--owned", "--json")
	require.NoError(t, err, both)
	var all []struct {
		Type  string         `json:"type"`
		State map[string]any `json:"state"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	var groups []string
	for _, o := range all {
		if o.Type == "Auto Scaling instance refresh" {
			groups = append(groups, o.State["autoscalingGroupName"].(string))
		}
	}
	return groups
}

// noSecretIsInTheState requires that the exported state does not contain the plain value
// of any secret.
func noSecretIsInTheState(t *testing.T, s *stack) {
	state := s.pulumi(t, "stack", "export")
	secrets := s.objects(t, "secretsmanager/secretVersion:SecretVersion", "--show-secrets")
	require.NotEmpty(t, secrets)
	for _, secret := range secrets {
		shown, _ := secret.Outputs["secretString"].(map[string]any)
		encoded, _ := shown["plaintext"].(string)
		var value string
		require.NoError(t, json.Unmarshal([]byte(encoded), &value), "the state has the value as a secret")
		require.Greater(t, len(value), 15)
		require.NotContains(t, state, value, secret.URN)
	}
}

func fourthZoneReplacesNothing(t *testing.T, s *stack) {
	zone := []string{"--path", "progressive-framework:network.zones[3]"}
	s.pulumi(t, append([]string{"config", "set"}, append(zone, "us-east-1d")...)...)
	p := s.preview(t)
	require.Empty(t, p.destructiveSteps())
	require.Positive(t, p.ChangeSummary["create"])
	subnets := len(s.objects(t, "ec2/subnet:Subnet"))
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Len(t, s.objects(t, "ec2/subnet:Subnet"), subnets+3, "a subnet in each tier")
	requireNoChanges(t, s)

	// When the zone is removed again, its resources are protected until deletionProtection
	// is off. Then only the resources of this zone are deleted.
	s.pulumi(t, append([]string{"config", "rm"}, zone...)...)
	out, err := s.try(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, "protect")
	s.pulumi(t, append([]string{"config", "set"}, append(zone, "us-east-1d")...)...)
	s.unprotect(t)
	s.pulumi(t, append([]string{"config", "rm"}, zone...)...)
	for _, step := range s.preview(t).destructiveSteps() {
		require.Regexp(t, `^delete .*-d(-[a-z0-9]+)?$`, step)
	}
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Len(t, s.objects(t, "ec2/subnet:Subnet"), subnets)
	s.pulumi(t, "config", "rm", protection)
	s.pulumi(t, "config", "rm", discard)
	s.pulumi(t, "up", "--yes", "--skip-preview")
}

func instanceClassChangesParameters(t *testing.T, s *stack) {
	const database, group = "rds/instance:Instance", "rds/parameterGroup:ParameterGroup"
	before := s.one(t, database, "")
	buffers := parameter(t, s.one(t, group, ""), "shared_buffers")
	s.pulumi(t, "config", "set", "--path", "progressive-framework:postgres.instanceClass", "db.r7g.4xlarge")
	require.Empty(t, s.preview(t).destructiveSteps())
	s.pulumi(t, "up", "--yes", "--skip-preview")
	pending := s.one(t, database, "")
	require.Equal(t, before.Outputs["instanceClass"], pending.Outputs["instanceClass"], "the class changes only in the maintenance window")
	require.Equal(t, buffers, parameter(t, s.one(t, group, ""), "shared_buffers"), "a restart before the window does no harm")
	require.Contains(t, s.pulumi(t, "preview"), "changes it to db.r7g.4xlarge in the maintenance window")

	s.pulumi(t, "config", "set", "progressive-framework:applyImmediately", "true")
	require.Empty(t, s.preview(t).destructiveSteps())
	s.pulumi(t, "up", "--yes", "--skip-preview")
	after := s.one(t, database, "")
	require.Equal(t, before.ID, after.ID)
	require.Equal(t, before.Outputs["resourceId"], after.Outputs["resourceId"], "the database is not replaced")
	require.Equal(t, "db.r7g.4xlarge", after.Outputs["instanceClass"])
	require.NotEqual(t, buffers, parameter(t, s.one(t, group, ""), "shared_buffers"))
	requireNoChanges(t, s)
}

func parameter(t *testing.T, group object, name string) string {
	t.Helper()
	all, _ := group.Outputs["parameters"].([]any)
	for _, p := range all {
		if p := p.(map[string]any); p["name"] == name {
			return p["value"].(string)
		}
	}
	require.Failf(t, "no such parameter", "%s of %s", name, group.ID)
	return ""
}

// protectedDestroyIsRefused expects that `pulumi destroy` fails in its preview, before
// anything is deleted. Then it removes the protection.
func protectedDestroyIsRefused(t *testing.T, s *stack) {
	before := s.awsResources(t)
	out, err := s.try(t, "destroy", "--yes")
	require.Error(t, err)
	require.Contains(t, out, "protect")
	require.ElementsMatch(t, before, s.awsResources(t), "nothing was deleted")
	s.unprotect(t)
}

// unprotect removes the protection of the stack's data.
func (s *stack) unprotect(t *testing.T) {
	t.Helper()
	s.pulumi(t, "config", "set", protection, "false")
	s.pulumi(t, "config", "set", discard, "true")
	s.pulumi(t, "up", "--yes", "--skip-preview")
}

// everyCreationIsRecognised compares each object of the stand-in with the inputs that the
// program has sent. After a lost response, `sandbox recover` finds the object by these
// inputs.
func everyCreationIsRecognised(t *testing.T, s *stack) {
	var objects []store.Object
	out, both, err := s.streams(t, s.dir, "sandbox", "aws", "list", "--json")
	require.NoError(t, err, both)
	require.NoError(t, json.Unmarshal([]byte(out), &objects))
	created := map[record]store.Object{}
	for _, o := range objects {
		created[record{Type: o.Type, ID: o.ID}] = o
	}

	var export struct {
		Deployment struct {
			Resources []struct {
				record
				Inputs map[string]any `json:"inputs"`
			} `json:"resources"`
		} `json:"deployment"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.decodable(t, "stack", "export")), &export))
	var compared int
	for _, r := range export.Deployment.Resources {
		if o, ok := created[r.record]; ok {
			compared++
			assert.True(t, sandboxstack.MayComeFrom(o, r.Inputs), "%s %s: inputs %v, at AWS %v", r.Type, r.ID, r.Inputs, o.State)
		}
	}
	require.Equal(t, len(objects), compared)
}
