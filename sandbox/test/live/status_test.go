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

func components(t *testing.T) []component {
	t.Helper()
	var s struct {
		Components []component `json:"components"`
	}
	require.NoError(t, json.Unmarshal([]byte(must(t, "sandbox", "status", "--json")), &s))
	require.NotEmpty(t, s.Components)
	return s.Components
}

// requireHealthyComponents requires that all components run and are healthy. It returns the
// components.
func requireHealthyComponents(t *testing.T) []component {
	t.Helper()
	all := components(t)
	for _, c := range all {
		require.True(t, c.Healthy, c.Name)
		require.Positive(t, c.PID, c.Name)
	}
	return all
}

// hasEnded returns true if a process does not exist or is a zombie.
func hasEnded(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
