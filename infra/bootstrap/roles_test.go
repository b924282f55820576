package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/report"
	"github.com/progressive-framework/platform/policy/ruleset"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/stackconfig"
	"github.com/progressive-framework/platform/policy/waiver"
)

// readExampleSettings returns the configuration in Pulumi.ci.yaml.
func readExampleSettings(t *testing.T) settings {
	t.Helper()
	raw, err := os.ReadFile("Pulumi.ci.yaml")
	require.NoError(t, err)
	var file struct {
		Config struct {
			Region     string  `json:"aws:region"`
			Account    string  `json:"progressive-framework-ci:account"`
			Repository string  `json:"progressive-framework-ci:repository"`
			Stacks     []stack `json:"progressive-framework-ci:stacks"`
		} `json:"config"`
	}
	require.NoError(t, yaml.Unmarshal(raw, &file))
	c := file.Config
	return settings{region: c.Region, account: c.Account, repository: c.Repository, stacks: c.Stacks}
}

// deployAndRecordInputs runs deploy against mocks. It returns the inputs of every resource that
// deploy registers, by "TYPE NAME".
func deployAndRecordInputs(t *testing.T, s settings) map[string]map[string]any {
	t.Helper()
	cloud := &cloudmocks.Cloud{}
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error { return deploy(ctx, s) }, pulumi.WithMocks("progressive-framework-ci", "ci", cloud)))
	inputsByResource := map[string]map[string]any{}
	for _, r := range cloud.Registered() {
		inputsByResource[r.Type+" "+r.Name] = r.Inputs.Mappable()
	}
	return inputsByResource
}

const (
	roleType   = "aws:iam/role:Role "
	policyType = "aws:iam/policy:Policy "
)

func TestEachStackHasTwoRolesAndABoundary(t *testing.T) {
	s := readExampleSettings(t)
	require.NoError(t, s.validate())
	inputsByResource := deployAndRecordInputs(t, s)
	require.Contains(t, inputsByResource, "aws:iam/openIdConnectProvider:OpenIdConnectProvider github")
	placeholder := regexp.MustCompile(`\b(ACCOUNT|ENVIRONMENT|HOSTED_ZONE)\b`)
	for _, environment := range []string{"staging", "prod"} {
		for kind, subject := range map[string]string{"preview": "preview-" + environment, "deploy": environment} {
			trust := inputsByResource[roleType+kind+"-"+environment]["assumeRolePolicy"].(string)
			require.Contains(t, trust, "repo:OWNER/REPOSITORY:environment:"+subject+`"`)
		}
		boundary := inputsByResource[policyType+"progressive-framework-"+environment+"-boundary"]
		require.Equal(t, "progressive-framework-"+environment+"-boundary", boundary["name"])
		identity := inputsByResource[policyType+"deploy-"+environment+"-identity"]["policy"].(string)
		require.Contains(t, identity, "arn:aws:iam::123456789012:policy/progressive-framework-"+environment+"-boundary", "roles are created with the boundary")
		require.NotContains(t, inputsByResource, policyType+"preview-"+environment+"-identity", "the previewing role has its own policy alone")
	}
	for name, inputs := range inputsByResource {
		for key, value := range inputs {
			if text, ok := value.(string); ok {
				require.NotRegexp(t, placeholder, strings.ReplaceAll(text, "OWNER/REPOSITORY", ""), "%s %s", name, key)
			}
		}
		// A deploying role may change roles with names that begin with the stack's name. The name
		// of the deploying role begins with ci-, so that the role can't change itself.
		if role, ok := strings.CutPrefix(name, roleType); ok {
			require.Equal(t, "ci-"+role, inputs["name"])
		}
	}
}

// The roles of CI violate no mandatory rule of the policy pack, except the violations that
// Pulumi.ci.yaml waives.
func TestRolesViolateNoMandatoryRule(t *testing.T) {
	type state struct {
		URN    string         `json:"urn"`
		Type   string         `json:"type"`
		Custom bool           `json:"custom"`
		Inputs map[string]any `json:"inputs"`
	}
	var states []state
	for name, inputs := range deployAndRecordInputs(t, readExampleSettings(t)) {
		kind, resourceName, _ := strings.Cut(name, " ")
		if strings.HasPrefix(kind, "aws:") {
			states = append(states, state{"urn:pulumi:ci::progressive-framework-ci::" + kind + "::" + resourceName, kind, true, inputs})
		}
	}
	raw, err := json.Marshal(map[string]any{"version": 3, "deployment": map[string]any{"resources": states}})
	require.NoError(t, err)
	parsed, err := source.Parse(raw)
	require.NoError(t, err)
	values, err := stackconfig.Read("Pulumi.ci.yaml")
	require.NoError(t, err)
	day := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	e := evaluate.New(ruleset.All(), values[waiver.EnvironmentKey], values[waiver.Key], day)
	waived := 0
	for _, f := range report.New("ci", values[waiver.EnvironmentKey], e, parsed.Graph, e.ApplyToStack(parsed.Graph)).Findings {
		if f.Kind == report.Waived {
			waived++
			continue
		}
		require.NotEqual(t, report.Mandatory, f.Kind, "%s by %s: %s", f.Rule, f.Resource, f.Message)
	}
	require.NotZero(t, waived)
}

func TestValidateRefusesWrongSettings(t *testing.T) {
	validSettings := readExampleSettings(t)
	for why, tc := range map[string]struct {
		edit func(*settings)
		want string
	}{
		"an account of one digit":            {func(s *settings) { s.account = "1" }, "account is"},
		"no region":                          {func(s *settings) { s.region = "" }, "aws:region is"},
		"a wildcard as repository":           {func(s *settings) { s.repository = "OWNER/*" }, "repository is"},
		"no stack":                           {func(s *settings) { s.stacks = nil }, "stacks is empty"},
		"a quotation mark in an environment": {func(s *settings) { s.stacks = []stack{{`a","b`, "Z1"}} }, "stacks[0].environment is"},
		"an environment of 13 characters":    {func(s *settings) { s.stacks = []stack{{"abcdefghijklm", "Z1"}} }, "stacks[0].environment is"},
		"an environment with a dash":         {func(s *settings) { s.stacks = []stack{{"staging-eu", "Z1"}} }, "stacks[0].environment is"},
		"no hosted zone":                     {func(s *settings) { s.stacks = []stack{{"prod", ""}} }, "stacks[0].hostedZone is"},
		"a stack that is listed twice":       {func(s *settings) { s.stacks = append(s.stacks[:1:1], s.stacks[0]) }, "listed twice"},
	} {
		t.Run(why, func(t *testing.T) {
			s := validSettings
			tc.edit(&s)
			require.ErrorContains(t, s.validate(), tc.want)
		})
	}
}
