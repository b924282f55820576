package toolchain

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// SandboxEnv returns the environment base with the changes of Layout.ExtendEnv and with
// BuildVariables. So every tool builds the program with the same settings.
func SandboxEnv(l *layout.Layout, base []string) []string {
	buildVariables := BuildVariables()
	var env []string
	for _, variable := range base {
		name, value, _ := strings.Cut(variable, "=")
		isBuildVariable := slices.ContainsFunc(buildVariables, func(set string) bool { return strings.HasPrefix(set, name+"=") })
		switch {
		case name == "PATH": // in a shell of make env it contains the sandbox's folders
			env = append(env, "PATH="+removeFromPath(removeFromPath(value, l.Bin()), l.ShellBin()))
		case !isBuildVariable:
			env = append(env, variable)
		}
	}
	return append(l.ExtendEnv(env), buildVariables...)
}

// BuildVariables returns the environment variables for the go command in builds of the program,
// as NAME=VALUE. The bootstrap and the Go language host must build with equal settings.
// Otherwise the go command compiles the AWS SDK once for each of them. Since Pulumi 3.248 the
// real host uses these settings by itself (https://github.com/pulumi/pulumi/pull/23495 added
// -trimpath). An older host and the stand-in read the settings from the environment.
//
// The user's shell may set another target system, flags such as -mod, a workspace in a
// folder above, or the folder of an older Go. These variables replace such settings.
// Without GOROOT the go command finds its own folder. cgo is off, because with cgo an
// installed gcc changes the cache key of most packages. -buildvcs is off, because git
// refuses a checkout that belongs to another user.
func BuildVariables() []string {
	return []string{
		"CGO_ENABLED=0", "GOFLAGS=-trimpath -buildvcs=false", "GOWORK=off",
		"GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH, "GOAMD64=v1", "GOARM64=v8.0",
		"GO111MODULE=on", "GOEXPERIMENT=", "GOFIPS140=off", "GOROOT=",
	}
}

// removeFromPath returns a PATH without the folder dir.
func removeFromPath(path, dir string) string {
	folders := slices.DeleteFunc(filepath.SplitList(path), func(d string) bool { return d == dir })
	return strings.Join(folders, string(os.PathListSeparator))
}
