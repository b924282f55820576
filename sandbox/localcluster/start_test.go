package localcluster

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

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// TestMain makes the test's executable act as a component. The tests start it as
// `EXECUTABLE run NAME`, like the sandbox's executable.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "run" && os.Getenv(layout.Variable) != "" {
		simulateComponent(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// simulateComponent acts as the component NAME. The file NAME.up exists while the component is
// healthy. If there is a file NAME.fails, the component exits. If there is a file NAME.hangs,
// it never becomes healthy.
func simulateComponent(name string) {
	l, err := layout.FromEnv()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if _, err := os.Stat(filepath.Join(l.Dir, name+".fails")); err == nil {
		fmt.Println("the disk is on fire")
		os.Exit(1)
	}
	healthyFile := filepath.Join(l.Dir, name+".up")
	if _, err := os.Stat(filepath.Join(l.Dir, name+".hangs")); err != nil {
		_ = os.WriteFile(healthyFile, nil, 0o600)
	}
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	select {
	case <-terminated:
	case <-time.After(time.Minute):
	}
	_ = os.Remove(healthyFile)
}

// testCluster replaces the table Components by components that simulateComponent simulates. It
// records the order in which the components become healthy.
type testCluster struct {
	layout *layout.Layout
	out    bytes.Buffer
	log    *progress.Log

	mu    sync.Mutex
	order []string
}

func newTestCluster(t *testing.T) *testCluster {
	t.Helper()
	original := Components
	tc := &testCluster{layout: newTestLayout(t, layout.ClusterSimulated)}
	tc.log = progress.New(&tc.out, 0)
	newComponent := func(name string, after ...string) Component {
		return Component{Name: name, Kinds: simulatedOnly, After: after, CheckHealth: tc.healthCheck(name), StartTimeout: time.Minute, Grace: 10 * time.Second}
	}
	Components = []Component{newComponent("a"), newComponent("b", "a"), newComponent("c", "a", "of another kind"), newComponent("d", "b", "c")}
	t.Cleanup(func() {
		require.NoError(t, Stop(context.Background(), tc.layout, progress.New(io.Discard, 0)))
		Components = original
	})
	return tc
}

// healthCheck returns the health check of a component that simulateComponent simulates. If the
// check succeeds, it appends the component's name to order.
func (tc *testCluster) healthCheck(name string) func(context.Context, *layout.Layout) error {
	return func(context.Context, *layout.Layout) error {
		if _, err := os.Stat(filepath.Join(tc.layout.Dir, name+".up")); err != nil {
			return err
		}
		tc.mu.Lock()
		defer tc.mu.Unlock()
		tc.order = append(tc.order, name)
		return nil
	}
}

func (tc *testCluster) start(t *testing.T) error {
	t.Helper()
	tc.order = nil
	return Start(t.Context(), tc.layout, tc.log)
}

// createFile creates a file that simulateComponent reads.
func (tc *testCluster) createFile(t *testing.T, name string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(tc.layout.Dir, name), nil, 0o600))
}

// pids returns the process ids of the running components, by name.
func (tc *testCluster) pids(t *testing.T) map[string]int {
	t.Helper()
	pids := map[string]int{}
	for _, c := range Components {
		if r, ok := process.Find(tc.layout, c.Name); ok {
			pids[c.Name] = r.PID
		}
	}
	return pids
}

func TestComponentsStartInOrderAndOnlyOnce(t *testing.T) {
	tc := newTestCluster(t)
	require.NoError(t, tc.start(t))
	require.Len(t, tc.order, 4)
	require.Equal(t, "a", tc.order[0])
	require.Equal(t, "d", tc.order[3])
	pids := tc.pids(t)
	require.Len(t, pids, 4)
	require.NotContains(t, tc.out.String(), "not running", "a first start repairs nothing")

	require.NoError(t, tc.start(t))
	require.Equal(t, pids, tc.pids(t), "a running component is not touched")
}

