package provider

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// keptSettings are the user's settings of the go tool that a build keeps: the sources
// of modules, caches and toolchains. Isolate removes all other settings, because they
// could change the binary (GOFLAGS, GOAMD64, GOEXPERIMENT, ...). A setting is in the
// environment or in the file of `go env -w`.
var keptSettings = []string{
	"GOAUTH", "GOCACHE", "GOCACHEPROG", "GOINSECURE", "GOMODCACHE", "GONOPROXY", "GONOSUMDB", "GOPATH",
	"GOPRIVATE", "GOPROXY", "GOSUMDB", "GOTELEMETRYDIR", "GOTMPDIR", "GOTOOLCHAIN", "GOVCS",
}

// readOnlySettings are values in the output of `go env` that the go tool computes itself, so Isolate
// leaves them alone. A user can set GOROOT, but Isolate has unset it before (startupSettings).
var readOnlySettings = []string{"GOROOT", "GOTOOLDIR", "GOVERSION", "GOHOSTOS", "GOHOSTARCH", "GOEXE", "GOMOD", "GOGCCFLAGS"}

// startupSettings are variables that can prevent the start of the go tool, such as the GOROOT of an
// older installation. Without them the go tool finds its own folder.
var startupSettings = []string{"GOROOT", "GOEXPERIMENT", "GOFIPS140"}

// buildEnv is set for every build: the lowest instruction set of each architecture,
// no version control information, and no workspace. So the same sources give the same
// binary in a clean and in a changed git checkout. A go.work of another project in a
// parent folder has no effect.
var buildEnv = []string{
	"GOFLAGS=-buildvcs=false",
	"GOWORK=off",
	"GOAMD64=v1",
	"GOARM64=v8.0",
}

// Isolate prepares the environment of this process, so that every machine builds the
// same binary. It removes settings of the go tool that could change a binary. It
// also sets ko's cache of linked binaries to a folder below cache. Each working
// folder has its own cache, so that two checkouts never write the same file. Folders that
// were not used for seven days are deleted. An empty cache means the user's cache folder.
//
// ko reads the environment of the process, so call Isolate once, before the first
// build. It returns the version of the installed toolchain and the value of GOTOOLCHAIN,
// which decides whether a module may select another toolchain.
func Isolate(ctx context.Context, cache string) (toolchain string, err error) {
	for _, name := range startupSettings {
		if err := os.Unsetenv(name); err != nil {
			return "", fmt.Errorf("environment of the go tool: %s: %w", name, err)
		}
	}
	settings, err := readGoSettings(ctx)
	if err != nil {
		return "", err
	}
	for name, value := range settings {
		switch {
		case slices.Contains(readOnlySettings, name):
			continue
		case slices.Contains(keptSettings, name) && value != "":
			err = os.Setenv(name, value)
		default:
			err = os.Unsetenv(name)
		}
		if err != nil {
			return "", fmt.Errorf("environment of the go tool: %s: %w", name, err)
		}
	}
	if cache == "" {
		if cache, err = os.UserCacheDir(); err != nil {
			cache = os.TempDir() // no HOME, as in some CI jobs
		}
		cache = filepath.Join(cache, "pulumi-resource-ko")
	}
	cwd, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working folder: %w", err)
	}
	sum := sha256.Sum256([]byte(cwd))
	if cache, err = useCache(cache, hex.EncodeToString(sum[:6]), time.Now()); err != nil {
		return "", err
	}
	return settings["GOVERSION"] + " " + settings["GOTOOLCHAIN"], errors.Join(
		os.Setenv("GOENV", "off"),
		os.Setenv("GOWORK", "off"),
		os.Setenv("KOCACHE", cache),
		os.Unsetenv("KO_GO_PATH"),
	)
}

// readGoSettings returns the result of `go env` outside of a module, because a go.mod
// could select another toolchain.
func readGoSettings(ctx context.Context) (map[string]string, error) {
	output, err := runGo(ctx, os.TempDir(), "env", "-json")
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	if err := json.Unmarshal(output, &settings); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	return settings, nil
}

// pinnedEnv returns buildEnv for a build in dir. If the go.mod of dir has a toolchain line, the
// build uses exactly that toolchain, because another one gives another digest. Without
// GOTOOLCHAIN, the line is only a minimum, and GOTOOLCHAIN=local ignores it.
func pinnedEnv(dir string) ([]string, error) {
	pinned, err := pinnedToolchain(dir)
	if err != nil || pinned == "" {
		return buildEnv, err
	}
	return append(slices.Clone(buildEnv), "GOTOOLCHAIN="+pinned), nil
}

// pinnedToolchain returns the toolchain line of the go.mod of dir, such as go1.26.8, or "".
func pinnedToolchain(dir string) (string, error) {
	root, err := findAbove(dir, "go.mod")
	if err != nil || root == "" {
		return "", err
	}
	_, mod, err := readModule(root)
	if err != nil || mod.Toolchain == nil {
		return "", err
	}
	return mod.Toolchain.Name, nil
}

// readGoVersion returns the toolchain that builds in dir, such as go1.26.3. The go and
// toolchain lines of the module may select a different toolchain than the one on PATH.
func readGoVersion(ctx context.Context, dir string) (string, error) {
	output, err := runGo(ctx, dir, "env", "GOVERSION")
	return strings.TrimSpace(string(output)), err
}

// runGo runs the go tool and returns the tool's standard output. A returned error includes what
// the tool wrote to the standard error.
func runGo(ctx context.Context, dir string, args ...string) ([]byte, error) {
	env, err := pinnedEnv(dir)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), env...), "GOOS=linux", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("images are built with the go tool, which is not on PATH: install Go: %w", err)
	case err != nil && strings.Contains(stderr.String(), "go: download go"):
		return nil, fmt.Errorf("images are built with the toolchain of go.mod, which is neither installed nor can be downloaded: install it, or set GOPROXY: %s", strings.TrimSpace(stderr.String()))
	case err != nil:
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}
