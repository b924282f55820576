package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
)

// helper is the variable that makes this test's own executable play a process.
const helper = "PROCESS_TEST_HELPER"

func TestMain(m *testing.M) {
	switch role := os.Getenv(helper); role {
	case "":
		os.Exit(m.Run())
	case "wait":
		await(syscall.SIGTERM)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ignoring")
		await(syscall.SIGUSR1)
	case "die":
		fmt.Println("first line")
		fmt.Println("cannot open the vault")
		os.Exit(3)
	case "environ":
		for _, kv := range os.Environ() {
			fmt.Println(kv)
		}
		fmt.Println("done")
		await(syscall.SIGTERM)
	}
}

// await ends the helper at a signal, or at last on its own: no test may leave a
// process behind.
func await(s os.Signal) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, s)
	select {
	case <-c:
	case <-time.After(time.Minute):
	}
}

// newHome is a sandbox whose processes are gone at the end of the test.
func newHome(t *testing.T, names ...string) *home.Home {
	t.Helper()
	h, err := home.Create(t.TempDir(), home.Settings{Cluster: home.ClusterExisting})
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, name := range names {
			require.NoError(t, Stop(context.Background(), h, name, 0))
		}
	})
	return h
}

func role(t *testing.T, name, role string) Spec {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return Spec{Name: name, Path: self, Env: []string{helper + "=" + role}, Grace: 5 * time.Second}
}

func pid(t *testing.T, h *home.Home, name string) int {
	t.Helper()
	r, ok := Find(h, name)
	require.True(t, ok, "%s should run", name)
	return r.PID
}

// eventually waits for what another process does.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, 5*time.Millisecond, what)
}

func TestStartIsIdempotent(t *testing.T) {
	h := newHome(t, "a")
	input := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(input, []byte("one"), 0o600))
	s := role(t, "a", "wait")
	s.Inputs = []string{input}

	got, err := Start(t.Context(), h, s)
	require.NoError(t, err)
	require.Equal(t, Started, got)
	first := pid(t, h, "a")

	got, err = Start(t.Context(), h, s)
	require.NoError(t, err)
	require.Equal(t, Running, got, "nothing changed")
	require.Equal(t, first, pid(t, h, "a"))

	for _, tc := range []struct {
		reason string
		change func()
	}{
		{"its arguments changed", func() { s.Args = []string{"-test.v"} }},
		{"its environment changed", func() { s.Env = append(s.Env, "X=1") }},
		{"a file that it reads at the start changed", func() { require.NoError(t, os.WriteFile(input, []byte("two"), 0o600)) }},
		{"what it derives from the settings changed", func() { s.Derived = []string{"--port=2"} }},
	} {
		before := pid(t, h, "a")
		tc.change()
		got, err := Start(t.Context(), h, s)
		require.NoError(t, err, tc.reason)
		require.Equal(t, Changed, got, tc.reason)
		require.NotEqual(t, before, pid(t, h, "a"), tc.reason)
	}
}

func TestStartReplacesAnOldExecutable(t *testing.T) {
	h := newHome(t, "a")
	s := role(t, "a", "wait")
	self, err := os.ReadFile(s.Path)
	require.NoError(t, err)
	s.Path = filepath.Join(t.TempDir(), "program")
	install := func() { // as a build does: a new file under the old name
		require.NoError(t, os.WriteFile(s.Path+".new", self, 0o700))
		require.NoError(t, os.Rename(s.Path+".new", s.Path))
	}
	install()
	_, err = Start(t.Context(), h, s)
	require.NoError(t, err)
	before := pid(t, h, "a")
	install()
	got, err := Start(t.Context(), h, s)
	require.NoError(t, err)
	require.Equal(t, Replaced, got)
	require.NotEqual(t, before, pid(t, h, "a"))
}

func TestStartAfterKill(t *testing.T) {
	h := newHome(t, "a")
	s := role(t, "a", "wait")
	_, err := Start(t.Context(), h, s)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid(t, h, "a"), syscall.SIGKILL))
	eventually(t, "a killed process is not alive", func() bool { return !Alive(h, "a") })
	require.True(t, Recorded(h, "a"), "it was not stopped, so it should come back")
	got, err := Start(t.Context(), h, s)
	require.NoError(t, err)
	require.Equal(t, Started, got)
}

func TestProcessIsDetached(t *testing.T) {
	h := newHome(t, "a")
	_, err := Start(t.Context(), h, role(t, "a", "wait"))
	require.NoError(t, err)
	session, err := getsid(pid(t, h, "a"))
	require.NoError(t, err)
	require.Equal(t, pid(t, h, "a"), session, "it leads a session of its own, so no terminal's end reaches it")
}

func getsid(pid int) (int, error) {
	id, _, errno := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(id), nil
}

func TestEnvironmentIsNotTheShells(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "real")
	h := newHome(t, "a")
	_, err := Start(t.Context(), h, role(t, "a", "environ"))
	require.NoError(t, err)
	eventually(t, "it lists its environment", func() bool { return strings.HasSuffix(LogTail(h, "a", 100), "done") })
	require.NotContains(t, LogTail(h, "a", 100), "real")
	require.Contains(t, LogTail(h, "a", 100), "PATH=", "programs are found")
}

