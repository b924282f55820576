// Package languagehost is the stand-in for pulumi-language-go, the plugin with
// which the Pulumi engine builds and runs a Go program. It implements the part of
// the pulumirpc.LanguageRuntime service that is needed to run programs.
//
// It does not generate code, does not run plugins or policy packs from source, and
// does not attach debuggers. A request for one of these gets an error that tells the
// user to install the real host.
package languagehost

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/progressive-framework/platform/sandbox/languagehost/enginesession"
)

// sdkModule is Pulumi's SDK. The host reports the version of this module, because the
// module defines the protocol between the engine and the host.
const sdkModule = "github.com/pulumi/pulumi/sdk/v3"

// Serve runs the language host. It listens on a free port of 127.0.0.1, and writes the port
// and a newline to stdout. It serves the engine until ctx or the engine ends. After the port,
// the program's output follows on stdout. The errors of the program and of the compiler go to
// this process's stderr, which the engine displays.
//
// args are the arguments of the command line: flags, then the address of the engine.
// Without an address the engine must call Handshake before Run. The engine ends its
// plugins with SIGINT. At a SIGINT the caller must cancel ctx. This ends a running program.
func Serve(ctx context.Context, args []string, stdout io.Writer) error {
	return serve(ctx, args, stdout, os.Stderr)
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	address, err := parseEngineAddress(args)
	if err != nil {
		return err
	}
	return enginesession.Serve(ctx, stdout, func(server *grpc.Server, session *enginesession.Session) error {
		pulumirpc.RegisterLanguageRuntimeServer(server, &host{session: session, stdout: stdout, stderr: stderr})
		if address == "" {
			return nil
		}
		return session.Dial(address)
	})
}

// parseEngineAddress parses the arguments that the engine passes to every plugin, and returns
// the engine's address. It returns "" if the arguments have no address. The flags are ignored:
// the host writes no log and no traces.
func parseEngineAddress(args []string) (string, error) {
	flags := flag.NewFlagSet("pulumi-language-go", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.String("tracing", "", "")
	flags.Bool("logtostderr", false, "")
	flags.Int("v", 0, "")
	for _, obsolete := range []string{"binary", "buildTarget", "root"} {
		flags.String(obsolete, "", "")
	}
	if err := flags.Parse(args); err != nil {
		return "", fmt.Errorf("pulumi-language-go: arguments %q: %w", args, err)
	}
	if flags.NArg() > 1 {
		return "", fmt.Errorf("pulumi-language-go: arguments %q: one engine address is expected, not %d", flags.Args(), flags.NArg())
	}
	return flags.Arg(0), nil
}

// host implements the LanguageRuntime service. For methods that host does not define, the
// embedded type returns codes.Unimplemented, and the engine continues without them.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	session        *enginesession.Session
	stdout, stderr io.Writer
}

// Handshake connects to the engine if the command line had no address.
func (h *host) Handshake(_ context.Context, req *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	if err := h.session.Dial(req.GetEngineAddress()); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// Cancel stops running programs and builds. The calls of Run for them return an error.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.session.Cancel()
	return &emptypb.Empty{}, nil
}

// GetPluginInfo returns the version of sdkModule in this executable.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	info := &pulumirpc.PluginInfo{}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if m.Path == sdkModule {
				info.Version = m.Version
			}
		}
	}
	return info, nil
}
