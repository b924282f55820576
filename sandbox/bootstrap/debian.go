package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// debian is a Debian package and the file by which it is recognised. Any file
// of the list will do: a person may have the same program from elsewhere.
type debian struct {
	name  string
	files []string
	why   string
}

// sbin completes PATH: a user's PATH often lacks the folders of root.
var sbin = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// nodePackages are what a real node needs and Go cannot build.
var nodePackages = []debian{
	{"containerd", []string{"containerd"}, "runs the pods"},
	{"runc", []string{"runc"}, "starts their containers"},
	{"containernetworking-plugins", []string{"/usr/lib/cni/bridge", "/opt/cni/bin/bridge"}, "gives them addresses"},
	{"iptables", []string{"iptables"}, "routes their services"},
}

// serverPackages are the servers that the sandbox packs into images, since no
// registry with the official ones can be reached, and that tests start.
var serverPackages = []debian{
	{"postgresql-15", []string{"/usr/lib/postgresql/15/bin/postgres"}, "is the platform's database here"},
	{"redis-server", []string{"redis-server"}, "is its cache"},
}

// clientPackages are the clients that tests aim at the services.
var clientPackages = []debian{
	{"chromium", []string{"chromium"}, "opens the front page in a test"},
	{"slowhttptest", []string{"slowhttptest"}, "attacks the services in a test"},
}

// racePackages are what `go test -race` needs.
var racePackages = []debian{
	{"gcc", []string{"gcc", "cc"}, "links the race detector"},
	{"libc6-dev", []string{"/usr/include/stdlib.h"}, "its headers"},
}

// absent returns those of list of which no file is found.
func absent(list []debian) []debian {
	return slices.DeleteFunc(slices.Clone(list), func(d debian) bool {
		return slices.ContainsFunc(d.files, installed)
	})
}

// installed finds an absolute path as it stands and a bare name on PATH.
func installed(file string) bool {
	if filepath.IsAbs(file) {
		return isFile(file)
	}
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), sbin...) {
		if isFile(filepath.Join(dir, file)) {
			return true
		}
	}
	return false
}

// aptError says that packages are missing and could not be installed.
type aptError struct {
	missing []debian
	reason  string
	output  string
}

func (e *aptError) Error() string {
	var names, purposes []string
	for _, d := range e.missing {
		names = append(names, d.name)
		purposes = append(purposes, d.name+" "+d.why)
	}
	text := fmt.Sprintf("Debian packages are missing (%s) and %s.\n"+
		"  Install them as root: apt-get update && apt-get install --no-install-recommends %s",
		strings.Join(purposes, ", "), e.reason, strings.Join(names, " "))
	if slices.ContainsFunc(e.missing, isNodePackage) {
		text += fmt.Sprintf("\n  Or use a cluster that you have, which needs none of them: make up CLUSTER=%s", home.ClusterExisting)
	}
	if e.output != "" {
		text += "\n  apt-get said:\n" + indent(e.output)
	}
	return text
}

func isNodePackage(d debian) bool {
	return slices.ContainsFunc(nodePackages, func(n debian) bool { return n.name == d.name })
}

// install installs the packages by apt-get.
func install(ctx context.Context, log *progress.Log, missing []debian) error {
	if os.Geteuid() != 0 {
		return &aptError{missing: missing, reason: "only root can install them"}
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return &aptError{missing: missing, reason: "this machine has no apt-get"}
	}
	var names []string
	for _, d := range missing {
		names = append(names, d.name)
	}
	return log.Step("installing Debian packages: "+strings.Join(names, " "), func(detail func(string)) error {
		allow, err := forbidStarts(policyFile)
		if err != nil {
			return err
		}
		defer allow()
		for _, args := range [][]string{
			{"update"},
			append([]string{"install", "--yes", "--no-install-recommends"}, names...),
		} {
			detail("apt-get " + args[0])
			if out, err := apt(ctx, detail, args...); err != nil {
				return &aptError{missing: missing, reason: "apt-get " + args[0] + " failed", output: out}
			}
		}
		if still := absent(missing); len(still) > 0 {
			return &aptError{missing: still, reason: "apt-get installed them, yet their files are not where they belong"}
		}
		return nil
	})
}

// apt runs apt-get and returns the lines that tell of a failure.
func apt(ctx context.Context, detail func(string), args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	// Without Error-Mode=any an update that reached no server still ends well.
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{
		"-o", "APT::Update::Error-Mode=any", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=20",
		"-o", "DPkg::Lock::Timeout=120",
	}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	var kept bytes.Buffer
	out := &lines{each: func(line string) {
		if line = strings.TrimSpace(line); line == "" {
			return
		}
		detail("apt-get: " + line)
		if strings.HasPrefix(line, "E:") || strings.HasPrefix(line, "Err:") || strings.HasPrefix(line, "dpkg: error") {
			kept.WriteString(line + "\n")
		}
	}}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	out.flush()
	if ctx.Err() != nil {
		kept.WriteString("no answer within 10 minutes\n")
	}
	return kept.String(), err
}

// policyFile is asked by Debian's packages whether they may start what they
// bring (invoke-rc.d(8)).
const policyFile = "/usr/sbin/policy-rc.d"

// forbidStarts keeps a server that is installed from being started at once: the
// sandbox wants its files. A machine that has a policy of its own keeps it.
func forbidStarts(file string) (allow func(), err error) {
	if isFile(file) {
		return func() {}, nil
	}
	if err := os.WriteFile(file, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		return nil, fmt.Errorf("keep installed servers from starting: %w", err)
	}
	return func() { os.Remove(file) }, nil
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n    ")
}
