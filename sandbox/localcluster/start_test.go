package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// TestMain lets this test's own executable play the components: it is started
// as `EXECUTABLE run NAME`, like the sandbox's.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "run" && os.Getenv(home.Variable) != "" {
		play(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// play makes a file while it works; a file NAME.fails makes it die, one
// NAME.hangs do nothing.
func play(name string) {
	h, err := home.FromEnv()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if _, err := os.Stat(filepath.Join(h.Dir, name+".fails")); err == nil {
		fmt.Println("the disk is on fire")
		os.Exit(1)
	}
	up := filepath.Join(h.Dir, name+".up")
	if _, err := os.Stat(filepath.Join(h.Dir, name+".hangs")); err != nil {
		_ = os.WriteFile(up, nil, 0o600)
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	select {
	case <-c:
	case <-time.After(time.Minute):
	}
	_ = os.Remove(up)
}

// theatre replaces the table by components that play, and notes in which order
// they became healthy.
type theatre struct {
	h   *home.Home
	out bytes.Buffer
	log *progress.Log

	mu    sync.Mutex
	order []string
}

func newTheatre(t *testing.T) *theatre {
	t.Helper()
	real := Components
	th := &theatre{h: testHome(t, home.ClusterSimulated)}
	th.log = progress.New(&th.out, 0)
	part := func(name string, after ...string) Component {
		return Component{Name: name, Kinds: simulated, After: after, Healthy: th.up(name), Limit: time.Minute, Grace: 10 * time.Second}
	}
	Components = []Component{part("a"), part("b", "a"), part("c", "a", "of another kind"), part("d", "b", "c")}
	t.Cleanup(func() {
		require.NoError(t, Stop(context.Background(), th.h, progress.New(io.Discard, 0)))
		Components = real
	})
	return th
}

func (th *theatre) up(name string) func(context.Context, *home.Home) error {
	return func(context.Context, *home.Home) error {
		if _, err := os.Stat(filepath.Join(th.h.Dir, name+".up")); err != nil {
			return err
		}
		th.mu.Lock()
		defer th.mu.Unlock()
		th.order = append(th.order, name)
		return nil
	}
}

func (th *theatre) start(t *testing.T) error {
	t.Helper()
	th.order = nil
	return Start(t.Context(), th.h, th.log)
}

func (th *theatre) file(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(th.h.Dir, name), nil, 0o600))
}

func (th *theatre) pids(t *testing.T) map[string]int {
	t.Helper()
	pids := map[string]int{}
	for _, c := range Components {
		if r, ok := process.Find(th.h, c.Name); ok {
			pids[c.Name] = r.PID
		}
	}
	return pids
}

func TestStartInOrderAndOnce(t *testing.T) {
	th := newTheatre(t)
	require.NoError(t, th.start(t))
	require.Len(t, th.order, 4)
	require.Equal(t, "a", th.order[0])
	require.Equal(t, "d", th.order[3])
	pids := th.pids(t)
	require.Len(t, pids, 4)
	require.NotContains(t, th.out.String(), "not running", "a first start repairs nothing")

	require.NoError(t, th.start(t))
	require.Equal(t, pids, th.pids(t), "what runs is left alone")
}

func TestStartRepairsWhatWasKilled(t *testing.T) {
	th := newTheatre(t)
	require.NoError(t, th.start(t))
	for _, name := range []string{"a", "b", "c", "d"} {
		before := th.pids(t)
		require.NoError(t, os.Remove(filepath.Join(th.h.Dir, name+".up")))
		require.NoError(t, syscall.Kill(before[name], syscall.SIGKILL))
		require.Eventually(t, func() bool { return !process.Alive(th.h, name) }, 10*time.Second, time.Millisecond)
		require.NoError(t, th.start(t))
		after := th.pids(t)
		require.NotEqual(t, before[name], after[name])
		after[name] = before[name]
		require.Equal(t, before, after, "the others go on")
		require.Contains(t, th.out.String(), name+": was not running; started")
	}
}

func TestStartRepairsWhatHangs(t *testing.T) {
	th := newTheatre(t)
	defer func(d time.Duration) { hung = d }(hung)
	require.NoError(t, th.start(t))
	before := th.pids(t)
	hung = 50 * time.Millisecond
	require.NoError(t, os.Remove(filepath.Join(th.h.Dir, "c.up")))
	require.NoError(t, th.start(t))
	require.NotEqual(t, before["c"], th.pids(t)["c"])
	require.Contains(t, th.out.String(), "c: runs but is not healthy")
}

func TestStartSaysWhyAComponentDied(t *testing.T) {
	th := newTheatre(t)
	th.file(t, "b.fails")
	err := th.start(t)
	var died *process.DiedError
	require.ErrorAs(t, err, &died)
	require.Equal(t, "b", died.Name)
	require.ErrorContains(t, err, "the disk is on fire")
	require.NotContains(t, err.Error(), "canceled", "those that were waiting say nothing")
	require.NotContains(t, th.pids(t), "d", "what comes after is not started")

	require.NoError(t, os.Remove(filepath.Join(th.h.Dir, "b.fails")))
	require.NoError(t, th.start(t), "the next start goes on from there")
	require.Len(t, th.pids(t), 4)
}

func TestStartSaysWhatIsNotHealthy(t *testing.T) {
	th := newTheatre(t)
	th.file(t, "a.hangs")
	Components[0].Limit = 50 * time.Millisecond
	err := th.start(t)
	var sick *process.UnhealthyError
	require.ErrorAs(t, err, &sick)
	require.ErrorIs(t, err, os.ErrNotExist, "what the check found is in it")
	require.NoError(t, os.Remove(filepath.Join(th.h.Dir, "a.hangs")))
}

