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

// key returns the key of an object in testScope.
func key(typ, id string) Key { return Key{Scope: testScope, Type: typ, ID: id} }

// open opens the store in a folder, as another process would.
func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	require.NoError(t, err)
	return s
}

// put writes one object in a transaction.
func put(t *testing.T, s *Store, typ, id string, state map[string]any) {
	t.Helper()
	require.NoError(t, s.Update(t.Context(), func(tx *Tx) error {
		tx.Put(Object{Key: key(typ, id), State: state})
		return nil
	}))
}

// ids returns the ids of all objects.
func ids(t *testing.T, s *Store) []string {
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
	s := open(t, t.TempDir())
	put(t, s, "vpc", "v", map[string]any{"cidr": "x"})
	refused := errors.New("refused")
	err := s.Update(t.Context(), func(tx *Tx) error {
		tx.Put(Object{Key: key("vpc", "w")})
		tx.Delete(key("vpc", "v"))
		_, ok := tx.Get(key("vpc", "v"))
		require.False(t, ok, "a transaction reads its own writes")
		_, ok = tx.Get(key("vpc", "w"))
		require.True(t, ok)
		return refused
	})
	require.ErrorIs(t, err, refused)
	require.Equal(t, []string{"v"}, ids(t, s), "a failed transaction changes nothing")
	require.NoError(t, s.View(t.Context(), func(tx *Tx) error {
		o, _ := tx.Get(key("vpc", "v"))
		o.State["cidr"] = "changed"
		again, _ := tx.Get(key("vpc", "v"))
		require.Equal(t, "x", again.State["cidr"], "Get returns a copy")
		return nil
	}))
}

func TestProcessesShareTheJournal(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	put(t, a, "vpc", "1", nil)
	put(t, b, "vpc", "2", nil)
	require.Equal(t, []string{"1", "2"}, ids(t, a))
	require.Equal(t, []string{"1", "2"}, ids(t, b))
	require.NoError(t, os.RemoveAll(dir)) // as `make down` does
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.Empty(t, ids(t, a), "a store is empty after its file was removed")
	put(t, b, "vpc", "3", nil)
	require.Equal(t, []string{"3"}, ids(t, a))
}

func TestConcurrentWritersLoseNothing(t *testing.T) {
	dir := t.TempDir()
	var writers sync.WaitGroup
	for w := range 4 {
		s := open(t, dir)
		writers.Go(func() {
			for i := range 25 {
				if err := s.Update(t.Context(), func(tx *Tx) error {
					tx.Put(Object{Key: key("vpc", fmt.Sprintf("%d-%d", w, i))})
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	require.Len(t, ids(t, open(t, dir)), 100)
}

func TestIncompleteLineIsIgnoredAndRemoved(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "vpc", "1", nil)
	path := filepath.Join(dir, "store.jsonl")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`[{"put":{"account":"123456789012","regi`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, []string{"1"}, ids(t, open(t, dir)), "readers ignore the incomplete line")
	put(t, open(t, dir), "vpc", "2", nil)
	require.Equal(t, []string{"1", "2"}, ids(t, s), "the next writer removes the incomplete line")
}

func TestDamagedLineIsReported(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "store.jsonl"), []byte("[]\nnonsense\n"), 0o600))
	err := open(t, dir).View(t.Context(), func(*Tx) error { return nil })
	require.ErrorContains(t, err, "line 2 is damaged")
}

func TestOutdatedLinesAreCompacted(t *testing.T) {
	dir := t.TempDir()
	s, other := open(t, dir), open(t, dir)
	for i := range 1100 {
		put(t, s, "vpc", "v", map[string]any{"n": float64(i)})
	}
	require.Equal(t, []string{"v"}, ids(t, other), "a reader opens the new file")
	require.Less(t, s.lines, 200, "the outdated lines were removed")
	put(t, other, "vpc", "w", nil)
	require.Equal(t, []string{"v", "w"}, ids(t, s))
	require.Equal(t, []string{"v", "w"}, ids(t, open(t, dir)))
}

func TestCanceledContextEndsTheWaitForTheLock(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, open(t, dir).Update(t.Context(), func(*Tx) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := open(t, dir).View(ctx, func(*Tx) error { return nil })
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
		s := open(t, dir)
		for i := 0; ; i++ {
			put(t, s, "vpc", fmt.Sprintf("%d-%d", os.Getpid(), i), map[string]any{"padding": string(make([]byte, 4096))})
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
	s := open(t, dir)
	found := map[string]bool{}
	for _, id := range ids(t, s) {
		found[id] = true
	}
	for id := range written {
		require.True(t, found[id], "%s was written and is lost", id)
	}
	put(t, s, "vpc", "after", nil)
	require.Contains(t, ids(t, open(t, dir)), "after")
}
