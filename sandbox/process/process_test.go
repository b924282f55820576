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

	"github.com/progressive-framework/platform/sandbox/layout"
)

// roleVariable is an environment variable with a role. If it is set, the test's executable acts as a
// process with this role, and runs no tests.
const roleVariable = "PROCESS_TEST_ROLE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "wait":
		awaitSignal(syscall.SIGTERM)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ignoring")
		awaitSignal(syscall.SIGUSR1)
	case "die":
		fmt.Println("first line")
		fmt.Println("cannot open the vault")
		os.Exit(3)
	case "environ":
		for _, kv := range os.Environ() {
			fmt.Println(kv)
		}
		fmt.Println("done")
		awaitSignal(syscall.SIGTERM)
	case "umask":
		fmt.Printf("umask %04o\n", syscall.Umask(0))
		awaitSignal(syscall.SIGTERM)
	case "files":
		links, _ := filepath.Glob("/proc/self/fd/*")
		for _, link := range links {
			target, _ := os.Readlink(link)
			fmt.Println(target)
		}
		fmt.Println("done")
		awaitSignal(syscall.SIGTERM)
	}
}

// awaitSignal waits for a signal. It returns after a minute if there is no signal, so that no test
// leaves a running process.
func awaitSignal(s os.Signal) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, s)
	select {
	case <-c:
	case <-time.After(time.Minute):
	}
}

// newLayout creates a sandbox. Its named processes are stopped at the end of
// the test.
func newLayout(t *testing.T, names ...string) *layout.Layout {
	t.Helper()
	l, err := layout.Create(t.TempDir(), layout.Settings{Cluster: layout.ClusterExisting})
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, name := range names {
			require.NoError(t, Stop(context.Background(), l, name, 0))
		}
	})
	return l
}

// newSpec returns the Spec of a process that runs this executable with a role.
func newSpec(t *testing.T, name, role string) Spec {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return Spec{Name: name, Path: self, Env: []string{roleVariable + "=" + role}, Grace: 5 * time.Second}
}

// runningPID returns the id of a process. The test fails if the process does not run.
func runningPID(t *testing.T, l *layout.Layout, name string) int {
	t.Helper()
	r, ok := Find(l, name)
	require.True(t, ok, "%s should run", name)
	return r.PID
}

// awaitCondition waits until a condition that depends on another process is true. description
// is the text of the condition in the failure.
func awaitCondition(t *testing.T, description string, isTrue func() bool) {
	t.Helper()
	require.Eventually(t, isTrue, 10*time.Second, 5*time.Millisecond, description)
}

func TestStartRestartsOnlyAfterAChange(t *testing.T) {
	l := newLayout(t, "a")
	input := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(input, []byte("one"), 0o600))
	s := newSpec(t, "a", "wait")
	s.Inputs = []string{input}

	outcome, err := Start(t.Context(), l, s)
	require.NoError(t, err)
	require.Equal(t, Started, outcome)
	first := runningPID(t, l, "a")

	outcome, err = Start(t.Context(), l, s)
	require.NoError(t, err)
	require.Equal(t, Running, outcome, "nothing changed")
	require.Equal(t, first, runningPID(t, l, "a"))

	for _, tc := range []struct {
		reason string
		change func()
	}{
		{"its arguments changed", func() { s.Args = []string{"-test.v"} }},
		{"its environment changed", func() { s.Env = append(s.Env, "X=1") }},
		{"a file that it reads at the start changed", func() { require.NoError(t, os.WriteFile(input, []byte("two"), 0o600)) }},
		{"a value that it derives from the settings changed", func() { s.Derived = []string{"--port=2"} }},
	} {
		oldPID := runningPID(t, l, "a")
		tc.change()
		outcome, err := Start(t.Context(), l, s)
		require.NoError(t, err, tc.reason)
		require.Equal(t, Changed, outcome, tc.reason)
		require.NotEqual(t, oldPID, runningPID(t, l, "a"), tc.reason)
	}
}

func TestStartReplacesAnOldExecutable(t *testing.T) {
	l := newLayout(t, "a")
	s := newSpec(t, "a", "wait")
	content, err := os.ReadFile(s.Path)
	require.NoError(t, err)
	s.Path = filepath.Join(t.TempDir(), "program")
	install := func() { // as a build does: a new file with the old name
		require.NoError(t, os.WriteFile(s.Path+".new", content, 0o700))
		require.NoError(t, os.Rename(s.Path+".new", s.Path))
	}
	install()
	_, err = Start(t.Context(), l, s)
	require.NoError(t, err)
	oldPID := runningPID(t, l, "a")
	install()
	outcome, err := Start(t.Context(), l, s)
	require.NoError(t, err)
	require.Equal(t, Replaced, outcome)
	require.NotEqual(t, oldPID, runningPID(t, l, "a"))
}