func TestStartInterrupted(t *testing.T) {
	th := newTheatre(t)
	th.file(t, "a.hangs")
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupt := errors.New("interrupt")
	time.AfterFunc(50*time.Millisecond, func() { cancel(interrupt) })
	require.ErrorIs(t, Start(ctx, th.h, th.log), interrupt)
	require.NoError(t, os.Remove(filepath.Join(th.h.Dir, "a.hangs")))
}

// A component may be killed a moment after it was found alive.
func TestStartRepairsWhatDiesMeanwhile(t *testing.T) {
	th := newTheatre(t)
	require.NoError(t, th.start(t))
	before := th.pids(t)
	healthy := Components[0].Healthy
	var once sync.Once
	Components[0].Healthy = func(ctx context.Context, h *home.Home) error {
		once.Do(func() {
			require.NoError(t, os.Remove(filepath.Join(h.Dir, "a.up")))
			require.NoError(t, syscall.Kill(before["a"], syscall.SIGKILL))
		})
		return healthy(ctx, h)
	}
	require.NoError(t, th.start(t))
	require.NotEqual(t, before["a"], th.pids(t)["a"])
}

func TestSummaryIsShort(t *testing.T) {
	require.Equal(t, "a; b", summary([]string{"a", "b"}))
	require.Equal(t, "x; x; x; x; x; x; x; x; and 2 more", summary(strings.Split("x x x x x x x x x x", " ")))
}

func TestStop(t *testing.T) {
	th := newTheatre(t)
	require.NoError(t, th.start(t))
	left, err := Leftovers(t.Context(), th.h)
	require.NoError(t, err)
	require.Len(t, left, 4, "each is found without its record, too: %v", left)
	require.ErrorIs(t, Purge(t.Context(), th.h), ErrRunning)

	require.NoError(t, os.Remove(filepath.Join(th.h.Run(), "c.json")), "as if its record was lost")
	require.NoError(t, Stop(t.Context(), th.h, th.log))
	left, err = Leftovers(t.Context(), th.h)
	require.NoError(t, err)
	require.Empty(t, left)
	require.FileExists(t, th.h.Kubeconfig(), "data stay")
	require.NoError(t, Stop(t.Context(), th.h, th.log), "a second stop finds nothing to do")

	require.NoError(t, Purge(t.Context(), th.h))
	require.NoFileExists(t, th.h.Kubeconfig())
	require.NoDirExists(t, th.h.PKI())
	require.DirExists(t, th.h.Logs(), "what went wrong can still be read")
}

func TestStopLeavesOtherSandboxesAlone(t *testing.T) {
	th := newTheatre(t)
	require.NoError(t, th.start(t))
	before := th.pids(t)
	other := testHome(t, home.ClusterSimulated)
	require.NoError(t, Stop(t.Context(), other, th.log))
	require.Equal(t, before, th.pids(t))
}

func TestStatus(t *testing.T) {
	th := newTheatre(t)
	require.NoError(t, th.start(t))
	require.NoError(t, process.Stop(t.Context(), th.h, "d", time.Second))
	require.NoError(t, os.Remove(filepath.Join(th.h.Dir, "c.up")))
	got := Status(t.Context(), th.h)
	require.Len(t, got, 4)
	for i, tc := range []struct {
		name, reason string
		runs         bool
	}{{"a", "", true}, {"b", "", true}, {"c", "no such file", true}, {"d", "does not run", false}} {
		s := got[i]
		require.Equal(t, tc.name, s.Name)
		require.Equal(t, tc.runs, s.PID != 0, tc.name)
		require.Equal(t, tc.reason == "", s.Healthy, tc.name)
		require.Contains(t, s.Reason, tc.reason)
		if tc.runs {
			require.Positive(t, s.RSS, tc.name)
		}
	}
}

func TestPreflight(t *testing.T) {
	t.Run("port in use", func(t *testing.T) {
		th := newTheatre(t)
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		port := l.Addr().(*net.TCPAddr).Port
		Components[3].Ports = func(home.Ports) []home.NamedPort { return ports("the vault", port) }
		err = th.start(t)
		var inUse *process.PortInUseError
		require.ErrorAs(t, err, &inUse)
		require.ErrorContains(t, err, "the vault")
		require.Empty(t, th.pids(t), "nothing was started")
	})
	t.Run("unknown kind", func(t *testing.T) {
		err := Start(t.Context(), testHome(t, "imaginary"), progress.New(io.Discard, 0))
		require.ErrorContains(t, err, `"imaginary"`)
		require.ErrorContains(t, err, home.ClusterLocal)
	})
	t.Run("settings changed since the start", func(t *testing.T) {
		th := newTheatre(t)
		require.NoError(t, th.start(t))
		th.h.Cluster = home.ClusterExisting
		err := Start(t.Context(), th.h, th.log)
		require.ErrorContains(t, err, "make down")
		require.Len(t, th.pids(t), 4)
	})
}

func TestNoNodeIsTakenFromASandboxAtWork(t *testing.T) {
	n := &nodeChanges{Dir: t.TempDir()}
	release, err := lock.Take(n.Dir, "make up")
	require.NoError(t, err)
	defer release()
	err = n.takeOver(t.Context(), progress.New(io.Discard, 0))
	var held *lock.HeldError
	require.ErrorAs(t, err, &held)
	require.ErrorContains(t, err, "the node of another sandbox")
}
