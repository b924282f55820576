package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// trimpath goes with every build of this repository: ko builds with it, so that
// packages compiled for the sandbox are found again for CoreDNS and
// metrics-server, and so does the Go language host of Pulumi, which must not
// compile the AWS SDK a second time. The environment says it too, for the
// commands that others start: toolchain.BuildVariables.
const trimpath = "-trimpath"

// executable is one program that the bootstrap builds.
type executable struct {
	// name is what a person reads; log is build-LOG.log in the logs folder.
	name, log string
	// dir is the folder, relative to the project, in which go build runs.
	dir string
	// pkg is the package, relative to dir or an import path.
	pkg string
	// out is the file to write, absolute.
	out string
	// flags come after -trimpath.
	flags []string
	// changed is a module that does not build as it is; its zero value: none.
	changed changedModule
	// modfile is the module file with which go build takes the changed copy;
	// "": that of dir. The build sets it.
	modfile string
	// embeds are files of changed that the package embeds and that the
	// repository lacks.
	embeds []embedded
	// stamp says that out depends on nothing but the Go files and the module
	// files of dir and the toolchain, so that a hash of them can stand for a
	// build.
	stamp bool
}

// changedModule is a requirement of the executable's go.mod that is built from
// a copy with one change.
type changedModule struct {
	module string
	// file is a path in the module, in which before occurs once and becomes
	// after.
	file, before, after string
}

// embedded is a JSON document of the changed module, for a package to embed.
type embedded struct {
	// file is a path in the module.
	file string
	// out is the file to write, relative to the executable's dir.
	out string
	// version replaces the document's own; "" leaves it.
	version string
}

// executables lists what is to be built, the longest first.
func executables(ctx context.Context, w where) ([]executable, error) {
	kubernetes, err := required(filepath.Join(w.project, "sandbox/go.mod"), "k8s.io/kubernetes")
	if err != nil {
		return nil, err
	}
	list := []executable{
		{
			name: "the sandbox", log: "sandbox", dir: "sandbox", pkg: ".", out: filepath.Join(w.bin(), "sandbox"),
			flags: []string{"-buildvcs=false", "-ldflags", kubernetesVersion(kubernetes)},
		},
		{
			name: "the program", log: "infra", dir: "infra", pkg: ".", out: filepath.Join(w.project, "bin/infra"),
			// No further flags: these are exactly those of the real language host.
		},
		{
			name: "the image provider", log: "pulumi-resource-ko", dir: ".", pkg: "./components/image/pulumi-resource-ko",
			out:   filepath.Join(w.project, "bin/pulumi-resource-ko"),
			flags: []string{"-buildvcs=false", "-ldflags", "-s -w"},
		},
	}
	if toolchain.InstalledKubernetesPlugin(ctx, os.Environ(), w.bin()) == "" {
		list = append(list, kubernetesPlugin(w))
	}
	return list, nil
}

// kubernetesPlugin is the Pulumi Kubernetes provider, for machines that have
// none. Its two documents are written as upstream's build does.
func kubernetesPlugin(w where) executable {
	const (
		module  = "github.com/pulumi/pulumi-kubernetes/provider/v4"
		version = toolchain.KubernetesPluginVersion
		command = "cmd/pulumi-resource-kubernetes/"
	)
	return executable{
		name: "the Kubernetes provider", log: "pulumi-resource-kubernetes", dir: "sandbox/kubernetesprovider", pkg: ".",
		out:   filepath.Join(w.bin(), "pulumi-resource-kubernetes"),
		flags: []string{"-buildvcs=false", "-ldflags", "-s -w -X " + module + "/pkg/version.Version=" + version},
		// The field of the schema's Go type has become a pointer in Pulumi 3.250.
		// With a Pulumi as old as the provider's own, the Kubernetes SDK would be
		// compiled a second time.
		changed: changedModule{
			module: module, file: "pkg/gen/schema.go",
			before: "Provider: pschema.ResourceSpec{", after: "Provider: &pschema.ResourceSpec{",
		},
		embeds: []embedded{
			{file: command + "schema.json", out: "schema/schema.json", version: version},
			{file: command + "terraform-mapping.json", out: "schema/terraform-mapping.json"},
		},
		stamp: true,
	}
}

// pulumi is the Pulumi CLI, for machines that have none.
func pulumi(w where) (executable, error) {
	const module = "github.com/pulumi/pulumi/pkg/v3"
	version, err := required(filepath.Join(w.project, "sandbox/cli/go.mod"), module)
	if err != nil {
		return executable{}, err
	}
	return executable{
		name: "the Pulumi CLI " + version, log: "pulumi", dir: "sandbox/cli", pkg: module + "/cmd/pulumi",
		out: filepath.Join(w.bin(), "pulumi"),
		flags: []string{"-buildvcs=false", "-ldflags",
			"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=" + version},
		stamp: true,
	}, nil
}

// kubernetesVersion are the linker's flags by which the binary knows which
// Kubernetes it holds. Without them the API server calls itself
// v0.0.0-master, and kubectl and the controllers refuse it.
func kubernetesVersion(version string) string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		// Always in the same order: other flags are another binary, and another
		// binary restarts the cluster.
		for _, v := range [][2]string{
			{"gitVersion", version}, {"gitMajor", parts[0]}, {"gitMinor", parts[1]}, {"gitCommit", "module"}, {"gitTreeState", "clean"},
		} {
			flags = append(flags, fmt.Sprintf("-X %s.%s=%s", pkg, v[0], v[1]))
		}
	}
	return strings.Join(flags, " ")
}

// required reads the version that a go.mod requires of a module: the pin lives
// there and nowhere else.
func required(file, module string) (string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("version of %s: %w", module, err)
	}
	m := regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(module) + `\s+(v\d+\.\d+\.\d+\S*)`).FindSubmatch(raw)
	if m == nil {
		return "", fmt.Errorf("version of %s: %s does not require it", module, file)
	}
	return string(m[1]), nil
}