func TestStop(t *testing.T) {
	for _, tc := range []struct {
		role, reason string
		grace        time.Duration
		before       func(*testing.T, *home.Home)
	}{
		{"wait", "it ends when asked", 10 * time.Second, nil},
		{"stubborn", "it ignores the request, and is killed", 50 * time.Millisecond, func(t *testing.T, h *home.Home) {
			eventually(t, "it ignores SIGTERM", func() bool { return LogTail(h, "a", 1) == "ignoring" })
		}},
		{"wait", "it was killed before", time.Second, func(t *testing.T, h *home.Home) {
			require.NoError(t, syscall.Kill(pid(t, h, "a"), syscall.SIGKILL))
		}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			h := newHome(t, "a")
			_, err := Start(t.Context(), h, role(t, "a", tc.role))
			require.NoError(t, err)
			if tc.before != nil {
				tc.before(t, h)
			}
			require.NoError(t, Stop(t.Context(), h, "a", tc.grace))
			require.False(t, Alive(h, "a"))
			require.False(t, Recorded(h, "a"))
			require.NoError(t, Stop(t.Context(), h, "a", tc.grace), "a second stop finds nothing to do")
		})
	}
}

func TestStopGivesUpWithItsContext(t *testing.T) {
	h := newHome(t, "a")
	_, err := Start(t.Context(), h, role(t, "a", "stubborn"))
	require.NoError(t, err)
	eventually(t, "it ignores SIGTERM", func() bool { return LogTail(h, "a", 1) == "ignoring" })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, Stop(ctx, h, "a", time.Minute), context.Canceled)
	require.True(t, Alive(h, "a"), "whoever interrupts a stop does not ask for a kill")
}

// A record may name a process id that belongs to another process by now.
func TestReusedPIDIsLeftAlone(t *testing.T) {
	h := newHome(t)
	other := exec.Command(os.Args[0])
	other.Env = []string{helper + "=wait"}
	require.NoError(t, other.Start())
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	truth, err := identify(Spec{Name: "a"}, other.Process.Pid)
	require.NoError(t, err)
	require.True(t, truth.Alive())

	for _, tc := range []struct {
		reason string
		change func(*Record)
	}{
		{"another start time", func(r *Record) { r.Ticks-- }},
		{"another boot", func(r *Record) { r.Boot = "0" }},
		{"no start time, because it was gone before it could be read", func(r *Record) { r.Ticks = 0 }},
		{"the init process", func(r *Record) { r.PID = 1 }},
		{"no process at all", func(r *Record) { r.PID = 0 }},
	} {
		r := truth
		tc.change(&r)
		require.NoError(t, r.save(h), tc.reason)
		require.False(t, Alive(h, "a"), tc.reason)
		require.NoError(t, Stop(t.Context(), h, "a", 0), tc.reason)
		require.False(t, Recorded(h, "a"), tc.reason)
		require.True(t, truth.Alive(), "%s: the other process must go on", tc.reason)
	}
}

func TestDamagedRecord(t *testing.T) {
	h := newHome(t, "a")
	require.NoError(t, os.WriteFile(recordPath(h, "a"), []byte("{half"), 0o600))
	require.False(t, Alive(h, "a"))
	require.NoError(t, Stop(t.Context(), h, "a", 0))
	_, err := Start(t.Context(), h, role(t, "a", "wait"))
	require.NoError(t, err)
	require.True(t, Alive(h, "a"))
}

func TestStartOfWhatIsNotThere(t *testing.T) {
	h := newHome(t)
	_, err := Start(t.Context(), h, Spec{Name: "a", Path: "/nowhere/program"})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "start a")
	_, err = Start(t.Context(), h, Spec{Name: "a", Path: "/bin/true", Inputs: []string{"/nowhere/config"}})
	require.ErrorContains(t, err, "/nowhere/config")
}

func TestAwait(t *testing.T) {
	sick := errors.New("cold")
	t.Run("healthy at last", func(t *testing.T) {
		h := newHome(t, "a")
		_, err := Start(t.Context(), h, role(t, "a", "wait"))
		require.NoError(t, err)
		n := 0
		require.NoError(t, Await(t.Context(), h, "a", time.Minute, func(context.Context) error {
			if n++; n < 3 {
				return sick
			}
			return nil
		}))
	})
	t.Run("dies", func(t *testing.T) {
		h := newHome(t, "a")
		_, err := Start(t.Context(), h, role(t, "a", "die"))
		require.NoError(t, err)
		err = Await(t.Context(), h, "a", time.Minute, func(context.Context) error { return sick })
		var died *DiedError
		require.ErrorAs(t, err, &died)
		require.Contains(t, err.Error(), "cannot open the vault", "the reason is in the log, and in the error")
		require.Contains(t, err.Error(), LogPath(h, "a"))
	})
	t.Run("never healthy", func(t *testing.T) {
		h := newHome(t, "a")
		_, err := Start(t.Context(), h, role(t, "a", "wait"))
		require.NoError(t, err)
		err = Await(t.Context(), h, "a", 10*time.Millisecond, func(context.Context) error { return sick })
		var unhealthy *UnhealthyError
		require.ErrorAs(t, err, &unhealthy)
		require.ErrorIs(t, err, sick)
	})
	t.Run("interrupted", func(t *testing.T) {
		h := newHome(t, "a")
		_, err := Start(t.Context(), h, role(t, "a", "wait"))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		err = Await(ctx, h, "a", time.Minute, func(context.Context) error { cancel(); return sick })
		require.ErrorIs(t, err, context.Canceled)
	})
}
