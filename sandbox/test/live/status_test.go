package live

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// component is one row of `sandbox status --json`.
type component struct {
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	Healthy bool   `json:"healthy"`
}

// readComponents returns the components in `sandbox status --json`.
func readComponents(t *testing.T) []component {
	t.Helper()
	var status struct {
		Components []component `json:"components"`
	}
	require.NoError(t, json.Unmarshal([]byte(mustRun(t, "sandbox", "status", "--json")), &status))
	require.NotEmpty(t, status.Components)
	return status.Components
}

// requireHealthyComponents requires that all components run and are healthy. It returns the
// components.
func requireHealthyComponents(t *testing.T) []component {
	t.Helper()
	components := readComponents(t)
	for _, c := range components {
		require.True(t, c.Healthy, c.Name)
		require.Positive(t, c.PID, c.Name)
	}
	return components
}

// hasEnded returns true if a process does not exist or is a zombie.
func hasEnded(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
