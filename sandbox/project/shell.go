package project

import (
	"crypto/sha1" //nolint:gosec // Pulumi's name for a file, no protection
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// PrepareShell updates the project folder for a shell of `make env` and returns the folder's
// path. In that shell the user runs pulumi directly. For every stack of the project, the folder
// has a link to the stack's configuration file, which is in the folder of Copy. If the user
// creates a stack in the shell, its configuration file is in the project folder.
func PrepareShell(l *layout.Layout) (string, error) {
	dir := filepath.Join(l.Dir, "shell", "project")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("project of the shell: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(l.Project, "Pulumi.*.yaml"))
	if err != nil {
		return "", fmt.Errorf("project of the shell: %w", err)
	}
	for _, path := range files {
		stack := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "Pulumi."), ".yaml")
		copied, err := Copy(l, stack)
		if err != nil {
			return "", err
		}
		if err := replaceLink(filepath.Join(copied, stackFile(stack)), filepath.Join(dir, stackFile(stack))); err != nil {
			return "", fmt.Errorf("project of the shell: %w", err)
		}
	}
	description, err := readYAML(filepath.Join(l.Project, projectFile))
	if err != nil {
		return "", fmt.Errorf("project: %w", err)
	}
	if err := makePathsAbsolute(description, l.Project); err != nil {
		return "", fmt.Errorf("%s: %w", filepath.Join(l.Project, projectFile), err)
	}
	if err := writeYAML(filepath.Join(dir, projectFile), description); err != nil {
		return "", fmt.Errorf("project of the shell: %w", err)
	}
	name, _ := description["name"].(string)
	return dir, selectSandboxStack(l, dir, name)
}

// replaceLink creates a link to target at path. It replaces an existing file or link.
func replaceLink(target, path string) error {
	if current, err := os.Readlink(path); err == nil && current == target {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(target, path)
}

// selectSandboxStack selects SandboxStack if no stack is selected in the folder dir. It writes
// the file that `pulumi stack select` writes. The file's name has a hash of the project's path
// (Pulumi 3.259, projectWorkspace.settingsPath).
func selectSandboxStack(l *layout.Layout, dir, projectName string) error {
	realDir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("project of the shell: %w", err)
	}
	sum := sha1.Sum([]byte(filepath.Join(realDir, projectFile))) //nolint:gosec // Pulumi uses SHA-1 for this name
	path := l.PulumiWorkspace(fmt.Sprintf("%s-%x-workspace.json", projectName, sum))
	if fileExists(path) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("selected stack of the shell: %w", err)
	}
	if err := os.WriteFile(path, []byte(`{"stack": "`+SandboxStack+`"}`), 0o600); err != nil {
		return fmt.Errorf("selected stack of the shell: %w", err)
	}
	return nil
}
