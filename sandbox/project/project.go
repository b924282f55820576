// Package project creates a folder for each stack. In a sandbox, the Pulumi CLI works on a
// stack in the stack's folder. The folders are below projects/ in the sandbox's folder, and
// have copies of the project's files. The package changes nothing in the project itself.
//
// A copy is needed because the CLI writes into the folder in which it works. It writes the
// salt of a stack's passphrase, and the changes of `pulumi config set`, to
// Pulumi.STACK.yaml. In the project, only Pulumi.sandbox.yaml has a salt, for the public
// passphrase. The files of staging and prod have none, so that no real stack uses the
// salt of a sandbox.
package project

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// SandboxStack is the stack of `make up`.
const SandboxStack = "sandbox"

// projectFile is the name of the file that describes the project.
const projectFile = "Pulumi.yaml"

// stackNamePattern matches the names that the CLI accepts for a stack in a file backend.
var stackNamePattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)

// Copy updates the copy of the project's files for one stack. It returns the folder of the
// copy, in which the CLI works. Only Pulumi.yaml and Pulumi.STACK.yaml are copied. In the
// copies, the paths of the project's program, executable and plugins are absolute.
//
// The CLI's changes to the copy stay until the project's file changes. Then Copy replaces
// the file and keeps only the salt, which the CLI needs to decrypt the stack's secrets.
func Copy(l *layout.Layout, stack string) (string, error) {
	if !stackNamePattern.MatchString(stack) {
		return "", fmt.Errorf("stack %q: a name has letters, digits, '-', '_' and '.', at most 100", stack)
	}
	description, err := readYAML(filepath.Join(l.Project, projectFile))
	if err != nil {
		return "", fmt.Errorf("project: %w", err)
	}
	original, err := os.ReadFile(filepath.Join(l.Project, stackFile(stack)))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("stack %q: the project has no %s", stack, stackFile(stack))
	}
	if err != nil {
		return "", fmt.Errorf("stack %q: %w", stack, err)
	}
	config, err := readYAML(filepath.Join(l.Project, stackFile(stack)))
	if err != nil {
		return "", fmt.Errorf("stack %q: %w", stack, err)
	}
	if err := makePathsAbsolute(description, l.Project); err != nil {
		return "", fmt.Errorf("%s: %w", filepath.Join(l.Project, projectFile), err)
	}
	dir := stackFolder(l, stack)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("copy of the project for stack %q: %w", stack, err)
	}
	earlier, earlierErr := readYAML(filepath.Join(dir, stackFile(stack)))
	if earlierErr != nil && !errors.Is(earlierErr, fs.ErrNotExist) {
		return "", fmt.Errorf("stack %q: %w; remove the file, it is a copy", stack, earlierErr)
	}
	digest := fmt.Sprintf("%x\n", sha256.Sum256(original))
	digestFile := filepath.Join(dir, ".copied-from")
	copiedDigest, digestErr := os.ReadFile(digestFile)
	isUnchanged := digestErr == nil && string(copiedDigest) == digest // since the file of the project was copied
	if earlierErr == nil && isUnchanged {
		config = earlier
	} else {
		keepSecrets(config, earlier)
	}
	for name, content := range map[string]map[string]any{projectFile: description, stackFile(stack): config} {
		if err := writeYAML(filepath.Join(dir, name), content); err != nil {
			return "", fmt.Errorf("copy of the project for stack %q: %w", stack, err)
		}
	}
	if err := os.WriteFile(digestFile, []byte(digest), 0o600); err != nil {
		return "", fmt.Errorf("copy of the project for stack %q: %w", stack, err)
	}
	return dir, nil
}

// podScalingKeys are the configuration keys that a stack with a fixed number of pods must
// not have. Without the first three keys, neither Prometheus nor KEDA runs. The policy key has
// the waivers of the stack sandbox. Only KEDA needs these waivers, and the policy pack refuses
// waivers that nothing needs.
var podScalingKeys = []string{
	"progressive-framework:podScaling", "progressive-framework:prometheus",
	"progressive-framework:images", "progressive-framework:policy",
}

// WriteConfigWithoutPodScaling writes a copy of a stack's configuration in the folder dir,
// without podScalingKeys. It returns the path of the new file, for Pulumi's flag --config-file.
func WriteConfigWithoutPodScaling(dir, stack string) (string, error) {
	content, err := readYAML(filepath.Join(dir, stackFile(stack)))
	if err != nil {
		return "", fmt.Errorf("stack %q: %w", stack, err)
	}
	config, _ := content["config"].(map[string]any)
	for _, key := range podScalingKeys {
		delete(config, key)
	}
	path := filepath.Join(dir, "fixed."+stackFile(stack))
	if err := writeYAML(path, content); err != nil {
		return "", fmt.Errorf("stack %q: %w", stack, err)
	}
	return path, nil
}

// LastCopy returns the folder of a stack's copy and does not update the copy. So `sandbox
// recover` uses the configuration with which the interrupted update began. If the stack has no
// copy, LastCopy creates one.
func LastCopy(l *layout.Layout, stack string) (string, error) {
	if dir := stackFolder(l, stack); stackNamePattern.MatchString(stack) && fileExists(filepath.Join(dir, stackFile(stack))) {
		return dir, nil
	}
	return Copy(l, stack)
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// stackFolder returns the folder of a stack's copy.
func stackFolder(l *layout.Layout, stack string) string {
	return filepath.Join(l.Dir, "projects", stack)
}

func stackFile(stack string) string { return "Pulumi." + stack + ".yaml" }

// makePathsAbsolute makes the paths of a Pulumi.yaml absolute. root is the folder of the
// file. So the program and its plugins run in the same folders as without a copy.
func makePathsAbsolute(description map[string]any, root string) error {
	main := root
	if value, ok := description["main"]; ok {
		path, ok := value.(string)
		if !ok {
			return fmt.Errorf("main: want a path, got %v", value)
		}
		main = absolutePath(root, path)
	}
	description["main"] = main
	if runtime, ok := description["runtime"].(map[string]any); ok {
		if options, ok := runtime["options"].(map[string]any); ok {
			for _, name := range []string{"buildTarget", "binary"} {
				// The language host resolves these paths in the program's folder.
				if value, ok := options[name].(string); ok {
					options[name] = absolutePath(main, value)
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
				plugin["path"] = absolutePath(root, path)
			}
		}
	}
	return nil
}

// absolutePath returns path, or root/path for a relative path.
func absolutePath(root, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(root, path)
}

// keepSecrets copies the encryption settings of an earlier copy into config, unless config has
// such settings already. The CLI needs them to decrypt the stack's secrets.
func keepSecrets(config, earlier map[string]any) {
	settings := []string{"secretsprovider", "encryptedkey", "encryptionsalt"}
	for _, name := range settings {
		if _, ok := config[name]; ok {
			return
		}
	}
	for _, name := range settings {
		if value, ok := earlier[name]; ok {
			config[name] = value
		}
	}
}

func readYAML(path string) (map[string]any, error) {
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

// writeYAML replaces a YAML file by a rename, and only if the content differs.
func writeYAML(path string, content map[string]any) error {
	raw, err := yaml.Marshal(content)
	if err != nil {
		return err
	}
	if current, err := os.ReadFile(path); err == nil && string(current) == string(raw) {
		return nil
	}
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
