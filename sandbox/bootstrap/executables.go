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

// trimpath is a flag of every build of this repository, because ko and Pulumi's
// Go language host use it. With the same flags, CoreDNS and metrics-server reuse
// packages compiled for the sandbox, and the AWS SDK is compiled once.
// toolchain.BuildVariables sets it for commands that other tools start.
const trimpath = "-trimpath"

// executable is one program that the bootstrap builds.
type executable struct {
	// name is used in messages. log is a part of the log file's name: build-LOG.log.
	name, log string
	// dir is the folder, relative to the project, in which go build runs.
	dir string
	// pkg is the package, relative to dir or an import path.
	pkg string
	// out is the file to write, absolute.
	out string
	// flags come after -trimpath.
	flags []string
	// patched is a required module that does not build without a patch; its zero
	// value: none.
	patched patchedModule
	// modfile is the module file that replaces the module with the patched copy. If it
	// is "", the go.mod in dir is used. The build sets it.
	modfile string
	// embeds are files of the patched module that the package embeds and that
	// are not in the repository.
	embeds []embedded
	// stamp says that out depends only on the Go files and module files of dir
	// and on the toolchain. A build is skipped while their hash is the same.
	stamp bool
}

// patchedModule is a module of the executable's go.mod that is built from a copy
// with one replaced text.
type patchedModule struct {
	module string
	// file is a path in the module. The text before, which occurs once in it, is
	// replaced by after.
	file, before, after string
}

// embedded is a JSON document of the patched module, for a package to embed.
type embedded struct {
	// file is a path in the module.
	file string
	// out is the file to write, relative to the executable's dir.
	out string
	// version replaces the document's version; "" keeps it.
	version string
}

// executables lists the executables to build, the longest build first.
func executables(ctx context.Context, w workspace) ([]executable, error) {
	kubernetes, err := requiredVersion(filepath.Join(w.project, "sandbox/go.mod"), "k8s.io/kubernetes")
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
			// No more flags: the real language host uses exactly these.
		},
		{
			name: "the image provider", log: "pulumi-resource-ko", dir: ".", pkg: "./components/image/pulumi-resource-ko",
			out:   filepath.Join(w.project, "bin/pulumi-resource-ko"),
			flags: []string{"-buildvcs=false", "-ldflags", "-s -w"},
		},
		{
			name: "the policy pack", log: "policy", dir: ".", pkg: "./policy", out: filepath.Join(w.project, "bin/policy"),
			flags: []string{"-buildvcs=false", "-ldflags", "-s -w"},
		},
	}
	list = append(list, executable{
		name: "the operator's command", log: "pf", dir: ".", pkg: "./ops/pf",
		out:   filepath.Join(w.bin(), "pf"), // on the PATH of the sandbox's shell
		flags: []string{"-buildvcs=false", "-ldflags", "-s -w"},
	})
	if toolchain.InstalledKubernetesPlugin(ctx, os.Environ(), w.bin()) == "" {
		list = append(list, kubernetesPlugin(w))
	}
	return list, nil
}

// kubernetesPlugin is the Pulumi Kubernetes provider, for machines that have
// none installed. The two embedded documents are those of upstream's build.
func kubernetesPlugin(w workspace) executable {
	const (
		module  = "github.com/pulumi/pulumi-kubernetes/provider/v4"
		version = toolchain.KubernetesPluginVersion
		command = "cmd/pulumi-resource-kubernetes/"
	)
	return executable{
		name: "the Kubernetes provider", log: "pulumi-resource-kubernetes", dir: "sandbox/kubernetesprovider", pkg: ".",
		out:   filepath.Join(w.bin(), "pulumi-resource-kubernetes"),
		flags: []string{"-buildvcs=false", "-ldflags", "-s -w -X " + module + "/pkg/version.Version=" + version},
		// A field of the schema's Go type became a pointer in Pulumi 3.250. An
		// older Pulumi would not need the patch, but with it the Kubernetes SDK
		// would be compiled a second time.
		patched: patchedModule{
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

// pulumi is the Pulumi CLI, for machines that have none installed.
func pulumi(w workspace) (executable, error) {
	const module = "github.com/pulumi/pulumi/pkg/v3"
	version, err := requiredVersion(filepath.Join(w.project, "sandbox/cli/go.mod"), module)
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

// kubernetesVersion returns the linker flags that set the version of Kubernetes
// in the binary. Without them the API server reports v0.0.0-master, and kubectl
// and the controllers refuse it.
func kubernetesVersion(version string) string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		// A list, because the order must not change: other flags produce another
		// binary, and another binary restarts the cluster.
		for _, v := range [][2]string{
			{"gitVersion", version}, {"gitMajor", parts[0]}, {"gitMinor", parts[1]}, {"gitCommit", "module"}, {"gitTreeState", "clean"},
		} {
			flags = append(flags, fmt.Sprintf("-X %s.%s=%s", pkg, v[0], v[1]))
		}
	}
	return strings.Join(flags, " ")
}

// requiredVersion reads the version of a module from a go.mod, the only place that pins
// it.
func requiredVersion(file, module string) (string, error) {
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
