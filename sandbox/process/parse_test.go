package process

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

func TestStatIsParsedAfterTheCommandsName(t *testing.T) {
	afterName := " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21"
	for _, tc := range []struct {
		reason, stat string
		valid        bool
	}{
		{"plain", "42 (etcd)" + afterName, true},
		{"a name with spaces and brackets", "42 (a) S 9 (b)" + afterName, true},
		{"too short", "42 (etcd) S 1 2", false},
		{"no name", "42" + afterName, false},
		{"empty", "", false},
		{"the start time is not a number", "42 (x)" + strings.Replace(afterName, "4711", "x", 1), false},
	} {
		parsed, err := parseStat([]byte(tc.stat))
		require.Equal(t, tc.valid, err == nil, "%s: %v", tc.reason, err)
		if tc.valid {
			require.Equal(t, stat{state: 'S', threads: 17, ticks: 4711}, parsed, tc.reason)
		}
	}
}

func TestZombieWithoutOtherThreadsIsDead(t *testing.T) {
	for _, tc := range []struct {
		reason string
		stat   stat
		dead   bool
	}{
		{"asleep", stat{state: 'S', threads: 9}, false},
		{"not yet collected by its parent", stat{state: 'Z', threads: 1}, true},
		{"the first thread has ended, others still hold the ports", stat{state: 'Z', threads: 3}, false},
		{"being removed from the table", stat{state: 'X', threads: 1}, true},
	} {
		require.Equal(t, tc.dead, tc.stat.isDead(), tc.reason)
	}
}

func TestDifferentSpecsHaveDifferentDigests(t *testing.T) {
	seen := map[string]int{}
	for i, s := range []Spec{
		{Path: "p"},
		{Path: "p", Args: []string{"a", "b"}},
		{Path: "p", Args: []string{"ab"}},
		{Path: "p", Args: []string{"a"}, Env: []string{"b"}},
		{Path: "p", Env: []string{"a", "b"}},
		{Path: "p", Derived: []string{"a", "b"}},
		{Path: "pa"},
	} {
		digest, err := s.digest()
		require.NoError(t, err)
		require.NotContains(t, seen, digest, "spec %d has the digest of spec %d", i, seen[digest])
		seen[digest] = i
	}
}

func TestLogTailHasTheLastLinesOfTheLatestRun(t *testing.T) {
	l := newLayout(t)
	require.Contains(t, LogTail(l, "a", 3), "no log")
	writeRun := func(text string) {
		f, err := openLog(l, "a")
		require.NoError(t, err)
		_, err = f.WriteString(text)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	writeRun("old\n")
	writeRun("")
	require.Equal(t, "(it wrote nothing)", LogTail(l, "a", 3), "the lines of an earlier run are left out")
	writeRun("1\n2\n3\n4\n")
	require.Equal(t, "3\n4", LogTail(l, "a", 2))
	require.Equal(t, "1\n2\n3\n4", LogTail(l, "a", 9))
}

func TestLongLogIsRotated(t *testing.T) {
	l := newLayout(t)
	require.NoError(t, os.Truncate(createEmptyLog(t, l), logLimit+1))
	f, err := openLog(l, "a")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	info, err := os.Stat(LogPath(l, "a"))
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(100))
	require.FileExists(t, LogPath(l, "a")+".1")
}

// createEmptyLog creates an empty log of the process "a" and returns its path.
func createEmptyLog(t *testing.T, l *layout.Layout) string {
	t.Helper()
	require.NoError(t, os.WriteFile(LogPath(l, "a"), nil, 0o600))
	return LogPath(l, "a")
}

func TestPortInUseIsFoundWithItsHolder(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port

	err = CheckPorts([]layout.NamedPort{{Name: "API server", Port: port}})
	var inUse *PortInUseError
	require.ErrorAs(t, err, &inUse)
	require.Equal(t, port, inUse.Port)
	require.Contains(t, inUse.Holder, "process ", "this test holds the port and may read its own /proc entry")

	require.NoError(t, listener.Close())
	require.NoError(t, CheckPorts([]layout.NamedPort{{Name: "API server", Port: port}}), "the check does not keep the port open")
}

func TestPortInUseErrorHasTheFix(t *testing.T) {
	for _, tc := range []struct {
		reason, holder string
		want           []string
	}{
		{"the holder is known", "`nginx` (process 12)", []string{"port 6443 in use", "API server", "127.0.0.1:6443", "`nginx` (process 12)", "stop it", "other ports"}},
		{"the holder belongs to another user", "", []string{"port 6443 in use", "API server", "another process", "ss -ltnp"}},
	} {
		text := (&PortInUseError{Port: 6443, NeededBy: "API server", Holder: tc.holder}).Error()
		for _, w := range tc.want {
			require.Contains(t, text, w, tc.reason)
		}
	}
}

func TestOnlyListeningSocketsOfThePortAreFound(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0000 100 0 0 10 0
   1: 0100007F:192B 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0000 100 0 0 10 0
   2: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0000 100 0 0 10 0
   3: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 444 1 0000 100 0 0 10 0
broken line
`
	require.Equal(t, []string{"111", "333"}, listenerInodes(table, 0x192B), "sockets that listen on any address, and neither connections nor other ports")
	require.Empty(t, listenerInodes(table, 1))
}
