// Package gomodule reads files of Go modules at pinned versions, such as the
// manifests that a project publishes in its module. Nothing of such a file is copied
// into this repository.
package gomodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// Module is a Go module at one version. Sum is the hash of the module's files in the form of
// go.sum: "h1:...".
type Module struct{ Path, Version, Sum string }

// downloadOutput has the fields of the output of `go mod download -json` that this package reads.
type downloadOutput struct{ Dir, Sum, Error string }

// downloads has a function for each module that this process has read. The function downloads the
// module at its first call, and returns the module's folder at each call.
var downloads sync.Map // Module to func() (string, error)

// Read returns a file of the module, by its path with slashes. The go command
// downloads the module if it is not in the module cache. A module with another hash
// is an error.
func (m Module) Read(file string) ([]byte, error) {
	download, _ := downloads.LoadOrStore(m, sync.OnceValues(m.download))
	dir, err := download.(func() (string, error))()
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		return nil, fmt.Errorf("module %s@%s: %w", m.Path, m.Version, err)
	}
	return content, nil
}

// download downloads the module if the module cache does not have it, and checks the hash. It
// returns the folder of the module in the cache.
func (m Module) download() (string, error) {
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("module %s@%s: %w", m.Path, m.Version, err)
	}
	command := exec.Command("go", "mod", "download", "-json", m.Path+"@"+m.Version) // #nosec G204 -- constants of this repository
	command.Dir = os.TempDir()                                                      // outside of every module
	// Sum replaces the checksum database: a cached module needs no network.
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GO111MODULE=on", "GOSUMDB=off")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, runErr := command.Output()
	var downloaded downloadOutput
	if err := json.Unmarshal(output, &downloaded); err != nil {
		return fail(fmt.Errorf("go mod download: %w: %s", errors.Join(runErr, err), bytes.TrimSpace(stderr.Bytes())))
	}
	switch {
	case downloaded.Error != "":
		return fail(fmt.Errorf("go mod download: %s", downloaded.Error))
	case runErr != nil:
		return fail(fmt.Errorf("go mod download: %w: %s", runErr, bytes.TrimSpace(stderr.Bytes())))
	case downloaded.Sum != m.Sum:
		return fail(fmt.Errorf("its hash is %s, must be %s: the module was changed; check GOPROXY and run go clean -modcache", downloaded.Sum, m.Sum))
	}
	return downloaded.Dir, nil
}
