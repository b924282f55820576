package cmd

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/registry"
	"github.com/progressive-framework/platform/sandbox/stack"
)

func TestLostImages(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := ln.Addr().(*net.TCPAddr).Port
	require.NoError(t, ln.Close())
	h, err := home.Create(t.TempDir(), home.Settings{Cluster: home.ClusterSimulated, Ports: home.Ports{Registry: port}})
	require.NoError(t, err)
	password, err := registry.EnsurePassword(h)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- registry.Serve(ctx, h) }()
	t.Cleanup(func() { stop(); <-ended })
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", h.RegistryAddress())
		return err == nil && conn.Close() == nil
	}, 10*time.Second, 5*time.Millisecond)

	img, err := random.Image(64, 1)
	require.NoError(t, err)
	digest, err := img.Digest()
	require.NoError(t, err)
	ref, err := name.NewDigest(h.RegistryAddress() + "/platform/mca@" + digest.String())
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img, remote.WithAuth(&authn.Basic{Username: registry.User, Password: password})))

	image := func(reference string) stack.Resource {
		return stack.Resource{Type: imageType, Outputs: map[string]any{"reference": reference}}
	}
	gone := h.RegistryAddress() + "/platform/mca@sha256:" + strings.Repeat("0", 64)
	lost, err := lostImages(t.Context(), h, stack.State{Resources: []stack.Resource{
		image(ref.String()),
		image(gone),
		image("registry.example/mca@sha256:" + strings.Repeat("0", 64)),
		{Type: "pulumi:pulumi:Stack"},
	}})
	require.NoError(t, err)
	require.Equal(t, []string{gone}, lost)
}
