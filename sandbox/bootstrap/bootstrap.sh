#!/bin/sh
# Builds the executables of the sandbox: it looks for Go, builds the program of
# this folder (in a second; it uses the standard library only) and executes it.
# `go run` would hide its exit code.
#
#   bootstrap.sh build   build
#   bootstrap.sh up      first check for what would make `sandbox up` fail, and
#                        install the Debian packages that it needs
set -eu
# A build depends on nothing that a person's shell, or a folder above, has set.
export GOWORK=off GOFLAGS=-buildvcs=false GOOS= GOARCH= GO111MODULE=on GOFIPS140=off
unset GOEXPERIMENT GOROOT GOAMD64 GOARM64
# Without a home folder, as in some CI jobs, Go has no place for its caches.
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
project=$(cd "$(dirname "$0")/../.." && pwd)
home=${PROGRESSIVE_SANDBOX:-$project/.sandbox}
case $home in /*) ;; *) home=$PWD/$home ;; esac
cd "$project/sandbox"

need="1.$(sed -n 's/^go 1\.\([0-9]*\).*/\1/p' go.mod)"
if ! command -v go >/dev/null; then
	echo "error: no go on PATH: install Go $need or later, https://go.dev/doc/install" >&2
	exit 1
fi
# Go 1.21 and later download the toolchain of go.mod by themselves.
have=$(go env GOVERSION 2>/dev/null || go version | cut -d' ' -f3)
minor=$(echo "$have" | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
if [ -n "$minor" ] && [ "$minor" -lt 21 ]; then
	echo "error: $have is too old: install Go $need or later, https://go.dev/doc/install" >&2
	exit 1
fi

GOOS=$(go env GOHOSTOS) GOARCH=$(go env GOHOSTARCH) CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$home/bin/bootstrap" ./bootstrap || {
	echo "error: the bootstrap could not be built, see above; if go.mod asks for a newer Go: unset GOTOOLCHAIN, or install Go $need" >&2
	exit 1
}
exec "$home/bin/bootstrap" "$project" "$home" "$@"
