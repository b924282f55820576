package fluentbitkeys

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	fluentbit "github.com/calyptia/go-fluentbit-config/v2"
	"github.com/stretchr/testify/require"
)

// readConfigFile returns the configuration file of Fluent Bit in the recorded preview of a stack.
func readConfigFile(t *testing.T, stack string) string {
	t.Helper()
	raw, err := os.ReadFile("../../policy/testdata/" + stack + ".jsonl")
	require.NoError(t, err)
	for line := range bytes.Lines(raw) {
		var resource struct {
			Inputs struct{ Data json.RawMessage }
		}
		require.NoError(t, json.Unmarshal(line, &resource))
		var data map[string]any
		if json.Unmarshal(resource.Inputs.Data, &data) != nil {
			continue // no ConfigMap
		}
		if text, ok := data["fluent-bit.yaml"].(string); ok {
			return text
		}
	}
	require.Fail(t, "no configuration file", stack)
	return ""
}

// validate parses a configuration file, and checks its plugins, keys and types of values.
func validate(text string) error {
	config, err := fluentbit.ParseAs(text, fluentbit.FormatYAML)
	if err != nil {
		return err
	}
	return config.Validate()
}

// Each plugin and key of the file exists in Fluent Bit, which would not start with an unknown key.
func TestEachPluginAndKeyExists(t *testing.T) {
	for _, stack := range []string{"prod", "staging"} {
		text := readConfigFile(t, stack)
		require.NoError(t, validate(text), stack)
		config, err := fluentbit.ParseAs(text, fluentbit.FormatYAML)
		require.NoError(t, err)
		require.Len(t, config.Pipeline.Inputs, 2, "the parser reads the file's sections")
		require.Len(t, config.Pipeline.Outputs, 2)
		require.NotEmpty(t, config.Service)
	}
}

func TestUnknownKeysAreFound(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{"name: tail", "name: tails", "tails"},
		{"name: cloudwatch_logs", "name: cloudwatch", "cloudwatch"},
		{"tag_regex:", "tag_regexp:", `unknown property "tag_regexp"`},
		{"log_group_name:", "log_groups_name:", `unknown property "log_groups_name"`},
		{"read_from_head: true", "read_from_head: first", `expected "read_from_head" to be a valid boolean`},
	} {
		text := readConfigFile(t, "prod")
		require.Contains(t, text, tc.old)
		require.ErrorContains(t, validate(strings.ReplaceAll(text, tc.old, tc.new)), tc.want)
	}
}
