package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/infra/config"
	"github.com/progressive-framework/platform/infra/config/configgen"
)

// Every configuration that Load accepts can be deployed: Load refuses what a constructor would
// refuse. The generator also draws invalid configurations, which the test skips.
func FuzzAnyValidConfigurationDeploys(f *testing.F) {
	for seed := range uint64(150) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		t.Parallel()
		stack, err := config.Load("generated", configgen.Generate(seed))
		if err != nil {
			return
		}
		resources, err := deployMocked(t, stack)
		require.NoError(t, err, "seed %d: %v", seed, configgen.Generate(seed))
		require.NotEmpty(t, resources)
		requireNamesFit(t, resources)
	})
}
