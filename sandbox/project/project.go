// Package project gives every stack a folder in which the Pulumi CLI can work
// on it inside a sandbox. It owns the copies below projects/ in the sandbox's
// folder, and changes nothing in the project itself.
//
// A copy is needed because the CLI writes into the folder it works in: the
// salt of a stack's passphrase goes into Pulumi.STACK.yaml. The stack
// "sandbox" carries a salt for the public passphrase; staging and prod carry
// none in the project, so that nobody inherits one from a sandbox.
package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/progressive-framework/platform/sandbox/home"
)

// SandboxStack is the stack of `make up`. It lives in the project itself.
const SandboxStack = "sandbox"

// file is the project's own description.
const file = "Pulumi.yaml"

// stackName is what the CLI accepts as the name of a stack in a file backend.
var stackName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)

// Dir returns the folder in which the CLI works on a stack: the project itself
// for SandboxStack, a copy for any other. Where somebody works on a copy of
// SandboxStack already, as the engine tests do, it is that.
func Dir(h *home.Home, stack string) (string, error) {
	if _, err := os.Stat(copied(h, stack)); stack == SandboxStack && err != nil {
		// The CLI reads them as well, but does not say which of them is broken.
		for _, name := range []string{file, stackFile(stack)} {
			if _, err := read(filepath.Join(h.Project, name)); err != nil {
				return "", fmt.Errorf("project: %w", err)
			}
		}
		return h.Project, nil
	}
	return Copy(h, stack)
}

// Copy brings the copy of the project's files for one stack up to date and
// returns its folder. Only Pulumi.yaml and Pulumi.STACK.yaml are copied; the
// program, its executable and the plugins are those of the project, by
// absolute paths. What the CLI wrote into the copy to read the stack's secrets
// again is kept.
func Copy(h *home.Home, stack string) (string, error) {
	if !stackName.MatchString(stack) {
		return "", fmt.Errorf("stack %q: a name has letters, digits, '-', '_' and '.', at most 100", stack)
	}
	description, err := read(filepath.Join(h.Project, file))
	if err != nil {
		return "", fmt.Errorf("project: %w", err)
	}
	config, err := read(filepath.Join(h.Project, stackFile(stack)))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("stack %q: the project has no %s", stack, stackFile(stack))
	}
	if err != nil {
		return "", fmt.Errorf("stack %q: %w", stack, err)
	}
	if err := anchor(description, h.Project); err != nil {
		return "", fmt.Errorf("%s: %w", filepath.Join(h.Project, file), err)
	}
	dir := copied(h, stack)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("copy of the project for stack %q: %w", stack, err)
	}
	before, err := read(filepath.Join(dir, stackFile(stack)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("stack %q: %w; remove the file, it is a copy", stack, err)
	}
	keepSecrets(config, before)
	for name, content := range map[string]map[string]any{file: description, stackFile(stack): config} {
		if err := write(filepath.Join(dir, name), content); err != nil {
			return "", fmt.Errorf("copy of the project for stack %q: %w", stack, err)
		}
	}
	return dir, nil
}

// Last is the folder that a stack was last worked on in, as it lies: what was
// cut short is settled under the configuration that it was begun with. A stack
// that was never worked on gets the one that Dir gives.
func Last(h *home.Home, stack string) (string, error) {
	if dir := copied(h, stack); stackName.MatchString(stack) && exists(filepath.Join(dir, stackFile(stack))) {
		return dir, nil
	}
	return Dir(h, stack)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func copied(h *home.Home, stack string) string { return filepath.Join(h.Dir, "projects", stack) }

func stackFile(stack string) string { return "Pulumi." + stack + ".yaml" }

// anchor makes the paths of a Pulumi.yaml absolute, as seen from root. The
// program's own folder becomes the working directory of program and plugins,
// as it is in the project.
func anchor(description map[string]any, root string) error {
	main := root
	if value, ok := description["main"]; ok {
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("main: want a path, got %v", value)
		}
		main = absolute(root, text)
	}
	description["main"] = main
	if runtime, ok := description["runtime"].(map[string]any); ok {
		if options, ok := runtime["options"].(map[string]any); ok {
			for _, name := range []string{"buildTarget", "binary"} {
				// The language host reads them relative to the program.
				if value, ok := options[name].(string); ok {
					options[name] = absolute(main, value)
				}
			}
		}
	}
	plugins, _ := description["plugins"].(map[string]any)
	for _, kind := range []string{"providers", "languages", "analyzers"} {
		list, _ := plugins[kind].([]any)
		for i, entry := range list {
			plugin, ok := entry.(map[string]any)
			if !ok {
				return fmt.Errorf("plugins.%s[%d]: want an object, got %v", kind, i, entry)
			}
			if path, ok := plugin["path"].(string); ok {
				plugin["path"] = absolute(root, path)
			}
		}
	}
	return nil
}

func absolute(root, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(root, path)
}

// keepSecrets carries over what the CLI wrote into an earlier copy, unless the
// project now says it itself.
func keepSecrets(config, before map[string]any) {
	own := []string{"secretsprovider", "encryptedkey", "encryptionsalt"}
	for _, name := range own {
		if _, ok := config[name]; ok {
			return
		}
	}
	for _, name := range own {
		if value, ok := before[name]; ok {
			config[name] = value
		}
	}
}

func read(path string) (map[string]any, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	content := map[string]any{}
	if err := yaml.Unmarshal(raw, &content); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return content, nil
}

// write replaces a file in one step, and only where it changes.
func write(path string, content map[string]any) error {
	raw, err := yaml.Marshal(content)
	if err != nil {
		return err
	}
	if now, err := os.ReadFile(path); err == nil && string(now) == string(raw) {
		return nil
	}
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
