package localaddons

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/goimage"
	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/registry"
)

// newSandbox returns a sandbox with a running registry. The project of the sandbox has only
// the sources of pause.
func newSandbox(t *testing.T) *layout.Layout {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := ln.Addr().(*net.TCPAddr).Port
	require.NoError(t, ln.Close())
	project := t.TempDir()
	sources := filepath.Join(project, "sandbox", "localaddons", pauseImage.Name)
	require.NoError(t, os.MkdirAll(sources, 0o755))
	source, err := os.ReadFile(filepath.Join(pauseImage.Name, "main.go"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(sources, "main.go"), source, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(project, "sandbox", "go.mod"), []byte("module "+modulePath+"\n\ngo 1.26\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(project, "sandbox", "go.sum"), nil, 0o644))
	l, err := layout.Create(t.TempDir(), layout.Settings{Cluster: layout.ClusterLocal, Project: project, Ports: layout.Ports{Registry: port}})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- registry.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("registry: %v", err)
		}
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", l.RegistryAddress())
		return err == nil && conn.Close() == nil
	}, 10*time.Second, 5*time.Millisecond)
	return l
}

func TestPauseIsPushedWithItsSBOMAndNotBuiltAgain(t *testing.T) {
	l := newSandbox(t)
	require.NoError(t, PushPause(t.Context(), l))

	ref, err := name.ParseReference(localcluster.PauseImage(l))
	require.NoError(t, err)
	img, err := remote.Image(ref) // without credentials, as the kubelet pulls
	require.NoError(t, err)
	require.NoError(t, validate.Image(img))
	config, err := img.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, []string{"/ko-app/pause"}, config.Config.Entrypoint)
	require.Equal(t, "65532:65532", config.Config.User)
	require.Equal(t, "linux", config.OS)
	require.Equal(t, runtime.GOARCH, config.Architecture)
	digest, err := img.Digest()
	require.NoError(t, err)

	tags, err := remote.List(ref.Context())
	require.NoError(t, err)
	require.Contains(t, tags, "sha256-"+digest.Hex+".sbom")

	// There is no compiler on PATH: an existing image is not built again.
	t.Setenv("PATH", "")
	require.NoError(t, PushPause(t.Context(), l))
}

func TestChangedImageIsBuiltAgain(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(t *testing.T, l *layout.Layout)
	}{
		{"a source", func(t *testing.T, l *layout.Layout) {
			appendText(t, filepath.Join(l.Project, "sandbox/localaddons/pause/main.go"), "\n// changed\n")
		}},
		{"a module", func(t *testing.T, l *layout.Layout) {
			appendText(t, filepath.Join(l.Project, "sandbox/go.mod"), "\n// changed\n")
		}},
		{"a tag that was removed", func(t *testing.T, l *layout.Layout) {
			password, err := registry.EnsurePassword(l)
			require.NoError(t, err)
			ref, err := name.ParseReference(localcluster.PauseImage(l))
			require.NoError(t, err)
			require.NoError(t, remote.Delete(ref, remote.WithAuth(&authn.Basic{Username: registry.User, Password: password})))
		}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			l := newSandbox(t)
			b, err := goimage.NewBuilder(l)
			require.NoError(t, err)
			var out bytes.Buffer
			log := progress.New(&out, 0)
			first, err := b.Ensure(t.Context(), "addons", []goimage.Image{pauseImage}, log)
			require.NoError(t, err)
			row.change(t, l)
			second, err := b.Ensure(t.Context(), "addons", []goimage.Image{pauseImage}, log)
			require.NoError(t, err)
			require.Equal(t, first, second, "the same program gives the same image at any time")
			require.Contains(t, out.String(), "[1/1] addons: image pause done")
			require.Contains(t, out.String(), "[2/2] addons: image pause done")
		})
	}
}

// appendText appends text to a file.
func appendText(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestErrorNamesTheSourceThatDoesNotBuild(t *testing.T) {
	l := newSandbox(t)
	appendText(t, filepath.Join(l.Project, "sandbox/localaddons/pause/main.go"), "\nvar broken int = \"\"\n")
	require.ErrorContains(t, PushPause(t.Context(), l), "main.go:", "the compiler's own message")

	b, err := goimage.NewBuilder(l)
	require.NoError(t, err)
	_, err = b.CountMissing(t.Context(), dns.images[1:])
	require.ErrorContains(t, err, "no sources of image coredns in "+filepath.Join(l.Project, "sandbox/localaddons/coredns"))
}

func TestOnlyLocalClustersGetAddons(t *testing.T) {
	for _, kind := range []string{layout.ClusterSimulated, layout.ClusterExisting} {
		l, err := layout.Create(t.TempDir(), layout.Settings{Cluster: kind})
		require.NoError(t, err)
		require.NoError(t, PushPause(t.Context(), l))
		var out bytes.Buffer
		require.NoError(t, InstallDNS(t.Context(), l, progress.New(&out, 0)))
		require.NoError(t, InstallMetrics(t.Context(), l, progress.New(&out, 0)))
		require.Empty(t, out.String())
	}
}

func TestPauseReferenceEqualsThatOfTheCluster(t *testing.T) {
	l := &layout.Layout{Settings: layout.Settings{Ports: layout.Ports{Registry: 5001}}}
	require.Equal(t, localcluster.PauseImage(l), l.RegistryAddress()+"/"+pauseImage.Repository+":"+pauseImage.Tags[0])
}
