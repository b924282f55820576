// Command sandbox is one binary with all programs of a sandbox. These are the commands,
// the processes of the cluster, the stand-ins that Pulumi starts as plugins, kubectl and
// aws. The name in argv[0] selects the program.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/progressive-framework/platform/sandbox/aws"
	"github.com/progressive-framework/platform/sandbox/cmd"
	"github.com/progressive-framework/platform/sandbox/languagehost"
	"github.com/progressive-framework/platform/sandbox/localcluster/components"
)

func main() { os.Exit(run()) }

// programs are the programs that other programs start by their names. Pulumi starts its
// plugins. A kubeconfig and the provider of images start aws.
var programs = map[string]func(ctx context.Context, args []string, stdout, stderr io.Writer) error{
	"pulumi-resource-aws": func(ctx context.Context, _ []string, stdout, _ io.Writer) error {
		return aws.Serve(ctx, stdout)
	},
	"pulumi-language-go": func(ctx context.Context, args []string, stdout, _ io.Writer) error {
		return languagehost.Serve(ctx, args, stdout)
	},
	"aws": func(_ context.Context, args []string, stdout, stderr io.Writer) error {
		return aws.RunCLI(args, stdout, stderr)
	},
}

func run() int {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if name == "kubectl" {
		return runKubectl()
	}
	ctx, stop := cmd.WithSignals(context.Background())
	defer stop()
	runProgram, ok := programs[name]
	if !ok {
		return cmd.Main(ctx, args, components.Run, os.Stdin, os.Stdout, os.Stderr)
	}
	if err := runProgram(ctx, args, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "error: %s: %v\n", name, err)
		return 1
	}
	return 0
}
