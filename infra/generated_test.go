package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/infra/config"
	"github.com/progressive-framework/platform/infra/config/configgen"
)

// Any configuration that validates deploys: what a constructor would refuse,
// Load refuses. Invalid configurations are drawn too, and skipped.
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
		all, err := deployMocked(t, stack)
		require.NoError(t, err, "seed %d: %v", seed, configgen.Generate(seed))
		require.NotEmpty(t, all)
		requireNamesFit(t, all)
	})
}
