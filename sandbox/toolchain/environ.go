package toolchain

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/home"
)

// Within returns base as a tool of the sandbox h is run with: home.Within, and
// BuildVariables, so that whatever builds the program builds it alike.
func Within(ctx context.Context, h *home.Home, base []string) []string {
	build := BuildVariables(ctx, base)
	var kept []string
	for _, kv := range base {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "PATH": // it may come from a shell that is in the sandbox already
			kept = append(kept, "PATH="+without(value, h.Bin()))
		case lookup(build, name) == "":
			kept = append(kept, kv)
		}
	}
	return append(h.Within(kept), build...)
}

// BuildVariables are the go command's settings for the program, as NAME=VALUE.
// The bootstrap builds with them, and so does the Go language host of Pulumi
// 3.248 and later (https://github.com/pulumi/pulumi/pull/23495 added
// -trimpath); an older host and ours take them from the environment. Without
// them the AWS SDK would be compiled once more for each. cgo is off for the
// same reason: with it, installing gcc changes the key of most packages.
func BuildVariables(ctx context.Context, base []string) []string {
	const trimpath = "-trimpath"
	flags := lookup(base, "GOFLAGS")
	if flags == "" { // the variable would hide a setting of `go env -w`
		cmd := exec.CommandContext(ctx, "go", "env", "GOFLAGS")
		cmd.Env = base
		if out, err := cmd.Output(); err == nil {
			flags = strings.TrimSpace(string(out))
		}
	}
	if !slices.Contains(strings.Fields(flags), trimpath) {
		flags = strings.TrimSpace(flags + " " + trimpath)
	}
	return []string{"CGO_ENABLED=0", "GOFLAGS=" + flags}
}

func without(path, dir string) string {
	list := slices.DeleteFunc(filepath.SplitList(path), func(d string) bool { return d == dir })
	return strings.Join(list, string(os.PathListSeparator))
}