func TestStartRepairsKilledComponents(t *testing.T) {
	tc := newTestCluster(t)
	require.NoError(t, tc.start(t))
	for _, name := range []string{"a", "b", "c", "d"} {
		before := tc.pids(t)
		require.NoError(t, os.Remove(filepath.Join(tc.layout.Dir, name+".up")))
		require.NoError(t, syscall.Kill(before[name], syscall.SIGKILL))
		require.Eventually(t, func() bool { return !process.Alive(tc.layout, name) }, 10*time.Second, time.Millisecond)
		require.NoError(t, tc.start(t))
		after := tc.pids(t)
		require.NotEqual(t, before[name], after[name])
		after[name] = before[name]
		require.Equal(t, before, after, "the others still run")
		require.Contains(t, tc.out.String(), name+": was not running; started")
	}
}

func TestStartRestartsHangingComponents(t *testing.T) {
	tc := newTestCluster(t)
	defer func(d time.Duration) { unhealthyLimit = d }(unhealthyLimit)
	require.NoError(t, tc.start(t))
	before := tc.pids(t)
	unhealthyLimit = 50 * time.Millisecond
	require.NoError(t, os.Remove(filepath.Join(tc.layout.Dir, "c.up")))
	require.NoError(t, tc.start(t))
	require.NotEqual(t, before["c"], tc.pids(t)["c"])
	require.Contains(t, tc.out.String(), "c: runs but is not healthy")
}

func TestStartReturnsTheReasonWhyAComponentEnded(t *testing.T) {
	tc := newTestCluster(t)
	tc.createFile(t, "b.fails")
	err := tc.start(t)
	var died *process.DiedError
	require.ErrorAs(t, err, &died)
	require.Equal(t, "b", died.Name)
	require.ErrorContains(t, err, "the disk is on fire")
	require.NotContains(t, err.Error(), "canceled", "components that waited have no error of their own")
	require.NotContains(t, tc.pids(t), "d", "a component that depends on it is not started")

	require.NoError(t, os.Remove(filepath.Join(tc.layout.Dir, "b.fails")))
	require.NoError(t, tc.start(t), "the next start continues from there")
	require.Len(t, tc.pids(t), 4)
}

func TestStartNamesTheUnhealthyComponent(t *testing.T) {
	tc := newTestCluster(t)
	tc.createFile(t, "a.hangs")
	Components[0].StartTimeout = 50 * time.Millisecond
	err := tc.start(t)
	var unhealthy *process.UnhealthyError
	require.ErrorAs(t, err, &unhealthy)
	require.ErrorIs(t, err, os.ErrNotExist, "it contains the check's error")
	require.NoError(t, os.Remove(filepath.Join(tc.layout.Dir, "a.hangs")))
}

func TestInterruptEndsStart(t *testing.T) {
	tc := newTestCluster(t)
	tc.createFile(t, "a.hangs")
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupt := errors.New("interrupt")
	time.AfterFunc(50*time.Millisecond, func() { cancel(interrupt) })
	require.ErrorIs(t, Start(ctx, tc.layout, tc.log), interrupt)
	require.NoError(t, os.Remove(filepath.Join(tc.layout.Dir, "a.hangs")))
}

// A component may be killed just after Start has found it running.
func TestStartRepairsComponentKilledDuringTheStart(t *testing.T) {
	tc := newTestCluster(t)
	require.NoError(t, tc.start(t))
	before := tc.pids(t)
	checkHealth := Components[0].CheckHealth
	var once sync.Once
	Components[0].CheckHealth = func(ctx context.Context, l *layout.Layout) error {
		once.Do(func() {
			require.NoError(t, os.Remove(filepath.Join(l.Dir, "a.up")))
			require.NoError(t, syscall.Kill(before["a"], syscall.SIGKILL))
		})
		return checkHealth(ctx, l)
	}
	require.NoError(t, tc.start(t))
	require.NotEqual(t, before["a"], tc.pids(t)["a"])
}

func TestSummaryListsEightLinesAndCountsTheOthers(t *testing.T) {
	require.Equal(t, "a; b", summarize([]string{"a", "b"}))
	require.Equal(t, "x; x; x; x; x; x; x; x; and 2 more", summarize(strings.Split("x x x x x x x x x x", " ")))
}

