package kubernetes

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// fields is short for an object.
type fields = map[string]any

// fakeEngine collects what the provider shows.
type fakeEngine struct {
	pulumirpc.UnimplementedEngineServer

	mu    sync.Mutex
	lines []string
}

func (e *fakeEngine) Log(_ context.Context, req *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lines = append(e.lines, req.GetMessage())
	return &emptypb.Empty{}, nil
}

func (e *fakeEngine) shown() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.lines, "\n")
}

// served is a provider under test, as the engine sees it.
type served struct {
	pulumirpc.ResourceProviderClient
	engine *fakeEngine
}

// start serves a provider with the given settings.
func start(t *testing.T, settings fields) *served {
	t.Helper()
	s := unconfigured(t)
	_, err := s.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: bag(t, settings)})
	require.NoError(t, err)
	return s
}

func unconfigured(t *testing.T) *served {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, eng := grpc.NewServer(), &fakeEngine{}
	pulumirpc.RegisterEngineServer(server, eng)
	go func() { _ = server.Serve(listener) }()

	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, w) }()
	port, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err, "the provider must print its port")
	conn, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		conn.Close()
		stop()
		require.NoError(t, <-done)
		server.Stop()
	})
	s := &served{ResourceProviderClient: pulumirpc.NewResourceProviderClient(conn), engine: eng}
	said, err := s.Handshake(t.Context(), &pulumirpc.ProviderHandshakeRequest{EngineAddress: listener.Addr().String()})
	require.NoError(t, err)
	require.True(t, said.GetAcceptSecrets())
	return s
}

// secret marks a value as one that Pulumi encrypts.
type secret struct{ value any }

// bag makes a property bag; unknown{} and secret{} are sent as Pulumi does.
func bag(t *testing.T, m fields) *structpb.Struct {
	t.Helper()
	hide := newSecrets()
	plain := unwrap(m, nil, hide).(fields)
	s, err := encode(plain, secrets{paths: hide.paths})
	require.NoError(t, err)
	return s
}

func unwrap(value any, at path, hide secrets) any {
	switch v := value.(type) {
	case secret:
		inner := unwrap(v.value, at, hide)
		hide.add(at, inner)
		return inner
	case fields:
		out := fields{}
		for name, item := range v {
			out[name] = unwrap(item, at.key(name), hide)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = unwrap(item, at.at(i), hide)
		}
		return out
	case int:
		return int64(v)
	default:
		return value
	}
}

// plain decodes a property bag that the provider sent.
func plain(t *testing.T, s *structpb.Struct) fields {
	t.Helper()
	m, _, err := decode(s)
	require.NoError(t, err)
	return m
}

func urn(kind, name string) string { return "urn:pulumi:dev::shop::" + kind + "::" + name }
