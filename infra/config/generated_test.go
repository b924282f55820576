package config_test

import (
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/infra/config"
	"github.com/progressive-framework/platform/infra/config/configgen"
)

// Many generated configurations are valid, and together they have all kinds of stores and nodes.
// For the others, each error has a path.
func TestGeneratedConfigurationsAreValidOrRefusedByPath(t *testing.T) {
	valid, kinds := 0, map[string]int{}
	for seed := range uint64(1000) {
		values := configgen.Generate(seed)
		s, err := config.Load("generated", values)
		var loadErr *config.Error
		if errors.As(err, &loadErr) {
			for _, p := range loadErr.Problems {
				require.Contains(t, p.Field, ":", "seed %d: %v", seed, p)
				require.NotContains(t, p.Error(), "Internal", "seed %d", seed)
			}
			continue
		}
		require.NoError(t, err)
		valid++
		for _, kind := range []string{"postgres " + string(s.Postgres.Kind), "redis " + string(s.Redis.Kind), "mongo " + string(s.Mongo.Kind), "nodes " + string(s.Cluster.Nodes)} {
			kinds[kind]++
		}
		if s.Edge.Domain != "" {
			kinds["edge"]++
		}
		require.Equal(t, values, configgen.Generate(seed), "the same for the same seed")
	}
	t.Log(valid, kinds)
	require.Greater(t, valid, 100)
	for _, kind := range []string{"postgres managed", "postgres inCluster", "redis managed", "redis inCluster", "redis none", "mongo managed", "mongo url", "mongo none", "nodes own", "nodes autoScaling", "edge"} {
		require.Positive(t, kinds[kind], kind)
	}
}

// The stacks of the project are valid.
func TestStacksOfTheProjectAreValid(t *testing.T) {
	files, err := filepath.Glob("../../Pulumi.*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 3)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var stack struct {
			Config map[string]any `json:"config"`
		}
		require.NoError(t, yaml.Unmarshal(text, &stack))
		values := map[string]string{}
		for _, key := range slices.Sorted(maps.Keys(stack.Config)) {
			if s, ok := stack.Config[key].(string); ok {
				values[key] = s
				continue
			}
			encoded, err := yaml.Marshal(stack.Config[key])
			require.NoError(t, err)
			encoded, err = yaml.YAMLToJSON(encoded)
			require.NoError(t, err)
			values[key] = string(encoded)
		}
		_, err = config.Load(filepath.Base(file), values)
		if err != nil && strings.Contains(err.Error(), "the project has no such file") {
			// make build creates the sandbox's keys.
			var loadErr *config.Error
			require.ErrorAs(t, err, &loadErr, file)
			for _, p := range loadErr.Problems {
				require.Contains(t, []string{"progressive-framework:auth.jwksFile", "progressive-framework:images.signingKey"}, p.Field, file)
			}
			continue
		}
		require.NoError(t, err, file)
	}
}

// previewedSeeds are the seeds of the random configurations in testdata/generated.json, which the
// engine tests preview. Together they have every kind of store.
var previewedSeeds = []uint64{9, 177, 164}

// testdata/generated.json has the configurations of previewedSeeds, and they are valid.
func TestPreviewedConfigurationsAreCurrent(t *testing.T) {
	const file = "testdata/generated.json"
	var generated []map[string]string
	kinds := map[string]bool{}
	for _, seed := range previewedSeeds {
		values := configgen.Generate(seed)
		s, err := config.Load("generated", values)
		require.NoError(t, err)
		generated = append(generated, values)
		for _, kind := range []string{"postgres " + string(s.Postgres.Kind), "redis " + string(s.Redis.Kind), "mongo " + string(s.Mongo.Kind), "nodes " + string(s.Cluster.Nodes)} {
			kinds[kind] = true
		}
	}
	for _, kind := range []string{"postgres managed", "postgres inCluster", "redis managed", "redis inCluster", "mongo managed", "mongo none", "nodes autoScaling", "nodes own"} {
		require.True(t, kinds[kind], "none has %s; take other seeds", kind)
	}
	text, err := json.MarshalIndent(generated, "", "  ")
	require.NoError(t, err)
	text = append(text, '\n')
	if flag.Lookup("update").Value.String() == "true" {
		require.NoError(t, os.WriteFile(file, text, 0o600))
	}
	current, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(text), string(current), "run go test ./infra/config -update")
}
