// Command bootstrap does what must be done before anything of the sandbox is
// built: it installs the Debian packages that are missing, builds the
// executables that `make up` needs, and runs the checks of `make test`. It
// imports the standard library and packages of the sandbox that do the same,
// so that `go run` starts it in a second on a machine that has only Go.
//
// It does not start, stop or configure anything: that is the sandbox's own
// command.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/toolchain"
)

const usage = `usage: bootstrap [-up] VERB

  build   build the executables; with -up look first for what would make the
          sandbox fail later, and install the Debian packages that are missing
  test    vet, unit tests and engine tests; build first
  lint    golangci-lint over every module, at the version that tools/ pins

Environment: PROGRESSIVE_SANDBOX (the folder of the sandbox, .sandbox in the
project); with -up CLUSTER, KUBECONFIG, REGISTRY, SANDBOX_PORTS as for make up.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its world given: 0 done, 1 failed, 2 wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bootstrap", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	up := flags.Bool("up", false, "")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	place, err := locate(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "error:", err)
		return 1
	}
	log := progress.New(stderr, 0)
	switch flags.Arg(0) {
	case "build":
		err = build(ctx, place, *up, log)
	case "test":
		err = test(ctx, place, log, stdout)
	case "lint":
		err = lint(ctx, place, log, stdout)
	default:
		flags.Usage()
		return 2
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted; what was compiled is kept, the next run goes on from there")
	}
	if err != nil {
		fmt.Fprintln(stderr, "error:", err)
		return 1
	}
	return 0
}

// where is what the bootstrap works on.
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

// locate finds the project above the working directory: `go -C sandbox run`
// starts us in sandbox/.
func locate(ctx context.Context) (where, error) {
	dir, err := os.Getwd()
	if err != nil {
		return where{}, err
	}
	for !isFile(filepath.Join(dir, "sandbox", "go.mod")) {
		if dir == filepath.Dir(dir) {
			return where{}, errors.New("no project here: run make in the folder that holds sandbox/")
		}
		dir = filepath.Dir(dir)
	}
	w := where{
		project: dir, sandbox: filepath.Join(dir, ".sandbox"),
		env: append(os.Environ(), toolchain.BuildVariables(ctx, os.Environ())...),
	}
	if other := os.Getenv(home.Variable); other != "" {
		if w.sandbox, err = filepath.Abs(other); err != nil {
			return where{}, fmt.Errorf("%s=%q: %w", home.Variable, other, err)
		}
	}
	return w, nil
}

// build brings the executables up to date, and for `make up` what the machine
// must have besides.
func build(ctx context.Context, w where, up bool, log *progress.Log) error {
	release, err := lock.Take(w.sandbox, "make (building)")
	if err != nil {
		return err
	}
	defer release()
	var missing []debian
	if up {
		if missing, err = preflight(w); err != nil {
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
	if len(missing) > 0 {
		log.Expect(1)
		if err := install(ctx, log, missing); err != nil {
			return err
		}
	}
	if err := roomFor(ctx, w, builds); err != nil {
		return err
	}
	if err := prepareFolders(w); err != nil {
		return err
	}
	if isCold(builds) {
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
