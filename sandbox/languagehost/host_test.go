package languagehost

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/progressive-framework/platform/sandbox/languagehost/enginesession"
)

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu      sync.Mutex
	content bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.String()
}

// testHost is a client of a host, and the fake engine to which the host is connected. The
// methods of LanguageRuntimeClient send requests to the host, as the engine does.
type testHost struct {
	pulumirpc.LanguageRuntimeClient
	engine         *grpc.Server
	address        string // of the engine
	stdout, stderr *buffer
	done           chan error // has the result of serve
	stop           context.CancelFunc
}

// startHost serves a host that is connected to a fake engine.
func startHost(t *testing.T) *testHost {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	h := &testHost{
		engine: grpc.NewServer(), address: listener.Addr().String(),
		stdout: &buffer{}, stderr: &buffer{}, done: make(chan error, 1),
	}
	go func() { _ = h.engine.Serve(listener) }()
	t.Cleanup(h.engine.Stop)

	ctx, stop := context.WithCancel(t.Context())
	h.stop = stop
	r, w := io.Pipe()
	go func() {
		h.done <- serve(ctx, []string{"-v=3", "--logtostderr", h.address}, io.MultiWriter(w, h.stdout), h.stderr)
		w.Close()
	}()
	lines := bufio.NewReader(r)
	port, err := lines.ReadString('\n')
	require.NoError(t, err, "the host must print its port")
	go func() { _, _ = io.Copy(io.Discard, lines) }()

	conn, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	h.LanguageRuntimeClient = pulumirpc.NewLanguageRuntimeClient(conn)
	t.Cleanup(func() {
		conn.Close()
		stop()
	})
	return h
}

// writeFile creates a file below dir and returns its path.
func writeFile(t *testing.T, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), mode))
	return path
}

// newProgramInfo returns the description of a program in a folder, with runtime options.
func newProgramInfo(t *testing.T, dir string, options map[string]any) *pulumirpc.ProgramInfo {
	t.Helper()
	optionStruct, err := structpb.NewStruct(options)
	require.NoError(t, err)
	return &pulumirpc.ProgramInfo{RootDirectory: dir, ProgramDirectory: dir, EntryPoint: ".", Options: optionStruct}
}

func TestRunReportsHowTheProgramEnded(t *testing.T) {
	for _, tc := range []struct {
		reason, script string
		want           *pulumirpc.RunResponse
	}{
		{"a program that succeeds", "exit 0", &pulumirpc.RunResponse{}},
		{"status 32 means that the program has reported its error to the engine", "exit 32", &pulumirpc.RunResponse{Bail: true}},
		{"any other status is shown", "exit 3", &pulumirpc.RunResponse{Error: "program exited with non-zero exit code: 3"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			h, dir := startHost(t), t.TempDir()
			writeFile(t, dir, "program", "#!/bin/sh\necho to stdout; echo to stderr >&2\n"+tc.script+"\n", 0o755)
			response, err := h.Run(t.Context(), &pulumirpc.RunRequest{Pwd: dir, Info: newProgramInfo(t, dir, map[string]any{"binary": "program"})})
			require.NoError(t, err)
			require.Equal(t, tc.want.GetError(), response.GetError())
			require.Equal(t, tc.want.GetBail(), response.GetBail())
			require.Contains(t, h.stdout.String(), "to stdout\n")
			require.Contains(t, h.stderr.String(), "to stderr\n")
		})
	}
}

func TestRunSetsTheVariablesOfTheSDK(t *testing.T) {
	h, dir := startHost(t), t.TempDir()
	writeFile(t, dir, "program", "#!/bin/sh\nenv | grep ^PULUMI_ ; pwd\n", 0o755)
	_, err := h.Run(t.Context(), &pulumirpc.RunRequest{
		Project: "p", Stack: "s", Pwd: dir, MonitorAddress: "127.0.0.1:1", DryRun: true, Parallel: 4,
		Config:           map[string]string{"p:size": "3"},
		ConfigSecretKeys: []string{"p:password"},
		Info:             newProgramInfo(t, dir, map[string]any{"binary": "program"}),
	})
	require.NoError(t, err)
	output := h.stdout.String()
	for _, want := range []string{
		"PULUMI_PROJECT=p\n", "PULUMI_STACK=s\n", "PULUMI_ROOT_DIRECTORY=" + dir + "\n",
		`PULUMI_CONFIG={"p:size":"3"}` + "\n", `PULUMI_CONFIG_SECRET_KEYS=["p:password"]` + "\n",
		"PULUMI_DRY_RUN=true\n", "PULUMI_PARALLEL=4\n", "PULUMI_MONITOR=127.0.0.1:1\n",
		"PULUMI_ENGINE=" + h.address + "\n", "\n" + dir + "\n",
	} {
		require.Contains(t, output, want)
	}
	require.NotContains(t, output, "PULUMI_ORGANIZATION", "an empty value is left out")
}

