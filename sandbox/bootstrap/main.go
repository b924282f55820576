// Command bootstrap does what must be done before there is a `sandbox` command:
// it looks for what would make the sandbox fail after a quarter of an hour of
// builds, has missing Debian packages installed, and builds the executables.
// It imports the standard library and packages of the sandbox that do the same,
// so that it is built in a second on a machine that has only Go.
//
// It does not start, stop or configure anything: that is the sandbox's own
// command.
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

	"github.com/progressive-framework/platform/sandbox/home"
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

// run is main with its world given: 0 done, 1 failed, 2 wrong usage.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	if len(args) != 3 || args[2] != "build" && args[2] != "up" {
		fmt.Fprintln(stderr, "usage: bootstrap.sh build, or bootstrap.sh up")
		return 2
	}
	w := where{
		project: args[0], sandbox: args[1],
		env: append(os.Environ(), toolchain.BuildVariables()...),
	}
	err := build(ctx, w, args[2] == "up", progress.New(stderr, 0))
	if ctx.Err() != nil {
		err = errors.New("interrupted; what was compiled is kept, the next run goes on from there")
	}
	switch {
	case err == nil:
		return 0
	case !errors.Is(err, errReported):
		fmt.Fprintln(stderr, "error:", err)
	}
	return 1
}

// where is what the bootstrap works on, in absolute paths.
type where struct {
	// project is the folder that holds go.mod and sandbox/.
	project string
	// sandbox is the sandbox's folder, which may not exist yet.
	sandbox string
	// env is the environment of every build.
	env []string
}

func (w where) bin() string  { return filepath.Join(w.sandbox, "bin") }
func (w where) logs() string { return filepath.Join(w.sandbox, "logs") }

// build brings the executables up to date, and for `make up` what the machine
// must have besides.
func build(ctx context.Context, w where, up bool, log *progress.Log) error {
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
	if cold { // the builds are long, and each wants the whole machine
		for _, b := range builds {
			if err := b.run(ctx, w, log); err != nil {
				return err
			}
		}
		return nil
	}
	// Mostly there is little to do: then the go commands wait for the disk more
	// than for the processor, and side by side they take half the time.
	errs := make([]error, len(builds))
	var all sync.WaitGroup
	for i, b := range builds {
		all.Go(func() { errs[i] = b.run(ctx, w, log) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// prepareMachine reports at once all that would make `sandbox up` fail, and
// installs what a cluster of our own needs. `sandbox up` looks again, at more.
func prepareMachine(ctx context.Context, w where) error {
	h, err := settings.Ensure(w.sandbox, w.project, settings.Options{}.WithEnv(os.Getenv))
	if err != nil {
		return err
	}
	if h.Cluster != home.ClusterLocal {
		return nil
	}
	// Where nothing is built nothing runs: whoever holds a port is not ours.
	var ports []home.NamedPort
	if !isFile(filepath.Join(w.bin(), "sandbox")) {
		ports = h.Ports.All()
	}
	if err := preflight.Check(h, ports); err != nil {
		return err
	}
	script := exec.CommandContext(ctx, filepath.Join(w.project, "sandbox/bootstrap/packages.sh"), "node", "servers")
	script.Stderr = os.Stderr
	script.Cancel = func() error { return script.Process.Signal(syscall.SIGTERM) } // it removes what it put
	if err := script.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return errReported
		}
		return fmt.Errorf("Debian packages: %w", err)
	}
	return nil
}

// What a cold `make up` takes, on linux/amd64 with Go 1.26: 2.7 GB of modules
// (with their archives), 10.3 GB of compiled packages (5,666, of which the
// Kubernetes provider has 1,019 with 3.8 GB for itself), the linker's work
// folder, and 1.1 GB of executables, images, logs and the cluster's data.
// Rounded up, for the next version of everything.
const (
	coldModules = 3 << 30
	coldCache   = 11 << 30
	coldWork    = 1 << 30
	coldSandbox = 2 << 30
)

// checkSpace refuses a cold build for which a disk has not the room: a build
// that dies half an hour later tells less and costs more.
func checkSpace(ctx context.Context, w where) error {
	dirs := goFolders(ctx, w)
	if len(dirs) != 2 {
		return errors.New("go env GOMODCACHE GOCACHE does not answer: is Go installed, and newer than 1.21?")
	}
	return preflight.Space([]preflight.Need{
		{Dir: dirs[0], What: "Go modules", Bytes: missing(coldModules, dirs[0])},
		{Dir: dirs[1], What: "compiled packages", Bytes: missing(coldCache, dirs[1])},
		{Dir: os.TempDir(), What: "the linker", Bytes: coldWork},
		{Dir: w.sandbox, What: "the sandbox", Bytes: missing(coldSandbox, w.sandbox)},
	})
}

// goFolders are the module cache and the build cache.
func goFolders(ctx context.Context, w where) []string {
	raw, err := w.goCommand(ctx, ".", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(raw)), "\n")
}

// missing is what dir will still grow by until it holds total bytes.
func missing(total uint64, dir string) uint64 {
	var used uint64
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what cannot be read does not count
		}
		if info, err := d.Info(); err == nil {
			used += uint64(info.Size())
		}
		return nil
	})
	return total - min(total, used)
}

// isCold says that something was never built, so that the builds are long and
// each wants the whole machine.
func isCold(builds []executable) bool {
	return slices.ContainsFunc(builds, func(b executable) bool { return !isFile(b.out) })
}

func prepareFolders(w where) error {
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