func TestStartStartsAKilledProcessAgain(t *testing.T) {
	l := newLayout(t, "a")
	s := newSpec(t, "a", "wait")
	_, err := Start(t.Context(), l, s)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(runningPID(t, l, "a"), syscall.SIGKILL))
	awaitCondition(t, "a killed process is not alive", func() bool { return !Alive(l, "a") })
	require.True(t, HasRecord(l, "a"), "it was not stopped, so it should be started again")
	outcome, err := Start(t.Context(), l, s)
	require.NoError(t, err)
	require.Equal(t, Started, outcome)
}

func TestProcessIsDetached(t *testing.T) {
	l := newLayout(t, "a")
	_, err := Start(t.Context(), l, newSpec(t, "a", "wait"))
	require.NoError(t, err)
	session, err := getsid(runningPID(t, l, "a"))
	require.NoError(t, err)
	require.Equal(t, runningPID(t, l, "a"), session, "it leads its own session, so a closed terminal does not end it")
}

// getsid returns the id of the session of a process (getsid(2)).
func getsid(pid int) (int, error) {
	id, _, errno := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(id), nil
}

func TestProcessDoesNotInheritTheShellsEnvironment(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "real")
	l := newLayout(t, "a")
	_, err := Start(t.Context(), l, newSpec(t, "a", "environ"))
	require.NoError(t, err)
	awaitCondition(t, "it lists its environment", func() bool { return strings.HasSuffix(LogTail(l, "a", 100), "done") })
	require.NotContains(t, LogTail(l, "a", 100), "real")
	require.Contains(t, LogTail(l, "a", 100), "PATH=", "programs are found")
}

// With the umask 077, containerd would create containers that only root can enter.
func TestProcessDoesNotInheritTheShellsUmask(t *testing.T) {
	for _, shellUmask := range []int{0o022, 0o077} {
		oldUmask := syscall.Umask(shellUmask)
		t.Cleanup(func() { syscall.Umask(oldUmask) })
		l := newLayout(t, "a")
		_, err := Start(t.Context(), l, newSpec(t, "a", "umask"))
		require.NoError(t, err)
		require.Equal(t, shellUmask, syscall.Umask(shellUmask), "the command keeps the umask of its shell")
		awaitCondition(t, "it prints its umask", func() bool { return strings.HasPrefix(LogTail(l, "a", 1), "umask ") })
		require.Equal(t, "umask 0022", LogTail(l, "a", 1))
	}
}

// With an inherited file, `flock FILE make up` would hold its lock until `make down`.
func TestProcessDoesNotInheritTheShellsFiles(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "lock"))
	require.NoError(t, err)
	defer file.Close()
	// A shell opens its files without the flag FD_CLOEXEC.
	_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), syscall.F_SETFD, 0)
	require.Zero(t, errno)
	l := newLayout(t, "a")
	_, err = Start(t.Context(), l, newSpec(t, "a", "files"))
	require.NoError(t, err)
	awaitCondition(t, "it lists its files", func() bool { return strings.HasSuffix(LogTail(l, "a", 100), "done") })
	require.Contains(t, LogTail(l, "a", 100), LogPath(l, "a"), "the log is open")
	require.NotContains(t, LogTail(l, "a", 100), file.Name())
}

func TestStopEndsTheProcessAndRemovesItsRecord(t *testing.T) {
	for _, tc := range []struct {
		role, reason string
		grace        time.Duration
		beforeStop   func(*testing.T, *layout.Layout)
	}{
		{"wait", "it ends at SIGTERM", 10 * time.Second, nil},
		{"stubborn", "it ignores SIGTERM and is killed", 50 * time.Millisecond, func(t *testing.T, l *layout.Layout) {
			awaitCondition(t, "it ignores SIGTERM", func() bool { return LogTail(l, "a", 1) == "ignoring" })
		}},
		{"wait", "it was killed before", time.Second, func(t *testing.T, l *layout.Layout) {
			require.NoError(t, syscall.Kill(runningPID(t, l, "a"), syscall.SIGKILL))
		}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			l := newLayout(t, "a")
			_, err := Start(t.Context(), l, newSpec(t, "a", tc.role))
			require.NoError(t, err)
			if tc.beforeStop != nil {
				tc.beforeStop(t, l)
			}
			require.NoError(t, Stop(t.Context(), l, "a", tc.grace))
			require.False(t, Alive(l, "a"))
			require.False(t, HasRecord(l, "a"))
			require.NoError(t, Stop(t.Context(), l, "a", tc.grace), "a second stop finds nothing to do")
		})
	}
}

