// Package toolchain selects the tools of a sandbox: those installed on the
// machine, those built from their own source, and the stand-ins. It creates
// links to them in the sandbox's bin folder. It runs a tool only to get its
// version. It imports the standard library and package layout only, because the
// bootstrap uses it to decide whether to build Pulumi.
package toolchain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// Kind says where a tool comes from.
type Kind string

const (
	// Installed is the real tool, found on the machine.
	Installed Kind = "installed"
	// Built is the real tool, built here from its own source.
	Built Kind = "built"
	// StandIn is our replacement for the real tool.
	StandIn Kind = "stand-in"
)

// Real says whether the tool is the genuine one.
func (k Kind) Real() bool { return k != StandIn }

// multicall is the name of the binary that contains all stand-ins.
const multicall = "sandbox"

// The versions that decide whether an installed tool is used.
const (
	// PulumiMajor is the major version of the CLI, and of the SDK in go.mod.
	PulumiMajor = 3
	// PulumiMinor is the oldest CLI that the project runs on. sandbox/cli/go.mod pins
	// it.
	PulumiMinor = 259
	// KubernetesMinor is the minor version of the sandbox's API server, which
	// sandbox/go.mod pins. kubectl is supported one minor version either side
	// (https://kubernetes.io/releases/version-skew-policy/#kubectl).
	KubernetesMinor = 36
	// KubernetesPluginMajor is the major version of the SDK in go.mod; a plugin
	// of another major version has other resources.
	KubernetesPluginMajor = 4
)

// KubernetesPluginVersion is the version that is set in a Kubernetes provider
// that is built here. The module that sandbox/kubernetesprovider/go.mod pins is
// from the day before release 4.25.0, and upstream tags no module versions.
const KubernetesPluginVersion = "4.25.0-alpha+f47bc2d6f199"

// Tool is one tool as the sandbox will run it; `sandbox status --json` prints it.
type Tool struct {
	// Name is the command's name, which is also the link's.
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Version is what the tool prints; empty if it is not known.
	Version string `json:"version,omitempty"`
	// Path is the executable that the link leads to.
	Path string `json:"path"`
	// Note says why an installed tool is not used; empty otherwise.
	Note string `json:"note,omitempty"`
}

// resolver looks for tools in one environment.
type resolver struct {
	ctx context.Context
	// path are the folders of PATH, without those of any sandbox.
	path []string
	// plugins is the folder of the plugins that the user has installed in Pulumi.
	plugins string
	// built is the folder of the executables that the bootstrap built.
	built string
	// environ is the environment in which tools print their version.
	environ []string
}

// Resolve selects every tool of the sandbox l. It looks for installed tools on
// the PATH of environ and among the plugins in its PULUMI_HOME. The folder built
// holds the executables of the bootstrap.
func Resolve(ctx context.Context, l *layout.Layout, built string, environ []string) ([]Tool, error) {
	r := newResolver(ctx, environ, l.Bin(), built)
	tools := []Tool{
		r.pulumi(),
		r.languageHost(),
		r.kubernetesPlugin(),
		r.kubectl(),
		r.standIn("pulumi-resource-aws"),
		r.standIn("aws"),
		r.standIn(multicall),
	}
	for _, t := range tools {
		if info, err := os.Stat(t.Path); err != nil || !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s: no executable at %s: run make build", t.Name, t.Path)
		}
	}
	return tools, nil
}

// standIn returns the tool name as a link to the sandbox's own binary.
func (r *resolver) standIn(name string) Tool {
	kind := StandIn
	if name == multicall {
		kind = Built
	}
	return Tool{Name: name, Kind: kind, Path: filepath.Join(r.built, multicall)}
}

// Link creates the links of tools in the sandbox's bin folder. Each is replaced
// by a rename, so that a command that runs meanwhile finds the old or the new.
func Link(l *layout.Layout, tools []Tool) error {
	if err := os.MkdirAll(l.Bin(), 0o755); err != nil {
		return fmt.Errorf("folder of the tools: %w", err)
	}
	for _, t := range tools {
		link := filepath.Join(l.Bin(), t.Name)
		if link == t.Path {
			continue // built in place
		}
		if now, err := os.Readlink(link); err == nil && now == t.Path {
			continue
		}
		next := link + ".next"
		if err := os.Remove(next); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("link %s: %w", t.Name, err)
		}
		if err := os.Symlink(t.Path, next); err != nil {
			return fmt.Errorf("link %s: %w", t.Name, err)
		}
		if err := os.Rename(next, link); err != nil {
			return fmt.Errorf("link %s: %w", t.Name, err)
		}
	}
	return nil
}
