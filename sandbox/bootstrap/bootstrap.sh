#!/bin/sh
# Builds the executables of the sandbox. This script looks for Go, builds the program of
# this folder and executes it. That build takes a second, because the program uses the
# standard library only. `go run` would hide the exit code of the program.
#
#   bootstrap.sh build    build the executables
#   bootstrap.sh up       check the machine for problems that would make `sandbox up`
#                         fail, install the Debian packages that it needs, and build
#                         what it needs
#   bootstrap.sh missing  build the executables that the first `bootstrap.sh up` left out
set -eu
# Variables of the user's shell, and a go.work in a folder above, must not change a build.
export GOWORK=off GOFLAGS=-buildvcs=false GOOS= GOARCH= GO111MODULE=on GOFIPS140=off
unset GOEXPERIMENT GOROOT GOAMD64 GOARM64
# Without a home folder, as in some CI jobs, Go has no place for its caches.
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
project=$(cd "$(dirname "$0")/../.." && pwd)
home=${PROGRESSIVE_SANDBOX:-$project/.sandbox}
case $home in /*) ;; *) home=$PWD/$home ;; esac
cd "$project/sandbox"

required="1.$(sed -n 's/^go 1\.\([0-9]*\).*/\1/p' go.mod)"
if ! command -v go >/dev/null; then
	echo "error: no go on PATH: install Go $required or later, https://go.dev/doc/install" >&2
	exit 1
fi
# Go 1.21 and later download the toolchain of go.mod by themselves.
installed=$(go env GOVERSION 2>/dev/null || go version | cut -d' ' -f3)
minor=$(echo "$installed" | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
if [ -n "$minor" ] && [ "$minor" -lt 21 ]; then
	echo "error: $installed is too old: install Go $required or later, https://go.dev/doc/install" >&2
	exit 1
fi

GOOS=$(go env GOHOSTOS) GOARCH=$(go env GOHOSTARCH) CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$home/bin/bootstrap" ./bootstrap || {
	echo "error: the bootstrap could not be built, see above; if go.mod requires a newer Go: unset GOTOOLCHAIN, or install Go $required" >&2
	exit 1
}
exec "$home/bin/bootstrap" "$project" "$home" "$@"
