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

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/registry"
	"github.com/progressive-framework/platform/sandbox/stack"
)

func TestImagesOfTheStateThatTheRegistryLacksAreFound(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := ln.Addr().(*net.TCPAddr).Port
	require.NoError(t, ln.Close())
	l, err := layout.Create(t.TempDir(), layout.Settings{Cluster: layout.ClusterSimulated, Ports: layout.Ports{Registry: port}})
	require.NoError(t, err)
	password, err := registry.EnsurePassword(l)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- registry.Serve(ctx, l) }()
	t.Cleanup(func() { stop(); <-ended })
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", l.RegistryAddress())
		return err == nil && conn.Close() == nil
	}, 10*time.Second, 5*time.Millisecond)

	img, err := random.Image(64, 1)
	require.NoError(t, err)
	digest, err := img.Digest()
	require.NoError(t, err)
	ref, err := name.NewDigest(l.RegistryAddress() + "/platform/mca@" + digest.String())
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img, remote.WithAuth(&authn.Basic{Username: registry.User, Password: password})))

	newImageResource := func(reference string) stack.Resource {
		return stack.Resource{Type: imageTypes[0], Outputs: map[string]any{"reference": reference}}
	}
	gone := l.RegistryAddress() + "/platform/mca@sha256:" + strings.Repeat("0", 64)
	lost, err := findLostImages(t.Context(), l, stack.State{Resources: []stack.Resource{
		newImageResource(ref.String()),
		newImageResource(gone),
		newImageResource("registry.example/mca@sha256:" + strings.Repeat("0", 64)),
		{Type: "pulumi:pulumi:Stack"},
	}})
	require.NoError(t, err)
	require.Equal(t, []string{gone}, lost)
}