func TestStopLeavesNoResidueAndKeepsTheData(t *testing.T) {
	tc := newTestCluster(t)
	require.NoError(t, tc.start(t))
	residue, err := FindResidue(t.Context(), tc.layout)
	require.NoError(t, err)
	require.Len(t, residue, 4, "each of the four processes is found without its record: %v", residue)
	require.ErrorIs(t, Purge(t.Context(), tc.layout), ErrRunning)

	require.NoError(t, os.Remove(filepath.Join(tc.layout.Run(), "c.json")), "the record of c is lost")
	require.NoError(t, Stop(t.Context(), tc.layout, tc.log))
	residue, err = FindResidue(t.Context(), tc.layout)
	require.NoError(t, err)
	require.Empty(t, residue)
	require.FileExists(t, tc.layout.Kubeconfig(), "the data stay")
	require.NoError(t, Stop(t.Context(), tc.layout, tc.log), "a second stop finds nothing to do")

	require.NoError(t, Purge(t.Context(), tc.layout))
	require.NoFileExists(t, tc.layout.Kubeconfig())
	require.NoDirExists(t, tc.layout.PKI())
	require.DirExists(t, tc.layout.Logs(), "the logs stay, to find the reason of a failure")
}

func TestStopLeavesOtherSandboxesAlone(t *testing.T) {
	tc := newTestCluster(t)
	require.NoError(t, tc.start(t))
	before := tc.pids(t)
	other := newTestLayout(t, layout.ClusterSimulated)
	require.NoError(t, Stop(t.Context(), other, tc.log))
	require.Equal(t, before, tc.pids(t))
}

func TestStatusHasTheReasonOfEachProblem(t *testing.T) {
	tc := newTestCluster(t)
	require.NoError(t, tc.start(t))
	require.NoError(t, process.Stop(t.Context(), tc.layout, "d", time.Second))
	require.NoError(t, os.Remove(filepath.Join(tc.layout.Dir, "c.up")))
	statuses := Status(t.Context(), tc.layout)
	require.Len(t, statuses, 4)
	for i, want := range []struct {
		name, reason string
		runs         bool
	}{{"a", "", true}, {"b", "", true}, {"c", "no such file", true}, {"d", "does not run", false}} {
		s := statuses[i]
		require.Equal(t, want.name, s.Name)
		require.Equal(t, want.runs, s.PID != 0, want.name)
		require.Equal(t, want.reason == "", s.Healthy, want.name)
		require.Contains(t, s.Reason, want.reason)
		if want.runs {
			require.Positive(t, s.RSS, want.name)
		}
	}
}

func TestStartChecksBeforeItStartsAnything(t *testing.T) {
	t.Run("port in use", func(t *testing.T) {
		tc := newTestCluster(t)
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		port := listener.Addr().(*net.TCPAddr).Port
		Components[3].Ports = func(layout.Ports) []layout.NamedPort { return singlePort("the vault", port) }
		err = tc.start(t)
		var inUse *process.PortInUseError
		require.ErrorAs(t, err, &inUse)
		require.ErrorContains(t, err, "the vault")
		require.Empty(t, tc.pids(t), "nothing was started")
	})
	t.Run("unknown kind", func(t *testing.T) {
		err := Start(t.Context(), newTestLayout(t, "imaginary"), progress.New(io.Discard, 0))
		require.ErrorContains(t, err, `"imaginary"`)
		require.ErrorContains(t, err, layout.ClusterLocal)
	})
	t.Run("settings changed since the start", func(t *testing.T) {
		tc := newTestCluster(t)
		require.NoError(t, tc.start(t))
		tc.layout.Cluster = layout.ClusterExisting
		err := Start(t.Context(), tc.layout, tc.log)
		require.ErrorContains(t, err, "make down")
		require.Len(t, tc.pids(t), 4)
	})
}

func TestTakeOverFailsWhileACommandUsesTheOtherSandbox(t *testing.T) {
	record := &nodeRecord{Dir: t.TempDir()}
	release, err := lock.Take(record.Dir, "make up")
	require.NoError(t, err)
	defer release()
	err = record.takeOver(t.Context(), progress.New(io.Discard, 0))
	var held *lock.HeldError
	require.ErrorAs(t, err, &held)
	require.ErrorContains(t, err, "the node of another sandbox")
}
