// Package testenv starts sandboxes for the engine tests and the benchmarks. Such a sandbox
// has a control plane with simulated nodes in three zones. It uses free ports and a temporary
// folder. The package does not import the program.
package testenv

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/registry"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

// Zones are the availability zones of the simulated nodes. The stacks use the same zones.
var Zones = []string{"us-east-1a", "us-east-1b", "us-east-1c"}

// New starts a sandbox for the project in root. The executables of the project must be built.
// New writes the steps to progress. It returns the sandbox, and a function that stops the
// sandbox and removes its folder. seed is used as ZoneSeed and OrderSeed of layout.Settings. It
// decides the ids of the zones and the order in which the stand-in applies changes.
func New(ctx context.Context, root string, seed uint64, progress io.Writer) (*layout.Layout, func() error, error) {
	sandboxBinary := filepath.Join(root, ".sandbox", "bin", "sandbox")
	for _, f := range []string{sandboxBinary, filepath.Join(root, "bin", "infra"), filepath.Join(root, "bin", "pulumi-resource-ko"), filepath.Join(root, "bin", "policy")} {
		if _, err := os.Stat(f); err != nil {
			return nil, nil, fmt.Errorf("%w; run `make build` first", err)
		}
	}
	dir, err := os.MkdirTemp("", "pf-engine-")
	if err != nil {
		return nil, nil, err
	}
	ports, err := layout.FindFreePorts()
	if err != nil {
		return nil, nil, err
	}
	l, err := layout.Create(dir, layout.Settings{Cluster: layout.ClusterSimulated, Project: root, Ports: ports, Zones: Zones, ZoneSeed: seed, OrderSeed: seed})
	if err != nil {
		return nil, nil, err
	}
	stop := func() error {
		if out, err := Command(context.WithoutCancel(ctx), l, root, sandboxBinary, "down").CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return os.RemoveAll(dir)
	}
	up := Command(ctx, l, root, sandboxBinary, "up", "--no-deploy")
	var messages bytes.Buffer
	output := io.MultiWriter(&messages, progress)
	up.Stdout, up.Stderr = output, output
	if err := up.Run(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("starting the sandbox: %w\n%s", err, &messages), stop())
	}
	return l, stop, nil
}

// InitStack creates an empty stack in a copy of the project's files and returns the copy's
// folder.
func InitStack(ctx context.Context, l *layout.Layout, stack string) (dir string, err error) {
	if dir, err = project.Copy(l, stack); err != nil {
		return "", err
	}
	_, err = RunOutput(ctx, l, dir, "pulumi", "stack", "init", stack)
	return dir, err
}

// WriteDockerConfig writes the login of the sandbox's registry to the file config.json in dir. With
// the variable DOCKER_CONFIG set to dir, pf pushes signatures.
func WriteDockerConfig(l *layout.Layout, dir string) error {
	password, err := registry.EnsurePassword(l)
	if err != nil {
		return err
	}
	login := base64.StdEncoding.EncodeToString([]byte(registry.User + ":" + password))
	content := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, l.RegistryAddress(), login)
	return os.WriteFile(filepath.Join(dir, "config.json"), []byte(content), 0o600)
}

// RunOutput runs one of the sandbox's executables in dir and returns its standard output. If
// the command fails, the error contains the standard output and the standard error.
func RunOutput(ctx context.Context, l *layout.Layout, dir, name string, args ...string) ([]byte, error) {
	var out, messages bytes.Buffer
	cmd := Command(ctx, l, dir, filepath.Join(l.Bin(), name), args...)
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, &out, &messages)
	}
	return out.Bytes(), nil
}

// Command returns a command that runs name in dir, with the sandbox's environment.
func Command(ctx context.Context, l *layout.Layout, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	// Tests create stacks without deletion protection, which breaks rules of the policy pack.
	// So the variable of the pack is removed. The tests of the pack set it again.
	cmd.Env = layout.WithoutPolicyPack(toolchain.SandboxEnv(l, os.Environ()))
	return cmd
}
