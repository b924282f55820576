package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/settings"
)

// preflight looks for what would make `make up` fail after builds of a quarter
// of an hour, and reports all of it at once. It returns the Debian packages
// that are still to be installed. `sandbox up` looks again, at more.
func preflight(w where) ([]debian, error) {
	h, err := settings.Make(w.sandbox, w.project, settings.Wishes{}.Fill(os.Getenv))
	if err != nil {
		return nil, err
	}
	if h.Cluster != home.ClusterLocal {
		return nil, nil
	}
	return absent(slices.Concat(nodePackages, serverPackages)), errors.Join(checkUser(os.Geteuid()), checkPorts(w, h))
}

func checkUser(euid int) error {
	if euid == 0 {
		return nil
	}
	return fmt.Errorf("make up starts containers and their network, which takes root: run it as root (sudo -E make up), "+
		"or use a cluster that you have: make up CLUSTER=%s", home.ClusterExisting)
}

// checkPorts tries every port of a sandbox that has nothing built and so
// nothing running yet: whoever holds one is a stranger.
func checkPorts(w where, h *home.Home) error {
	if isFile(filepath.Join(w.bin(), "sandbox")) {
		return nil
	}
	if err := process.CheckPorts(h.Ports.All()); err != nil {
		return fmt.Errorf("%w\nOther ports: make up SANDBOX_PORTS=registry=5002,apiServer=7443", err)
	}
	return nil
}