func TestCanceledContextEndsStop(t *testing.T) {
	l := newLayout(t, "a")
	_, err := Start(t.Context(), l, newSpec(t, "a", "stubborn"))
	require.NoError(t, err)
	awaitCondition(t, "it ignores SIGTERM", func() bool { return LogTail(l, "a", 1) == "ignoring" })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, Stop(ctx, l, "a", time.Minute), context.Canceled)
	require.True(t, Alive(l, "a"), "an interrupted stop does not kill")
}

// The process id of a record may belong to another process now.
func TestStopNeverSignalsAReusedPID(t *testing.T) {
	l := newLayout(t)
	otherProcess := exec.Command(os.Args[0])
	otherProcess.Env = []string{roleVariable + "=wait"}
	require.NoError(t, otherProcess.Start())
	t.Cleanup(func() { _ = otherProcess.Process.Kill(); _ = otherProcess.Wait() })
	record, err := newRecord(Spec{Name: "a"}, otherProcess.Process.Pid)
	require.NoError(t, err)
	require.True(t, record.Alive())

	for _, tc := range []struct {
		reason string
		change func(*Record)
	}{
		{"the record has another start time", func(r *Record) { r.Ticks-- }},
		{"the record has another boot", func(r *Record) { r.Boot = "0" }},
		{"no start time, because the process ended before the time could be read", func(r *Record) { r.Ticks = 0 }},
		{"the init process", func(r *Record) { r.PID = 1 }},
		{"no process at all", func(r *Record) { r.PID = 0 }},
	} {
		r := record
		tc.change(&r)
		require.NoError(t, r.save(l), tc.reason)
		require.False(t, Alive(l, "a"), tc.reason)
		require.NoError(t, Stop(t.Context(), l, "a", 0), tc.reason)
		require.False(t, HasRecord(l, "a"), tc.reason)
		require.True(t, record.Alive(), "%s: the other process must still run", tc.reason)
	}
}

func TestDamagedRecordIsReplacedByTheNextStart(t *testing.T) {
	l := newLayout(t, "a")
	require.NoError(t, os.WriteFile(recordPath(l, "a"), []byte("{half"), 0o600))
	require.False(t, Alive(l, "a"))
	require.NoError(t, Stop(t.Context(), l, "a", 0))
	_, err := Start(t.Context(), l, newSpec(t, "a", "wait"))
	require.NoError(t, err)
	require.True(t, Alive(l, "a"))
}

func TestStartErrorNamesTheMissingFile(t *testing.T) {
	l := newLayout(t)
	_, err := Start(t.Context(), l, Spec{Name: "a", Path: "/nowhere/program"})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "start a")
	_, err = Start(t.Context(), l, Spec{Name: "a", Path: "/bin/true", Inputs: []string{"/nowhere/config"}})
	require.ErrorContains(t, err, "/nowhere/config")
}

func TestAwaitReturnsTheReasonOfAProblem(t *testing.T) {
	errUnhealthy := errors.New("not healthy yet")
	t.Run("the process becomes healthy", func(t *testing.T) {
		l := newLayout(t, "a")
		_, err := Start(t.Context(), l, newSpec(t, "a", "wait"))
		require.NoError(t, err)
		checks := 0
		require.NoError(t, Await(t.Context(), l, "a", time.Minute, func(context.Context) error {
			if checks++; checks < 3 {
				return errUnhealthy
			}
			return nil
		}))
	})
	t.Run("the process ends", func(t *testing.T) {
		l := newLayout(t, "a")
		_, err := Start(t.Context(), l, newSpec(t, "a", "die"))
		require.NoError(t, err)
		err = Await(t.Context(), l, "a", time.Minute, func(context.Context) error { return errUnhealthy })
		var died *DiedError
		require.ErrorAs(t, err, &died)
		require.Contains(t, err.Error(), "cannot open the vault", "the end of the log is in the error")
		require.Contains(t, err.Error(), LogPath(l, "a"))
	})
	t.Run("the process never becomes healthy", func(t *testing.T) {
		l := newLayout(t, "a")
		_, err := Start(t.Context(), l, newSpec(t, "a", "wait"))
		require.NoError(t, err)
		err = Await(t.Context(), l, "a", 10*time.Millisecond, func(context.Context) error { return errUnhealthy })
		var unhealthy *UnhealthyError
		require.ErrorAs(t, err, &unhealthy)
		require.ErrorIs(t, err, errUnhealthy)
	})
	t.Run("the context ends", func(t *testing.T) {
		l := newLayout(t, "a")
		_, err := Start(t.Context(), l, newSpec(t, "a", "wait"))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		err = Await(ctx, l, "a", time.Minute, func(context.Context) error { cancel(); return errUnhealthy })
		require.ErrorIs(t, err, context.Canceled)
	})
}
