// Package toolchain decides which tools a sandbox runs: those that are
// installed on the machine, those built from their own source, and the
// stand-ins. It makes the links in the sandbox's bin folder by which they are
// found. It runs no tool except to ask its version, and it imports the
// standard library and home alone, because the bootstrap asks it whether a
// Pulumi must be built.
package toolchain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/progressive-framework/platform/sandbox/home"
)

// Kind says where a tool comes from.
type Kind string

const (
	// Installed is the real tool, found on the machine.
	Installed Kind = "installed"
	// Built is the real tool, built here from its own source.
	Built Kind = "built"
	// StandIn is ours, in the place of a real one.
	StandIn Kind = "stand-in"
)

// Real says whether the tool is the genuine one.
func (k Kind) Real() bool { return k != StandIn }

// multicall is the name of the binary that all stand-ins live in.
const multicall = "sandbox"

// The versions that decide whether an installed tool is used.
const (
	// PulumiMajor is the major version of the CLI, and of the SDK in go.mod.
	PulumiMajor = 3
	// PulumiMinor is the oldest CLI that the project runs on, the one that
	// sandbox/cli/go.mod pins.
	PulumiMinor = 259
	// KubernetesMinor is the minor version of the sandbox's API server, which
	// sandbox/go.mod pins. kubectl is supported one minor version either side
	// (https://kubernetes.io/releases/version-skew-policy/#kubectl).
	KubernetesMinor = 34
	// KubernetesPluginMajor is the major version of the SDK in go.mod; a
	// plugin of another speaks of other resources.
	KubernetesPluginMajor = 4
)

// KubernetesPluginVersion is what the Kubernetes provider calls itself where
// it is built here: the module that sandbox/kubernetesprovider/go.mod pins is
// of the day before release 4.25.0, and upstream gives its modules no version.
const KubernetesPluginVersion = "4.25.0-alpha+f47bc2d6f199"

// Tool is one tool as the sandbox will run it; `sandbox status --json` prints it.
type Tool struct {
	// Name is the command's name, which is also the link's.
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Version is what the tool says of itself; empty where it says nothing.
	Version string `json:"version,omitempty"`
	// Path is the executable that the link leads to.
	Path string `json:"path"`
	// Note tells why an installed tool was passed over; else it is empty.
	Note string `json:"note,omitempty"`
}

// resolver looks for tools in one environment.
type resolver struct {
	ctx context.Context
	// path are the folders of PATH, without those of any sandbox.
	path []string
	// plugins is where Pulumi keeps the plugins that a person installed.
	plugins string
	// built is the folder of the executables that the bootstrap built.
	built string
	// environ is the environment for asking versions.
	environ []string
}

// Resolve decides for every tool of the sandbox h. Installed ones are looked
// for on the PATH of environ and among the plugins of its Pulumi home; built
// is the folder that holds the executables of the bootstrap.
func Resolve(ctx context.Context, h *home.Home, built string, environ []string) ([]Tool, error) {
	r := newResolver(ctx, environ, h.Bin(), built)
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

// standIn is a tool for which there is no other choice inside a sandbox.
func (r *resolver) standIn(name string) Tool {
	kind := StandIn
	if name == multicall {
		kind = Built
	}
	return Tool{Name: name, Kind: kind, Path: filepath.Join(r.built, multicall)}
}

// Link makes the links of tools in the sandbox's bin folder. Each is replaced
// in one step, so that a command running meanwhile finds the old or the new.
func Link(h *home.Home, tools []Tool) error {
	if err := os.MkdirAll(h.Bin(), 0o755); err != nil {
		return fmt.Errorf("folder of the tools: %w", err)
	}
	for _, t := range tools {
		link := filepath.Join(h.Bin(), t.Name)
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
