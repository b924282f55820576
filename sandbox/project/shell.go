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

// Shell updates and returns the project folder for a shell of `make env`, where the
// user runs pulumi directly. The folder has a file for every stack of the project: a
// link to the file in the stack's own copy (Copy). A stack that is created in the shell
// has its file in this folder.
func Shell(l *layout.Layout) (string, error) {
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
		if err := link(filepath.Join(copied, stackFile(stack)), filepath.Join(dir, stackFile(stack))); err != nil {
			return "", fmt.Errorf("project of the shell: %w", err)
		}
	}
	description, err := read(filepath.Join(l.Project, file))
	if err != nil {
		return "", fmt.Errorf("project: %w", err)
	}
	if err := makePathsAbsolute(description, l.Project); err != nil {
		return "", fmt.Errorf("%s: %w", filepath.Join(l.Project, file), err)
	}
	if err := write(filepath.Join(dir, file), description); err != nil {
		return "", fmt.Errorf("project of the shell: %w", err)
	}
	name, _ := description["name"].(string)
	return dir, selectSandbox(l, dir, name)
}

// link creates a link to target at path, in place of an existing file.
func link(target, path string) error {
	if now, err := os.Readlink(path); err == nil && now == target {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(target, path)
}

// selectSandbox selects SandboxStack if the shell has not selected a stack, as
// `pulumi stack select` does: in a file that is named after the project's path
// (3.259, projectWorkspace.settingsPath).
func selectSandbox(l *layout.Layout, dir, name string) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return fmt.Errorf("project of the shell: %w", err)
	}
	sum := sha1.Sum([]byte(filepath.Join(real, file))) //nolint:gosec // see above
	path := l.PulumiWorkspace(fmt.Sprintf("%s-%x-workspace.json", name, sum))
	if exists(path) {
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
