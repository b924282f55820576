package main

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// requiredVersions returns the versions that a go.mod requires, by module.
func requiredVersions(t *testing.T, file string) map[string]string {
	t.Helper()
	raw, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", file).Output()
	require.NoError(t, err)
	var module struct {
		Require []struct{ Path, Version string }
	}
	require.NoError(t, json.Unmarshal(raw, &module))
	versions := map[string]string{}
	for _, requirement := range module.Require {
		versions[requirement.Path] = requirement.Version
	}
	require.NotEmpty(t, versions, file)
	return versions
}

// A package of two versions is compiled twice in every first `make up`, with all packages that
// import it. So both modules of this repository must require the same versions.
func TestBothModulesRequireTheSameVersions(t *testing.T) {
	differences := map[string]string{
		"github.com/prometheus/prometheus": "only tests of the program import it; metrics-server requires a newer one",
		"github.com/grafana/regexp":        "Prometheus requires it",
	}
	program, sandbox := requiredVersions(t, "../../go.mod"), requiredVersions(t, "../go.mod")
	for module, version := range program {
		sandboxVersion, shared := sandbox[module]
		if !shared || version == sandboxVersion {
			continue
		}
		require.Contains(t, differences, module, "go.mod requires %s, sandbox/go.mod requires %s: run go get %s@VERSION in both folders", version, sandboxVersion, module)
		delete(differences, module)
	}
	require.Empty(t, differences, "allowed differences that no longer exist")
}
