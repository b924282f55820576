package addons

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/cluster"
	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/registry"
)

// newSandbox is a sandbox with a running registry, and with a project of its
// own that holds the sources of pause alone.
func newSandbox(t *testing.T) *home.Home {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := ln.Addr().(*net.TCPAddr).Port
	require.NoError(t, ln.Close())
	project := t.TempDir()
	sources := filepath.Join(project, "sandbox", "addons", pause.name)
	require.NoError(t, os.MkdirAll(sources, 0o755))
	main, err := os.ReadFile(filepath.Join(pause.name, "main.go"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(sources, "main.go"), main, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(project, "sandbox", "go.mod"), []byte("module "+modulePath+"\n\ngo 1.26\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(project, "sandbox", "go.sum"), nil, 0o644))
	h, err := home.Create(t.TempDir(), home.Settings{Cluster: home.ClusterLocal, Project: project, Ports: home.Ports{Registry: port}})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- registry.Serve(ctx, h) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("registry: %v", err)
		}
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", h.RegistryAddress())
		return err == nil && conn.Close() == nil
	}, 10*time.Second, 5*time.Millisecond)
	return h
}

func TestPushPause(t *testing.T) {
	h := newSandbox(t)
	require.NoError(t, PushPause(t.Context(), h))

	ref, err := name.ParseReference(cluster.PauseImage(h))
	require.NoError(t, err)
	img, err := remote.Image(ref) // as the kubelet does, without credentials
	require.NoError(t, err)
	require.NoError(t, validate.Image(img))
	config, err := img.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, []string{"/ko-app/pause"}, config.Config.Entrypoint)
	require.Equal(t, "65532:65532", config.Config.User)
	require.Equal(t, "linux", config.OS)
	require.Equal(t, runtime.GOARCH, config.Architecture)
	before, err := img.Digest()
	require.NoError(t, err)

	tags, err := remote.List(ref.Context())
	require.NoError(t, err)
	require.Contains(t, tags, "sha256-"+before.Hex+".sbom")

	// Without the compiler: what is there is not built again.
	t.Setenv("PATH", "")
	require.NoError(t, PushPause(t.Context(), h))
}

func TestWhatIsBuiltAgain(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(t *testing.T, h *home.Home)
	}{
		{"a source", func(t *testing.T, h *home.Home) {
			change(t, filepath.Join(h.Project, "sandbox/addons/pause/main.go"), "\n// changed\n")
		}},
		{"a module", func(t *testing.T, h *home.Home) {
			change(t, filepath.Join(h.Project, "sandbox/go.mod"), "\n// changed\n")
		}},
		{"a tag that was removed", func(t *testing.T, h *home.Home) {
			b, err := newBuilder(h)
			require.NoError(t, err)
			ref, err := name.ParseReference(cluster.PauseImage(h))
			require.NoError(t, err)
			require.NoError(t, remote.Delete(ref, remote.WithAuth(b.auth)))
		}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			h := newSandbox(t)
			b, err := newBuilder(h)
			require.NoError(t, err)
			var out bytes.Buffer
			log := progress.New(&out, 0)
			first, err := b.ensure(t.Context(), []image{pause}, log)
			require.NoError(t, err)
			row.change(t, h)
			second, err := b.ensure(t.Context(), []image{pause}, log)
			require.NoError(t, err)
			require.Equal(t, first, second, "the same program is the same image, whenever it is built")
			require.Contains(t, out.String(), "[1/1] addons: image pause done")
			require.Contains(t, out.String(), "[2/2] addons: image pause done")
		})
	}
}

func change(t *testing.T, path, add string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(add)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestBuildErrors(t *testing.T) {
	h := newSandbox(t)
	change(t, filepath.Join(h.Project, "sandbox/addons/pause/main.go"), "\nvar broken int = \"\"\n")
	require.ErrorContains(t, PushPause(t.Context(), h), "main.go:", "the compiler's own message")

	b, err := newBuilder(h)
	require.NoError(t, err)
	_, err = b.look(t.Context(), images[1])
	require.ErrorContains(t, err, "no sources of image coredns in "+filepath.Join(h.Project, "sandbox/addons/coredns"))
}

func TestOtherClustersGetNothing(t *testing.T) {
	for _, kind := range []string{home.ClusterSimulated, home.ClusterExisting} {
		h, err := home.Create(t.TempDir(), home.Settings{Cluster: kind})
		require.NoError(t, err)
		require.NoError(t, PushPause(t.Context(), h))
		var out bytes.Buffer
		require.NoError(t, Install(t.Context(), h, progress.New(&out, 0)))
		require.Empty(t, out.String())
	}
}

func TestPauseIsWhereTheClusterLooks(t *testing.T) {
	h := &home.Home{Settings: home.Settings{Ports: home.Ports{Registry: 5001}}}
	require.Equal(t, cluster.PauseImage(h), h.RegistryAddress()+"/"+pause.repository+":"+pause.tags[0])
}
