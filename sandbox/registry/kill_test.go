package registry

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// serveVariable is the variable with a sandbox's folder. If it is set, the test binary
// serves the sandbox's registry instead of running the tests. So a test can kill the
// registry.
const serveVariable = "REGISTRY_TEST_SERVE"

func TestMain(m *testing.M) {
	dir := os.Getenv(serveVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	l, err := layout.Open(dir)
	if err == nil {
		err = Serve(context.Background(), l)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestKilledServerKeepsAcknowledgedPushes(t *testing.T) {
	r := newTestRegistry(t)
	r.stop()
	img, imageDigest := r.newRandomImage()
	for range 2 { // the second process starts with the files of the first
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), serveVariable+"="+r.layout.Dir)
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool {
			conn, err := net.Dial("tcp", r.layout.RegistryAddress())
			return err == nil && conn.Close() == nil
		}, 10*time.Second, 5*time.Millisecond)
		require.NoError(t, remote.Write(r.ref("app:v1"), img, r.credentials()))
		require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
		require.Error(t, cmd.Wait())
	}
	r.start()
	r.requirePull("app:v1", imageDigest)
}
