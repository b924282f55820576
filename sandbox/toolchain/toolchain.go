// Package toolchain selects the tools of a sandbox. A tool is installed on the machine,
// built from its own source, or a stand-in. The package creates links to the selected
// tools in the sandbox's bin folder. It runs a tool only to get its version.
//
// The package imports only the standard library and package layout, because the bootstrap
// uses it to decide whether to build Pulumi.
package toolchain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// Kind is the origin of a tool.
type Kind string

const (
	// Installed is the real tool, found on the machine.
	Installed Kind = "installed"
	// Built is the real tool, built here from its own source.
	Built Kind = "built"
	// StandIn is the sandbox's own replacement for the real tool.
	StandIn Kind = "stand-in"
)

// Real reports whether the tool is the genuine one.
func (k Kind) Real() bool { return k != StandIn }

// multicall is the name of the executable that contains all stand-ins. Each stand-in is a link
// to this executable.
const multicall = "sandbox"

// The versions that decide whether an installed tool is used.
const (
	// PulumiMajor is the major version of the CLI, and of the SDK in go.mod.
	PulumiMajor = 3
	// PulumiMinor is the minor version of the oldest CLI with which the project works.
	// sandbox/cli/go.mod pins this version.
	PulumiMinor = 259
	// KubernetesMinor is the minor version of the sandbox's API server, which
	// sandbox/go.mod pins. The API server supports a kubectl that is at most one minor
	// version older or newer
	// (https://kubernetes.io/releases/version-skew-policy/#kubectl).
	KubernetesMinor = 36
	// KubernetesPluginMajor is the major version of the SDK in go.mod. A plugin of another
	// major version has other resources.
	KubernetesPluginMajor = 4
)

// KubernetesPluginVersion is the version of the Kubernetes provider that the bootstrap
// builds. The project does not tag the versions of the provider's module. The commit that
// sandbox/kubernetesprovider/go.mod pins is from the day before release 4.25.0.
const KubernetesPluginVersion = "4.25.0-alpha+f47bc2d6f199"

// Tool is one tool as the sandbox will run it; `sandbox status --json` prints it.
type Tool struct {
	// Name is the name of the command and of its link.
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Version is the version that the tool prints. It is empty if it is not known.
	Version string `json:"version,omitempty"`
	// Path is the executable that the link points to.
	Path string `json:"path"`
	// Note is the reason why an installed tool is not used. Otherwise it is empty.
	Note string `json:"note,omitempty"`
}

// resolver looks for tools in one environment.
type resolver struct {
	ctx context.Context
	// path are the folders of PATH, without the folders of sandboxes.
	path []string
	// pluginFolder is the folder in which the user's Pulumi stores its plugins.
	pluginFolder string
	// builtFolder has the executables that the bootstrap built.
	builtFolder string
	// environ is the environment of the tools when they print their versions.
	environ []string
}

// Resolve selects every tool of the sandbox l. It looks for installed tools on the PATH of
// environ, and for plugins in the PULUMI_HOME of environ. builtFolder has the executables
// of the bootstrap.
func Resolve(ctx context.Context, l *layout.Layout, builtFolder string, environ []string) ([]Tool, error) {
	r := newResolver(ctx, environ, l.Bin(), builtFolder)
	tools := []Tool{
		r.selectPulumi(),
		r.selectLanguageHost(),
		r.selectKubernetesPlugin(),
		r.selectKubectl(),
		r.newStandIn("pulumi-resource-aws"),
		r.newStandIn("aws"),
		r.newStandIn(multicall),
	}
	for _, t := range tools {
		if info, err := os.Stat(t.Path); err != nil || !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s: no executable at %s: run make build", t.Name, t.Path)
		}
	}
	return tools, nil
}

// newStandIn returns a tool with that name, as a link to the sandbox's own binary.
func (r *resolver) newStandIn(name string) Tool {
	kind := StandIn
	if name == multicall {
		kind = Built
	}
	return Tool{Name: name, Kind: kind, Path: filepath.Join(r.builtFolder, multicall)}
}

// Link creates the links to tools in the sandbox's bin folder. A link is replaced by a
// rename, so that a command that starts meanwhile finds either the old or the new tool.
func Link(l *layout.Layout, tools []Tool) error {
	if err := os.MkdirAll(l.Bin(), 0o755); err != nil {
		return fmt.Errorf("folder of the tools: %w", err)
	}
	for _, t := range tools {
		link := filepath.Join(l.Bin(), t.Name)
		if link == t.Path {
			continue // the bootstrap built the tool in this folder
		}
		if target, err := os.Readlink(link); err == nil && target == t.Path {
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
