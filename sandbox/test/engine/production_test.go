package engine

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// changes are what a person does to a stack of production, each on a platform
// that stands. None may replace what holds state.
var changes = []step{
	{"no secret is in the state", noSecretIsInTheState},
	{"a service reads the secrets that it mounts, and no other", secretsAreMounted},
	{"with an authority the stores' certificates are verified", authorityIsAsked},
	{"the site's files are uploaded, and no source of ours", siteIsUploaded},
	{"an autoscaler's count is left alone", scaleDriftIsLeftAlone},
	{"a failed migration runs again", failedMigrationRunsAgain},
	{"a fourth zone replaces nothing", fourthZoneReplacesNothing},
	{"another instance class tunes anew and replaces nothing", instanceClassTunesAnew},
	{"destroy of a protected store is refused", protectedDestroyIsRefused},
}

// object is one AWS resource as the stack's state knows it.
type object struct {
	URN     string         `json:"urn"`
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Outputs map[string]any `json:"outputs"`
}

// objects lists those of a type, such as "rds/instance:Instance".
func (s *stack) objects(t *testing.T, kind string, flags ...string) []object {
	t.Helper()
	var export struct {
		Deployment struct {
			Resources []object `json:"resources"`
		} `json:"deployment"`
	}
	require.NoError(t, json.Unmarshal([]byte(s.pulumi(t, append([]string{"stack", "export"}, flags...)...)), &export))
	return slices.DeleteFunc(export.Deployment.Resources, func(o object) bool { return o.Type != "aws:"+kind })
}

// one is the only object of a type whose URN contains part.
func (s *stack) one(t *testing.T, kind, part string) object {
	t.Helper()
	found := slices.DeleteFunc(s.objects(t, kind), func(o object) bool { return !strings.Contains(o.URN, part) })
	require.Len(t, found, 1, "%s of %s", kind, part)
	return found[0]
}

// replaced lists the resources that a plan would delete or make a second time.
func (p plan) replaced() []string {
	var urns []string
	for _, step := range p.Steps {
		switch step.Op {
		case "same", "create", "update", "read", "refresh":
		default:
			urns = append(urns, step.Op+" "+step.URN)
		}
	}
	return urns
}

// scaleDriftIsLeftAlone plays Cluster Autoscaler: it moves a group's desired
// capacity. Neither a refresh nor an update moves it back.
func scaleDriftIsLeftAlone(t *testing.T, s *stack) {
	const group = "autoscaling/group:Group"
	app := s.one(t, group, "-application-")
	_, err := s.run(t, s.dir, "sandbox", "aws", "set", "aws:"+group, app.ID, "desiredCapacity=5")
	require.NoError(t, err)
	s.pulumi(t, "refresh", "--yes", "--skip-preview")
	s.pulumi(t, "preview", "--expect-no-changes")
	s.pulumi(t, "up", "--yes", "--skip-preview", "--expect-no-changes")
	require.EqualValues(t, 5, s.one(t, group, "-application-").Outputs["desiredCapacity"])
}

// noSecretIsInTheState looks for the value of each secret in the exported state,
// where it must be encrypted.
func noSecretIsInTheState(t *testing.T, s *stack) {
	state := s.pulumi(t, "stack", "export")
	secrets := s.objects(t, "secretsmanager/secretVersion:SecretVersion", "--show-secrets")
	require.NotEmpty(t, secrets)
	for _, secret := range secrets {
		shown, _ := secret.Outputs["secretString"].(map[string]any)
		coded, _ := shown["plaintext"].(string)
		var value string
		require.NoError(t, json.Unmarshal([]byte(coded), &value), "the state marks it as secret")
		require.Greater(t, len(value), 15)
		require.NotContains(t, state, value, secret.URN)
	}
}

func fourthZoneReplacesNothing(t *testing.T, s *stack) {
	zone := []string{"--path", "progressive-framework:network.zones[3]"}
	s.pulumi(t, append([]string{"config", "set"}, append(zone, "us-east-1d")...)...)
	p := s.preview(t)
	require.Empty(t, p.replaced())
	require.Positive(t, p.ChangeSummary["create"])
	subnets := len(s.objects(t, "ec2/subnet:Subnet"))
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Len(t, s.objects(t, "ec2/subnet:Subnet"), subnets+3, "a subnet in each tier")
	requireNoChanges(t, s)

	// And away again: what it brought is protected until a person says that it
	// may be lost. Then it goes, and nothing else.
	s.pulumi(t, append([]string{"config", "rm"}, zone...)...)
	out, err := s.try(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, "protect")
	s.pulumi(t, append([]string{"config", "set"}, append(zone, "us-east-1d")...)...)
	s.unprotect(t)
	s.pulumi(t, append([]string{"config", "rm"}, zone...)...)
	for _, gone := range s.preview(t).replaced() {
		require.Regexp(t, `^delete .*-d(-[a-z0-9]+)?$`, gone)
	}
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Len(t, s.objects(t, "ec2/subnet:Subnet"), subnets)
	s.pulumi(t, "config", "rm", protection)
	s.pulumi(t, "up", "--yes", "--skip-preview")
}

func instanceClassTunesAnew(t *testing.T, s *stack) {
	const database, group = "rds/instance:Instance", "rds/parameterGroup:ParameterGroup"
	before := s.one(t, database, "")
	buffers := parameter(t, s.one(t, group, ""), "shared_buffers")
	s.pulumi(t, "config", "set", "--path", "progressive-framework:postgres.instanceClass", "db.r7g.4xlarge")
	require.Empty(t, s.preview(t).replaced())
	s.pulumi(t, "up", "--yes", "--skip-preview")
	after := s.one(t, database, "")
	require.Equal(t, before.ID, after.ID)
	require.Equal(t, before.Outputs["resourceId"], after.Outputs["resourceId"], "the same database")
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

// protectedDestroyIsRefused by the preview that `pulumi destroy` makes, before
// anything is deleted, and goes through once a person has said that the stack
// may be lost.
func protectedDestroyIsRefused(t *testing.T, s *stack) {
	before := s.atAWS(t)
	out, err := s.try(t, "destroy", "--yes")
	require.Error(t, err)
	require.Contains(t, out, "protect")
	require.ElementsMatch(t, before, s.atAWS(t), "nothing was deleted on the way")
	s.unprotect(t)
}

// unprotect says that the stack may be lost.
func (s *stack) unprotect(t *testing.T) {
	t.Helper()
	s.pulumi(t, "config", "set", protection, "false")
	s.pulumi(t, "up", "--yes", "--skip-preview")
}
