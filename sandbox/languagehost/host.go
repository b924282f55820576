// Package languagehost is the stand-in for pulumi-language-go: the plugin by
// which the Pulumi engine builds and runs a program written in Go. It owns the
// pulumirpc.LanguageRuntime service as far as running programs needs it.
//
// It does not write code (GenerateProgram and the like), does not run plugins
// or policy packs from source, and does not attach debuggers: each of those
// answers with an error that says to install the real host.
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

// sdkModule is the module whose version the host reports as its own: it speaks
// the protocol of that version.
const sdkModule = "github.com/pulumi/pulumi/sdk/v3"

// Serve does what the executable pulumi-language-go does: it listens on a free
// port of 127.0.0.1, writes the port and a newline to stdout, and serves the
// engine until ctx ends or the engine is gone. What the program prints follows
// on stdout; what it and the compiler print as errors goes to the process's
// stderr, from where the engine takes it into its display.
//
// args are the command line without the name of the program: flags, then the
// address of the engine as the last one. Without an address the engine must
// call Handshake before Run. The caller cancels ctx on SIGINT, which is how
// the engine ends its plugins; a program that is still running is then killed.
func Serve(ctx context.Context, args []string, stdout io.Writer) error {
	return serve(ctx, args, stdout, os.Stderr)
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	address, err := engineAddress(args)
	if err != nil {
		return err
	}
	return enginesession.Serve(ctx, stdout, func(server *grpc.Server, session *enginesession.Session) error {
		pulumirpc.RegisterLanguageRuntimeServer(server, &host{session: session, stdout: stdout, stderr: stderr})
		if address == "" {
			return nil
		}
		return session.Meet(address)
	})
}

// engineAddress reads the flags that the engine gives every plugin. Only the
// address matters here: the host keeps no log of its own, and writes no traces.
func engineAddress(args []string) (string, error) {
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

// host is the LanguageRuntime service. The methods that it does not have
// answer codes.Unimplemented, which the engine takes as "not offered".
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	session        *enginesession.Session
	stdout, stderr io.Writer
}

// Handshake takes the engine's address where the command line carried none.
func (h *host) Handshake(_ context.Context, req *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	if err := h.session.Meet(req.GetEngineAddress()); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// Cancel kills what runs; the Run that it ends answers with an error.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.session.Cancel()
	return &emptypb.Empty{}, nil
}

// GetPluginInfo reports the version of the protocol that the host was built with.
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
