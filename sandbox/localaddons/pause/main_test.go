package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// pauseVariable is an environment variable. If it is set, the test binary runs the command pause, with
// two processes to reap: a child of the command, and an orphan that the child leaves.
const pauseVariable = "PAUSE_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(pauseVariable) == "" {
		os.Exit(m.Run())
	}
	// In a pod the first process becomes the parent of orphans. Here the process must
	// request this from the kernel.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	child := []string{"sh", "-c", "(sleep 0.1; exit 3) & exit 0"}
	if _, err := os.StartProcess("/bin/sh", child, &os.ProcAttr{}); err != nil {
		panic(err)
	}
	main()
	os.Exit(0)
}

func TestPauseReapsOrphansAndEndsAtASignal(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), pauseVariable+"=1")
			require.NoError(t, cmd.Start())
			// The orphan becomes a child of the command, which reaps it.
			require.Eventually(t, func() bool { return listChildren(cmd.Process.Pid) != "" }, 5*time.Second, time.Millisecond)
			require.Eventually(t, func() bool { return listChildren(cmd.Process.Pid) == "" }, 5*time.Second, 5*time.Millisecond)
			require.NoError(t, cmd.Process.Signal(signal))
			require.NoError(t, cmd.Wait(), "it exits with 0")
		})
	}
}

// listChildren returns the IDs of the child processes of pid, separated by spaces. It returns "" if
// there are none.
func listChildren(pid int) string {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return ""
	}
	var all strings.Builder
	for _, task := range tasks {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name()))
		if err == nil {
			all.Write(raw)
		}
	}
	return strings.TrimSpace(all.String())
}
