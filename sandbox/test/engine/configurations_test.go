package engine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// The real engine previews generated configurations without an error. The tests of
// infra/config generate them. The tests of infra run many more configurations with mocks.
func TestGeneratedConfigurationsPreview(t *testing.T) {
	raw, err := os.ReadFile("../../../infra/config/testdata/generated.json")
	require.NoError(t, err)
	var configurations []map[string]string
	require.NoError(t, json.Unmarshal(raw, &configurations))
	require.Len(t, configurations, 3)
	s := newStack(t, newEnvironment(t), "prod")
	defer s.remove(t)
	for _, values := range configurations {
		t.Log(values)
		s.replaceConfiguration(t, values)
		require.Empty(t, s.preview(t).destructiveSteps())
	}
}

// replaceConfiguration replaces the configuration in the stack's file.
func (s *stack) replaceConfiguration(t *testing.T, values map[string]string) {
	t.Helper()
	file := filepath.Join(s.dir, "Pulumi."+s.name+".yaml")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	content := map[string]any{}
	require.NoError(t, yaml.Unmarshal(raw, &content))
	config := map[string]any{}
	for key, value := range values {
		config[key] = value
		if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
			var object any
			require.NoError(t, json.Unmarshal([]byte(value), &object))
			config[key] = object
		}
	}
	content["config"] = config
	raw, err = yaml.Marshal(content)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, raw, 0o600))
}

// With the longest name of an environment that the documentation allows, every resource name
// of prod is within AWS's limit.
func TestLongestEnvironmentFitsAWSLimits(t *testing.T) {
	s := newStack(t, newEnvironment(t), "prod")
	defer s.remove(t)
	for _, environment := range []string{"abcdefghij", "abcdefghijkl"} {
		s.pulumi(t, "config", "set", "progressive-framework:environment", environment)
		s.preview(t)
	}
	s.pulumi(t, "config", "set", "progressive-framework:environment", "abcdefghijklm")
	out, err := s.tryPulumi(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, "progressive-framework:environment: Invalid value")
}

// The program reads or refuses every key that the CLI accepts, in every namespace. If a key
// is encrypted, the program refuses the key and does not show the value.
func TestEveryKeyIsReadOrRefused(t *testing.T) {
	s := newStack(t, newEnvironment(t), "staging")
	defer s.remove(t)
	s.pulumi(t, "config", "set", "aws:profile", "platform")
	s.pulumi(t, "config", "set", "--path", "aws:defaultTags.tags.CostCenter", "42")
	s.pulumi(t, "config", "set", "--path", "aws:assumeRole.roleArn", "arn:aws:iam::123456789012:role/platform-deployer")
	s.preview(t)

	for _, key := range []string{"kubernetes:namespace", "progressive-framwork:account", "aws:allowedAcountIds"} {
		s.pulumi(t, "config", "set", key, "platform")
	}
	s.pulumi(t, "config", "set", "--secret", "progressive-framework:account", "123456789012")
	s.pulumi(t, "config", "set", "--secret", "--path", "progressive-framework:postgres.instanceClass", "db.t4g.xlarge")
	out, err := s.tryPulumi(t, "preview")
	require.Error(t, err)
	for _, want := range []string{
		"kubernetes:namespace: Forbidden",
		`did you mean "progressive-framework:account"?`,
		`did you mean "allowedAccountIds"?`,
		"progressive-framework:account: Forbidden: is set with --secret",
		"progressive-framework:postgres: Forbidden: is set with --secret",
		"nothing was registered",
	} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, out, "123456789012")
	require.NotContains(t, out, "db.t4g.xlarge")
	require.Empty(t, s.listAWSResources(t))
}
