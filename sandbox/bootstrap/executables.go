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

// trimpath is a flag of every build of this repository. ko and Pulumi's Go language host
// build with this flag. Builds share compiled packages only if their flags are equal.
// For builds that other tools start, toolchain.BuildVariables sets the flag.
const trimpath = "-trimpath"

// executable is one program that the bootstrap builds.
type executable struct {
	// name is the name in messages. The file build-LOG.log has the output of the build,
	// where LOG is the value of log.
	name, log string
	// dir is the folder, relative to the project, in which go build runs.
	dir string
	// pkg is the package, relative to dir or an import path.
	pkg string
	// out is the file to write, absolute.
	out string
	// flags are the flags of `go build` after -trimpath.
	flags []string
	// patched is a required module that compiles only with a patch. The zero value means
	// that no module is patched.
	patched patchedModule
	// modfile is a copy of go.mod that replaces the module with its patched copy. The
	// build writes the file and sets this field. "" means the go.mod in dir.
	modfile string
	// embeds are the files of the patched module that the package embeds. They are not
	// in the repository, so the build copies them.
	embeds []embeddedDocument
	// stamp means that the build records a hash of everything on which the file out depends:
	// the Go files and module files of dir, and the toolchain. If the hash has not changed, the
	// build is skipped.
	stamp bool
	// late means that `sandbox up` does not run the program. The first `make up` builds it after
	// the platform answers.
	late bool
}

// isNeededBy reports whether a command builds the executable.
func (e executable) isNeededBy(c command) bool {
	exists := isFile(e.out)
	switch c {
	case prepareUp:
		return exists || !e.late
	case buildMissing:
		return !exists
	}
	return true
}

// patchedModule is a module that is built from a copy in which one text is replaced.
type patchedModule struct {
	module string
	// file is a path in the module. In this file, the text before is replaced by the
	// text after. The text before must occur exactly once.
	file, before, after string
}

// embeddedDocument is a JSON document of the patched module that a package embeds.
type embeddedDocument struct {
	// file is a path in the module.
	file string
	// out is the file to write, relative to the executable's dir.
	out string
	// version replaces the version in the document. If it is "", the document is not changed.
	version string
}

// listExecutables returns the executables to build, the longest build first.
func listExecutables(ctx context.Context, w workspace) ([]executable, error) {
	kubernetes, err := requiredVersion(filepath.Join(w.project, "sandbox/go.mod"), "k8s.io/kubernetes")
	if err != nil {
		return nil, err
	}
	list := []executable{
		{
			name: "the sandbox", log: "sandbox", dir: "sandbox", pkg: ".", out: filepath.Join(w.bin(), "sandbox"),
			flags: []string{"-buildvcs=false", "-ldflags", kubernetesLinkerFlags(kubernetes)},
		},
		{
			name: "the program", log: "infra", dir: "infra", pkg: ".", out: filepath.Join(w.project, "bin/infra"),
			// The only flag is -trimpath, as in the builds of the real language host.
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
		late:  true,
	})
	if toolchain.InstalledKubernetesPlugin(ctx, os.Environ(), w.bin()) == "" {
		list = append(list, kubernetesPlugin(w))
	}
	return list, nil
}

// kubernetesPlugin returns the executable of the Pulumi Kubernetes provider. It is built only
// if no usable provider is installed. It embeds the same two documents as the provider's
// original build.
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
		// A field of the schema's Go type became a pointer in Pulumi 3.250. Without the patch,
		// the provider compiles only with an older version of Pulumi. But then the Kubernetes
		// SDK would be compiled a second time, for that older version.
		patched: patchedModule{
			module: module, file: "pkg/gen/schema.go",
			before: "Provider: pschema.ResourceSpec{", after: "Provider: &pschema.ResourceSpec{",
		},
		embeds: []embeddedDocument{
			{file: command + "schema.json", out: "schema/schema.json", version: version},
			{file: command + "terraform-mapping.json", out: "schema/terraform-mapping.json"},
		},
		stamp: true,
	}
}

// pulumiCLI returns the executable of the Pulumi CLI. It is built only if no usable CLI is installed.
func pulumiCLI(w workspace) (executable, error) {
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

// kubernetesLinkerFlags returns the linker flags that set the version of Kubernetes
// in the binary. Without them the API server reports v0.0.0-master, and kubectl
// and the controllers refuse it.
func kubernetesLinkerFlags(version string) string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		// This is not a map, because the order must not change. Different flags produce
		// a different binary, and a different binary restarts the cluster.
		for _, variable := range []struct{ name, value string }{
			{"gitVersion", version}, {"gitMajor", parts[0]}, {"gitMinor", parts[1]}, {"gitCommit", "module"}, {"gitTreeState", "clean"},
		} {
			flags = append(flags, fmt.Sprintf("-X %s.%s=%s", pkg, variable.name, variable.value))
		}
	}
	return strings.Join(flags, " ")
}

// requiredVersion returns the version of a module that the given go.mod requires. The bootstrap reads
// it there, so that the version is in only one file.
func requiredVersion(file, module string) (string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("version of %s: %w", module, err)
	}
	requirement := regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(module) + `\s+(v\d+\.\d+\.\d+\S*)`).FindSubmatch(raw)
	if requirement == nil {
		return "", fmt.Errorf("version of %s: %s does not require it", module, file)
	}
	return string(requirement[1]), nil
}
