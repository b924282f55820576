package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpenCompletesOlderSettings(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "settings.json"), []byte(`{"ports":{"registry":5002}}`), 0o600))
	l, err := Open(dir)
	require.NoError(t, err)
	require.Equal(t, 5002, l.Ports.Registry, "a stored port stays")
	require.Equal(t, DefaultPorts().Volumes, l.Ports.Volumes, "a port that the older sandbox lacks gets its default")
}

func TestPulumiKeepsNoLogOfItsCommands(t *testing.T) {
	dir := t.TempDir()
	oldLog := filepath.Join(dir, "pulumi", "logs", "pulumi-20261123T080000-1-preview.log")
	require.NoError(t, os.MkdirAll(filepath.Dir(oldLog), 0o700))
	require.NoError(t, os.WriteFile(oldLog, nil, 0o600))
	for range 2 {
		_, err := Create(dir, Settings{Cluster: ClusterSimulated})
		require.NoError(t, err)
	}
	text, err := os.ReadFile(filepath.Dir(oldLog))
	require.NoError(t, err, "a file has replaced the folder of the CLI's logs")
	require.Contains(t, string(text), "remove this file")
	require.DirExists(t, filepath.Join(dir, "pulumi"))
}

// The sandbox listens on its ports seconds after they were chosen. Until then no other process may
// get one of them by chance.
func TestFreePortsAreNoneThatLinuxGivesAway(t *testing.T) {
	raw, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	require.NoError(t, err)
	var first, last int
	_, err = fmt.Sscan(string(raw), &first, &last)
	require.NoError(t, err)
	ports, err := FindFreePorts()
	require.NoError(t, err)
	seen := map[int]bool{}
	for _, p := range ports.All() {
		require.False(t, first <= p.Port && p.Port <= last, "%s: %d is from %d to %d", p.Name, p.Port, first, last)
		require.False(t, seen[p.Port], "%s: %d is another port too", p.Name, p.Port)
		seen[p.Port] = true
	}
}
