// Command bootstrap prepares the machine and builds the `sandbox` command. First it
// checks for problems that would make the sandbox fail after long builds. Then it
// installs missing Debian packages and builds the executables.
//
// The command and the packages that it imports use only the standard library. So it is built
// in a second on a machine that has only Go. It starts, stops and configures no process of the
// sandbox: the `sandbox` command does that.
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

// errReported means that a script has failed and has already printed its own message.
var errReported = errors.New("reported")

// command is what the bootstrap does: the argument of bootstrap.sh.
type command string

const (
	// buildAll builds all executables.
	buildAll command = "build"
	// prepareUp checks the machine, installs packages, and builds what `sandbox up` needs.
	prepareUp command = "up"
	// buildMissing builds the executables that prepareUp has left out.
	buildMissing command = "missing"
)

// run builds the executables and prints the error. args are the project's folder, the sandbox's
// folder, and the command. run returns the exit code: 0 for success, 1 for a failure and 2 for
// wrong arguments.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	if len(args) != 3 || !slices.Contains([]command{buildAll, prepareUp, buildMissing}, command(args[2])) {
		fmt.Fprintf(stderr, "usage: bootstrap.sh %s, %s or %s\n", buildAll, prepareUp, buildMissing)
		return 2
	}
	w := workspace{
		project: args[0], sandbox: args[1],
		env: append(os.Environ(), toolchain.BuildVariables()...),
	}
	err := build(ctx, w, command(args[2]), progress.New(stderr, 0))
	if ctx.Err() != nil {
		err = errors.New("interrupted; the compiled packages are kept, and the next run continues from there")
	}
	switch {
	case err == nil:
		return 0
	case !errors.Is(err, errReported):
		fmt.Fprintln(stderr, "error:", err)
	}
	return 1
}

// workspace has the folders that the bootstrap works on, as absolute paths, and the environment
// of its builds.
type workspace struct {
	// project is the folder that contains go.mod and sandbox/.
	project string
	// sandbox is the sandbox's folder, which may not exist yet.
	sandbox string
	// env is the environment of every build.
	env []string
}

func (w workspace) bin() string  { return filepath.Join(w.sandbox, "bin") }
func (w workspace) logs() string { return filepath.Join(w.sandbox, "logs") }

// build brings the executables of a command up to date.
func build(ctx context.Context, w workspace, c command, log *progress.Log) error {
	release, err := lock.Take(w.sandbox, "make (building)")
	if err != nil {
		return err
	}
	defer release()
	if c == prepareUp {
		if err := prepareMachine(ctx, w); err != nil {
			return err
		}
	}
	builds, err := listExecutables(ctx, w)
	if err != nil {
		return err
	}
	path, _, note := toolchain.InstalledPulumi(ctx, os.Environ(), w.bin())
	if note != "" {
		log.Say("%s: not used", note)
	}
	if path == "" {
		cli, err := pulumiCLI(w)
		if err != nil {
			return err
		}
		builds = append(builds, cli)
	}
	builds = slices.DeleteFunc(builds, func(b executable) bool { return !b.isNeededBy(c) })
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
	if cold { // one build after the other, because each build is long and uses all cores
		for _, b := range builds {
			if err := b.build(ctx, w, log); err != nil {
				return err
			}
		}
		return nil
	}
	// The executables exist, so little is compiled. The go commands then wait for the disk
	// most of the time, and in parallel they take half the time.
	errs := make([]error, len(builds))
	var all sync.WaitGroup
	for i, b := range builds {
		all.Go(func() { errs[i] = b.build(ctx, w, log) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// prepareMachine checks for problems that would make `sandbox up` fail, and returns an error
// that lists all of them. If there is no problem, it installs the packages that a local cluster
// needs. `sandbox up` repeats these checks and makes more checks.
func prepareMachine(ctx context.Context, w workspace) error {
	l, err := settings.Ensure(w.sandbox, w.project, settings.Options{}.WithEnv(os.Getenv))
	if err != nil {
		return err
	}
	if l.Cluster != layout.ClusterLocal {
		return nil
	}
	// Before the first build this sandbox can't run, so a port in use belongs to another
	// program. After the first build, the port may belong to this sandbox, and only `sandbox up`
	// checks the ports.
	var ports []layout.NamedPort
	if !isFile(filepath.Join(w.bin(), "sandbox")) {
		ports = l.Ports.All()
	}
	if err := preflight.Check(l, ports); err != nil {
		return err
	}
	script := exec.CommandContext(ctx, filepath.Join(w.project, "sandbox/bootstrap/packages.sh"), "node", "servers")
	script.Stderr = os.Stderr
	script.Cancel = func() error { return script.Process.Signal(syscall.SIGTERM) } // the script's trap removes policy-rc.d
	if err := script.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return errReported
		}
		return fmt.Errorf("Debian packages: %w", err)
	}
	return nil
}

// The disk space of a `make up` with empty caches, in bytes. The values were measured on
// linux/amd64 with Go 1.26 and are rounded up for later versions.
const (
	allModulesSpace  = 6 << 30  // 5.4 GB: modules with their archives
	allPackagesSpace = 15 << 30 // 14.1 GB: compiled packages
	linkerSpace      = 1 << 30  // the linker's temporary folder
	newSandboxSpace  = 2 << 30  // 1.3 GB: executables, images, logs and the cluster's data
)

// checkSpace returns an error if a disk does not have the free space that the build needs. Without
// this check the build would fail half an hour later.
func checkSpace(ctx context.Context, w workspace) error {
	dirs := goCacheFolders(ctx, w)
	if len(dirs) != 2 {
		return errors.New("go env GOMODCACHE GOCACHE prints no paths: is Go installed, and 1.21 or newer?")
	}
	return preflight.CheckSpace(spaceNeeds(w, dirs[0], dirs[1]))
}

// spaceNeeds returns the free disk space that the build needs in each folder. That is the
// space of a build with empty caches, minus the size of the folder's current content.
func spaceNeeds(w workspace, modules, packages string) []preflight.Need {
	return []preflight.Need{
		{Dir: modules, What: "Go modules", Bytes: missingBytes(allModulesSpace, modules)},
		{Dir: packages, What: "compiled packages", Bytes: missingBytes(allPackagesSpace, packages)},
		{Dir: os.TempDir(), What: "the linker", Bytes: linkerSpace},
		{Dir: w.sandbox, What: "the sandbox", Bytes: missingBytes(newSandboxSpace, w.sandbox)},
	}
}

// goCacheFolders returns the folders of the module cache and of the build cache, or nil if the go
// command fails.
func goCacheFolders(ctx context.Context, w workspace) []string {
	raw, err := w.goCommand(ctx, ".", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(raw)), "\n")
}

// missingBytes returns total minus the size of the files in dir, or 0 if the files are larger
// than total.
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

// isCold reports whether one of the executables does not exist. Then a build takes long.
func isCold(builds []executable) bool {
	return slices.ContainsFunc(builds, func(b executable) bool { return !isFile(b.out) })
}

// prepareFolders creates the folders for the executables and the logs.
func prepareFolders(w workspace) error {
	for _, dir := range []string{w.bin(), w.logs(), filepath.Join(w.project, "bin")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("create folder %s: %w", dir, err)
		}
	}
	return nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
