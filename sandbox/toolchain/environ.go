package toolchain

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/home"
)

// Within returns base as a tool of the sandbox h is run with: home.Within, and
// BuildVariables, so that whatever builds the program builds it alike.
func Within(_ context.Context, h *home.Home, base []string) []string {
	build := BuildVariables()
	var kept []string
	for _, kv := range base {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "PATH": // it may come from a shell that is in the sandbox already
			kept = append(kept, "PATH="+without(without(value, h.Bin()), h.ShellBin()))
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
//
// They hide what else a person or a machine has set: another system to build
// for, flags such as -mod, a workspace in a folder above. Git is not asked for
// the state of the checkout, because it refuses one of another user.
func BuildVariables() []string {
	return []string{
		"CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false", "GOWORK=off",
		"GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH,
	}
}

func without(path, dir string) string {
	list := slices.DeleteFunc(filepath.SplitList(path), func(d string) bool { return d == dir })
	return strings.Join(list, string(os.PathListSeparator))
}
