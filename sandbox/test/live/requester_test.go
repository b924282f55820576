package live

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/registry"
)

// buildRequesterImage builds ./requester, pushes it to the sandbox's registry and returns its
// reference by digest.
func buildRequesterImage(t *testing.T) string {
	t.Helper()
	binaryFile := filepath.Join(t.TempDir(), "requester")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", binaryFile, "./requester")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	program, err := os.ReadFile(binaryFile)
	require.NoError(t, err)

	image, err := mutate.AppendLayers(empty.Image, newExecutableLayer(t, "requester", program))
	require.NoError(t, err)
	image, err = mutate.Config(image, v1.Config{Entrypoint: []string{"/requester"}, User: "65532:65532"})
	require.NoError(t, err)
	digest, err := image.Digest()
	require.NoError(t, err)
	ref, err := name.NewDigest(liveLayout.RegistryAddress() + "/test/requester@" + digest.String())
	require.NoError(t, err)
	password, err := registry.EnsurePassword(liveLayout)
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, image, remote.WithContext(t.Context()),
		remote.WithAuth(&authn.Basic{Username: registry.User, Password: password})))
	return ref.String()
}

// newExecutableLayer returns an image layer with one executable.
func newExecutableLayer(t *testing.T, path string, program []byte) v1.Layer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: path, Mode: 0o755, Size: int64(len(program))}))
	_, err := w.Write(program)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	})
	require.NoError(t, err)
	return layer
}
