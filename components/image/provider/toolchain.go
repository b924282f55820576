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
)

// kept are the settings of the go tool that a build takes from the person:
// where modules, caches and toolchains come from. Every other one could change
// the bytes of a binary (GOFLAGS, GOAMD64, GOEXPERIMENT, ...), whether it
// stands in the environment or in the file of `go env -w`.
var kept = []string{
	"GOAUTH", "GOCACHE", "GOCACHEPROG", "GOINSECURE", "GOMODCACHE", "GONOPROXY", "GONOSUMDB", "GOPATH",
	"GOPRIVATE", "GOPROXY", "GOSUMDB", "GOTELEMETRYDIR", "GOTMPDIR", "GOTOOLCHAIN", "GOVCS",
}

// derived are settings that `go env` only reports, and GOROOT, which says
// which go this is.
var derived = []string{"GOROOT", "GOTOOLDIR", "GOVERSION", "GOHOSTOS", "GOHOSTARCH", "GOEXE", "GOMOD", "GOGCCFLAGS"}

// buildEnv is set for every build on top: the lowest instruction set of each
// architecture, and flags that hold whatever else is configured. No record of
// git's state: the same sources in a clean and a dirty checkout are the same.
var buildEnv = []string{
	"GOFLAGS=-buildvcs=false",
	"GOAMD64=v1",
	"GOARM64=v8.0",
}

// Isolate makes this process build as on any other machine: settings of the
// go tool that could change a binary are removed from the environment, and
// ko's cache of linked binaries is put into cache (the user's cache folder
// where empty), apart for each working folder, so that two checkouts never
// write one file. ko reads the process's environment, so this is called once,
// before the first build. The toolchain is the one that the machine has, and
// whether a module may choose another.
func Isolate(ctx context.Context, cache string) (toolchain string, err error) {
	settings, err := goSettings(ctx)
	if err != nil {
		return "", err
	}
	for name, value := range settings {
		switch {
		case slices.Contains(derived, name):
			continue
		case slices.Contains(kept, name) && value != "":
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
	return settings["GOVERSION"] + " " + settings["GOTOOLCHAIN"], errors.Join(
		os.Setenv("GOENV", "off"),
		os.Setenv("KOCACHE", filepath.Join(cache, hex.EncodeToString(sum[:6]))),
		os.Unsetenv("KO_GO_PATH"),
	)
}

// goSettings is `go env` of this process, outside of any module, whose go.mod
// could choose another toolchain.
func goSettings(ctx context.Context) (map[string]string, error) {
	raw, err := goTool(ctx, os.TempDir(), "env", "-json")
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	if err := json.Unmarshal(raw, &settings); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	return settings, nil
}

// goVersion is the toolchain that builds in dir, such as go1.26.3; the
// module's go and toolchain lines may choose another than the one on PATH.
func goVersion(ctx context.Context, dir string) (string, error) {
	raw, err := goTool(ctx, dir, "env", "GOVERSION")
	return strings.TrimSpace(string(raw)), err
}

// goTool runs the go tool and returns its standard output; its standard error
// becomes the error's text.
func goTool(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), buildEnv...), "GOOS=linux", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("images are built with the go tool, which is not on PATH: install Go: %w", err)
	case err != nil:
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}
