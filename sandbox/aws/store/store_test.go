package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var testScope = Scope{Account: "123456789012", Region: "us-east-1"}

// testKey returns the key of an object in testScope.
func testKey(typ, id string) Key { return Key{Scope: testScope, Type: typ, ID: id} }

// openStore opens the store in a folder, as another process would.
func openStore(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	require.NoError(t, err)
	return s
}

// putObject writes one object in a transaction.
func putObject(t *testing.T, s *Store, typ, id string, state map[string]any) {
	t.Helper()
	require.NoError(t, s.Update(t.Context(), func(tx *Tx) error {
		tx.Put(Object{Key: testKey(typ, id), State: state})
		return nil
	}))
}

// listIDs returns the ids of all objects.
func listIDs(t *testing.T, s *Store) []string {
	t.Helper()
	var out []string
	require.NoError(t, s.View(t.Context(), func(tx *Tx) error {
		for _, o := range tx.All() {
			out = append(out, o.ID)
		}
		return nil
	}))
	return out
}

func TestFailedTransactionChangesNothing(t *testing.T) {
	s := openStore(t, t.TempDir())
	putObject(t, s, "vpc", "v", map[string]any{"cidr": "x"})
	refused := errors.New("refused")
	err := s.Update(t.Context(), func(tx *Tx) error {
		tx.Put(Object{Key: testKey("vpc", "w")})
		tx.Delete(testKey("vpc", "v"))
		_, ok := tx.Get(testKey("vpc", "v"))
		require.False(t, ok, "a transaction reads its own writes")
		_, ok = tx.Get(testKey("vpc", "w"))
		require.True(t, ok)
		return refused
	})
	require.ErrorIs(t, err, refused)
	require.Equal(t, []string{"v"}, listIDs(t, s), "a failed transaction changes nothing")
	require.NoError(t, s.View(t.Context(), func(tx *Tx) error {
		o, _ := tx.Get(testKey("vpc", "v"))
		o.State["cidr"] = "changed"
		again, _ := tx.Get(testKey("vpc", "v"))
		require.Equal(t, "x", again.State["cidr"], "Get returns a copy")
		return nil
	}))
}

func TestProcessesShareTheJournal(t *testing.T) {
	dir := t.TempDir()
	a, b := openStore(t, dir), openStore(t, dir)
	putObject(t, a, "vpc", "1", nil)
	putObject(t, b, "vpc", "2", nil)
	require.Equal(t, []string{"1", "2"}, listIDs(t, a))
	require.Equal(t, []string{"1", "2"}, listIDs(t, b))
	require.NoError(t, os.RemoveAll(dir)) // as `make down` does
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.Empty(t, listIDs(t, a), "a store is empty after its file was removed")
	putObject(t, b, "vpc", "3", nil)
	require.Equal(t, []string{"3"}, listIDs(t, a))
}

func TestConcurrentWritersLoseNothing(t *testing.T) {
	dir := t.TempDir()
	var writers sync.WaitGroup
	for w := range 4 {
		s := openStore(t, dir)
		writers.Go(func() {
			for i := range 25 {
				if err := s.Update(t.Context(), func(tx *Tx) error {
					tx.Put(Object{Key: testKey("vpc", fmt.Sprintf("%d-%d", w, i))})
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	require.Len(t, listIDs(t, openStore(t, dir)), 100)
}

func TestIncompleteLineIsIgnoredAndRemoved(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	putObject(t, s, "vpc", "1", nil)
	path := filepath.Join(dir, "store.jsonl")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`[{"put":{"account":"123456789012","regi`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, []string{"1"}, listIDs(t, openStore(t, dir)), "readers ignore the incomplete line")
	putObject(t, openStore(t, dir), "vpc", "2", nil)
	require.Equal(t, []string{"1", "2"}, listIDs(t, s), "the next writer removes the incomplete line")
}

func TestDamagedLineIsReported(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "store.jsonl"), []byte("[]\nnonsense\n"), 0o600))
	err := openStore(t, dir).View(t.Context(), func(*Tx) error { return nil })
	require.ErrorContains(t, err, "line 2 is damaged")
}

func TestOutdatedLinesAreCompacted(t *testing.T) {
	dir := t.TempDir()
	s, other := openStore(t, dir), openStore(t, dir)
	for i := range 1100 {
		putObject(t, s, "vpc", "v", map[string]any{"n": float64(i)})
	}
	require.Equal(t, []string{"v"}, listIDs(t, other), "a reader opens the new file")
	require.Less(t, s.lines, 200, "the outdated lines were removed")
	putObject(t, other, "vpc", "w", nil)
	require.Equal(t, []string{"v", "w"}, listIDs(t, s))
	require.Equal(t, []string{"v", "w"}, listIDs(t, openStore(t, dir)))
}

func TestCanceledContextEndsTheWaitForTheLock(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, openStore(t, dir).Update(t.Context(), func(*Tx) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := openStore(t, dir).View(ctx, func(*Tx) error { return nil })
		require.ErrorContains(t, err, "another process holds the lock")
		return nil
	}))
}

// childDirVariable is the environment variable with the store's folder for the process that
// the test kills.
const childDirVariable = "STORE_TEST_CHILD"

// The test starts a process that writes without a pause, and kills it. It does this five
// times. All objects that a process has reported as written must be in the store, and the
// store must be writable.
func TestKilledWriterLosesNothing(t *testing.T) {
	if dir := os.Getenv(childDirVariable); dir != "" {
		s := openStore(t, dir)
		for i := 0; ; i++ {
			putObject(t, s, "vpc", fmt.Sprintf("%d-%d", os.Getpid(), i), map[string]any{"padding": string(make([]byte, 4096))})
			fmt.Println(i)
		}
	}
	dir := t.TempDir()
	written := map[string]bool{}
	for range 5 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWriterLosesNothing$")
		cmd.Env = append(os.Environ(), childDirVariable+"="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for range 10 {
			require.True(t, lines.Scan())
			written[fmt.Sprintf("%d-%s", cmd.Process.Pid, lines.Text())] = true
		}
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
	}
	s := openStore(t, dir)
	found := map[string]bool{}
	for _, id := range listIDs(t, s) {
		found[id] = true
	}
	for id := range written {
		require.True(t, found[id], "%s was written and is lost", id)
	}
	putObject(t, s, "vpc", "after", nil)
	require.Contains(t, listIDs(t, openStore(t, dir)), "after")
}