func TestRunBuildsTheProgram(t *testing.T) {
	const hello = "package main\n\nfunc main() { println(\"hello\") }\n"
	for _, tc := range []struct {
		reason  string
		options map[string]any
		remains string // the file that remains after the run
	}{
		{"a build target is relative to the program's folder and stays", map[string]any{"buildTarget": "../bin/out"}, "bin/out"},
		{"without a build target the executable is temporary", nil, ""},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			root := t.TempDir()
			t.Setenv("TMPDIR", t.TempDir())
			h, dir := startHost(t), filepath.Join(root, "infra")
			writeFile(t, root, "go.mod", "module example.com/hello\n\ngo 1.26\n", 0o644)
			writeFile(t, dir, "main.go", hello, 0o644)
			response, err := h.Run(t.Context(), &pulumirpc.RunRequest{Pwd: dir, Info: newProgramInfo(t, dir, tc.options)})
			require.NoError(t, err)
			require.Empty(t, response.GetError())
			require.Contains(t, h.stderr.String(), "hello")
			if tc.remains != "" {
				require.FileExists(t, filepath.Join(root, tc.remains))
			}
			remaining, err := os.ReadDir(os.Getenv("TMPDIR"))
			require.NoError(t, err)
			require.Empty(t, remaining, "nothing is left in the temporary folder")
		})
	}
}

func TestBrokenProgramShowsTheCompilersMessage(t *testing.T) {
	h, dir := startHost(t), t.TempDir()
	writeFile(t, dir, "go.mod", "module example.com/broken\n\ngo 1.26\n", 0o644)
	writeFile(t, dir, "main.go", "package main\n\nfunc main() { undefinedName() }\n", 0o644)
	_, err := h.Run(t.Context(), &pulumirpc.RunRequest{Pwd: dir, Info: newProgramInfo(t, dir, map[string]any{"buildTarget": "out"})})
	require.ErrorContains(t, err, "building the program")
	require.Contains(t, h.stderr.String(), "./main.go:3:15: undefined: undefinedName")
}

func TestRunReturnsAnErrorForInvalidOptions(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		options map[string]any
		want    string
	}{
		{"both a prebuilt executable and a build target", map[string]any{"binary": "a", "buildTarget": "b"}, "exclude each other"},
		{"a misspelled option, which would cause a link at every run", map[string]any{"buildtarget": "b"}, "runtime.options.buildtarget is unknown: must be binary or buildTarget"},
		{"an option of the wrong type", map[string]any{"binary": true}, "runtime.options.binary must be a string"},
		{"a prebuilt program that is not there", map[string]any{"binary": "no-such-program"}, `no executable "no-such-program"`},
		{"a folder without a program", map[string]any{"buildTarget": "b"}, "no Go files"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			h, dir := startHost(t), t.TempDir()
			_, err := h.Run(t.Context(), &pulumirpc.RunRequest{Pwd: dir, Info: newProgramInfo(t, dir, tc.options)})
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// startSleeper starts a program that does not end by itself, and returns when it runs. The
// channel has the error of Run when the program has ended.
func startSleeper(t *testing.T, h *testHost) <-chan error {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, dir, "program", "#!/bin/sh\necho running\nexec sleep 600\n", 0o755)
	ended := make(chan error, 1)
	go func() {
		_, err := h.Run(t.Context(), &pulumirpc.RunRequest{Pwd: dir, Info: newProgramInfo(t, dir, map[string]any{"binary": "program"})})
		ended <- err
	}()
	require.Eventually(t, func() bool { return strings.Contains(h.stdout.String(), "running") }, 30*time.Second, 5*time.Millisecond)
	return ended
}

func TestCancelKillsTheProgram(t *testing.T) {
	h := startHost(t)
	ended := startSleeper(t, h)
	_, err := h.Cancel(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	require.ErrorContains(t, <-ended, enginesession.ErrCanceled.Error())
	_, err = h.Cancel(t.Context(), &emptypb.Empty{})
	require.NoError(t, err, "a second Cancel is not an error")
}

func TestTheProgramEndsWithTheEngine(t *testing.T) {
	h := startHost(t)
	ended := startSleeper(t, h)
	h.engine.Stop() // closes the connection, as a kill -9 of the engine does
	require.ErrorContains(t, <-ended, "is gone")
	require.NoError(t, <-h.done)
}

func TestTheProgramEndsWithTheHost(t *testing.T) {
	h := startHost(t)
	ended := startSleeper(t, h)
	h.stop()
	require.Error(t, <-ended)
	require.NoError(t, <-h.done)
}

func TestUnsupportedMethodsAreRefused(t *testing.T) {
	h := startHost(t)
	stream, err := h.RunPlugin(t.Context(), &pulumirpc.RunPluginRequest{Info: newProgramInfo(t, "policy", nil)})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.Equal(t, codes.Unimplemented, status.Code(err))
	require.ErrorContains(t, err, "Install Pulumi from https://www.pulumi.com/docs/install")

	_, err = h.Template(t.Context(), &pulumirpc.TemplateRequest{})
	require.Equal(t, codes.Unimplemented, status.Code(err), "the engine continues without templating")

	_, err = h.Run(t.Context(), &pulumirpc.RunRequest{AttachDebugger: true})
	require.ErrorContains(t, err, "attaching a debugger")
}

func TestEngineAddressIsTheLastArgument(t *testing.T) {
	for _, tc := range []struct {
		reason, want, wantErr string
		args                  []string
	}{
		{reason: "the address comes last", args: []string{"127.0.0.1:7"}, want: "127.0.0.1:7"},
		{reason: "the engine passes its log flags on", args: []string{"--logtostderr", "-v=9", "--tracing", "file:t", "a:1"}, want: "a:1"},
		{reason: "no address: the engine will call Handshake"},
		{reason: "a flag that the engine does not pass", args: []string{"--colour", "a:1"}, wantErr: "--colour"},
		{reason: "two addresses", args: []string{"a:1", "b:2"}, wantErr: "one engine address"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			address, err := parseEngineAddress(tc.args)
			if tc.wantErr != "" {
				require.ErrorContains(t, err, tc.wantErr)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, address)
		})
	}
}
