package toolchain

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// Within returns base with the variables for the sandbox's tools: the variables of
// layout.Within, and BuildVariables, so that every tool builds the program with the
// same settings.
func Within(l *layout.Layout, base []string) []string {
	build := BuildVariables()
	var kept []string
	for _, kv := range base {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "PATH": // in a shell of make env it contains the sandbox's folders
			kept = append(kept, "PATH="+without(without(value, l.Bin()), l.ShellBin()))
		case !slices.ContainsFunc(build, func(set string) bool { return strings.HasPrefix(set, name+"=") }):
			kept = append(kept, kv)
		}
	}
	return append(l.Within(kept), build...)
}

// BuildVariables returns the go command's settings for the program, as
// NAME=VALUE. The bootstrap uses them. The Go language host has the same settings
// since Pulumi 3.248 (https://github.com/pulumi/pulumi/pull/23495 added -trimpath).
// An older host and our stand-in read them from the environment. With different
// settings, the AWS SDK would be compiled once for each. cgo is off for the same
// reason: with cgo, an installed gcc changes the cache key of most packages.
//
// The settings replace those of the shell or the machine: another system to build
// for, flags such as -mod, a workspace in a folder above, the folder of an older Go
// (without GOROOT the go command finds its own). -buildvcs is off, because
// git refuses a checkout of another user.
func BuildVariables() []string {
	return []string{
		"CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false", "GOWORK=off",
		"GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH, "GOAMD64=v1", "GOARM64=v8.0",
		"GO111MODULE=on", "GOEXPERIMENT=", "GOFIPS140=off", "GOROOT=",
	}
}

// without removes dir from a PATH.
func without(path, dir string) string {
	list := slices.DeleteFunc(filepath.SplitList(path), func(d string) bool { return d == dir })
	return strings.Join(list, string(os.PathListSeparator))
}
