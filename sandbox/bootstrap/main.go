// Command bootstrap prepares the machine and builds the `sandbox` command. First it
// checks for problems that would make the sandbox fail after long builds. Then it
// installs missing Debian packages and builds the executables. It and the packages
// of the sandbox that it imports use only the standard library, so that it is built
// in a second on a machine that has only Go.
//
// It starts, stops and configures nothing: the `sandbox` command does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/preflight"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/settings"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

// errReported is a failure that a script has reported already.
var errReported = errors.New("reported")

// run is main with its inputs as parameters. Exit codes: 0 done, 1 failed, 2
// wrong usage.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	if len(args) != 3 || args[2] != "build" && args[2] != "up" {
		fmt.Fprintln(stderr, "usage: bootstrap.sh build, or bootstrap.sh up")
		return 2
	}
	w := workspace{
		project: args[0], sandbox: args[1],
		env: append(os.Environ(), toolchain.BuildVariables()...),
	}
	err := build(ctx, w, args[2] == "up", progress.New(stderr, 0))
	if ctx.Err() != nil {
		err = errors.New("interrupted; compiled packages are kept, the next run continues from there")
	}
	switch {
	case err == nil:
		return 0
	case !errors.Is(err, errReported):
		fmt.Fprintln(stderr, "error:", err)
	}
	return 1
}

// workspace holds the folders that the bootstrap works on, as absolute paths.
type workspace struct {
	// project is the folder that holds go.mod and sandbox/.
	project string
	// sandbox is the sandbox's folder, which may not exist yet.
	sandbox string
	// env is the environment of every build.
	env []string
}

func (w workspace) bin() string  { return filepath.Join(w.sandbox, "bin") }
func (w workspace) logs() string { return filepath.Join(w.sandbox, "logs") }

// build brings the executables up to date. For `make up` it also checks the
// machine and installs packages.
func build(ctx context.Context, w workspace, up bool, log *progress.Log) error {
	release, err := lock.Take(w.sandbox, "make (building)")
	if err != nil {
		return err
	}
	defer release()
	if up {
		if err := prepareMachine(ctx, w); err != nil {
			return err
		}
	}
	builds, err := executables(ctx, w)
	if err != nil {
		return err
	}
	path, _, note := toolchain.InstalledPulumi(ctx, os.Environ(), w.bin())
	if note != "" {
		log.Say("%s: not used", note)
	}
	if path == "" {
		cli, err := pulumi(w)
		if err != nil {
			return err
		}
		builds = append(builds, cli)
	}
	log.Expect(len(builds))
	cold := isCold(builds)
	if cold {
		if err := checkSpace(ctx, w); err != nil {
			return err
		}
	}
	if err := prepareFolders(w); err != nil {
		return err
	}
	if cold { // each build is long and uses all cores
		for _, b := range builds {
			if err := b.run(ctx, w, log); err != nil {
				return err
			}
		}
		return nil
	}
	// With little to build, the go commands wait for the disk more than for the
	// processor. In parallel they take half the time.
	errs := make([]error, len(builds))
	var all sync.WaitGroup
	for i, b := range builds {
		all.Go(func() { errs[i] = b.run(ctx, w, log) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// prepareMachine reports at once everything that would make `sandbox up` fail,
// and installs the packages that a local cluster needs. `sandbox up` checks
// again, and more.
func prepareMachine(ctx context.Context, w workspace) error {
	h, err := settings.Ensure(w.sandbox, w.project, settings.Options{}.WithEnv(os.Getenv))
	if err != nil {
		return err
	}
	if h.Cluster != layout.ClusterLocal {
		return nil
	}
	// Before the first build no sandbox runs, so another program holds the port.
	var ports []layout.NamedPort
	if !isFile(filepath.Join(w.bin(), "sandbox")) {
		ports = h.Ports.All()
	}
	if err := preflight.Check(h, ports); err != nil {
		return err
	}
	script := exec.CommandContext(ctx, filepath.Join(w.project, "sandbox/bootstrap/packages.sh"), "node", "servers")
	script.Stderr = os.Stderr
	script.Cancel = func() error { return script.Process.Signal(syscall.SIGTERM) } // its trap removes policy-rc.d
	if err := script.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return errReported
		}
		return fmt.Errorf("Debian packages: %w", err)
	}
	return nil
}

// The disk space of a cold `make up` in bytes, measured on linux/amd64 with Go
// 1.26 and rounded up for later versions: 5.4 GB of modules with their archives,
// 14.1 GB of compiled packages (3.8 GB of them for the Kubernetes provider, and as
// much for Prometheus and KEDA), the linker's temporary folder, and 1.3 GB of
// executables, images, logs and the cluster's data.
const (
	coldModules = 6 << 30
	coldCache   = 15 << 30
	coldWork    = 1 << 30
	coldSandbox = 2 << 30
)

// checkSpace refuses a cold build if a disk is too small for it, because the
// build would otherwise fail half an hour later.
func checkSpace(ctx context.Context, w workspace) error {
	dirs := goFolders(ctx, w)
	if len(dirs) != 2 {
		return errors.New("go env GOMODCACHE GOCACHE prints no paths: is Go installed, and 1.21 or newer?")
	}
	return preflight.CheckSpace(spaceNeeds(w, dirs[0], dirs[1]))
}

// spaceNeeds returns the disk space that a cold build needs in each folder. The content
// of a folder counts as a part of that space.
func spaceNeeds(w workspace, modules, packages string) []preflight.Need {
	return []preflight.Need{
		{Dir: modules, What: "Go modules", Bytes: missingBytes(coldModules, modules)},
		{Dir: packages, What: "compiled packages", Bytes: missingBytes(coldCache, packages)},
		{Dir: os.TempDir(), What: "the linker", Bytes: coldWork},
		{Dir: w.sandbox, What: "the sandbox", Bytes: missingBytes(coldSandbox, w.sandbox)},
	}
}

// goFolders returns the module cache and the build cache, or nil if the go
// command fails.
func goFolders(ctx context.Context, w workspace) []string {
	raw, err := w.goCommand(ctx, ".", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(raw)), "\n")
}

// missingBytes returns the number of bytes that dir lacks to hold total bytes.
func missingBytes(total uint64, dir string) uint64 {
	var used uint64
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // a file that cannot be read does not count
		}
		if info, err := d.Info(); err == nil {
			used += uint64(info.Size())
		}
		return nil
	})
	return total - min(total, used)
}

// isCold says whether one of the executables was never built.
func isCold(builds []executable) bool {
	return slices.ContainsFunc(builds, func(b executable) bool { return !isFile(b.out) })
}

func prepareFolders(w workspace) error {
	for _, dir := range []string{w.bin(), w.logs(), filepath.Join(w.project, "bin")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("folder for the executables: %w", err)
		}
	}
	return nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
