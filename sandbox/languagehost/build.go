package languagehost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// buildTimeout is how long one `go build` may take. To compile the AWS SDK takes about five
// minutes on two idle cores.
const buildTimeout = 30 * time.Minute

// killDelay is how long a program or compiler may run after SIGINT before it is
// killed.
const killDelay = 5 * time.Second

// ensureExecutable returns the path of the program's executable. It builds the executable
// unless the options name a prebuilt one. cleanup removes temporary files.
func (h *host) ensureExecutable(ctx context.Context, dir string, opts options) (path string, cleanup func(), err error) {
	noCleanup := func() {}
	switch {
	case opts.Binary != "":
		path, err := findExecutable(dir, opts.Binary)
		return path, noCleanup, err
	case opts.BuildTarget != "":
		target := opts.BuildTarget
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		return target, noCleanup, h.build(ctx, dir, target)
	default:
		temp, err := os.MkdirTemp("", "pulumi-go-")
		if err != nil {
			return "", noCleanup, fmt.Errorf("create a folder for the program's executable: %w", err)
		}
		remove := func() { _ = os.RemoveAll(temp) }
		target := filepath.Join(temp, "program")
		if err := h.build(ctx, dir, target); err != nil {
			remove()
			return "", noCleanup, err
		}
		return target, remove, nil
	}
}

// findExecutable looks for a prebuilt executable in the program's folder, then on PATH.
func findExecutable(dir, name string) (string, error) {
	localPath := name
	if !filepath.IsAbs(localPath) {
		localPath = filepath.Join(dir, name)
	}
	if path, err := exec.LookPath(localPath); err == nil {
		return path, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("runtime.options.binary: no executable %q in %s nor on PATH; build it first, or use runtime.options.buildTarget", name, dir)
	}
	return path, nil
}

// build runs `go build -o target` without other flags in dir, as the real host does. With other
// flags, the go command would compile every package a second time.
//
// `go build` also runs if the target exists, because only the go command knows all
// dependencies of a build. If the target is up to date, the command takes about 0.4 s
// for a program of 100 MB with the AWS and Kubernetes SDKs.
func (h *host) build(ctx context.Context, dir, target string) error {
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(sources) == 0 {
		return fmt.Errorf("no Go files in the program's folder %s: check `main` in Pulumi.yaml", dir)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, buildTimeout, fmt.Errorf("it took longer than %s", buildTimeout))
	defer cancel()
	cmd := newCommand(ctx, dir, "go", "build", "-o", target)
	cmd.Stdout, cmd.Stderr = h.stdout, h.stderr
	if err := cmd.Run(); err != nil {
		switch cause := context.Cause(ctx); {
		case cause != nil:
			err = cause
		case errors.Is(err, exec.ErrNotFound):
			return fmt.Errorf("building the program in %s: no `go` on PATH; install Go from https://go.dev/dl, or set runtime.options.binary to a prebuilt executable: %w", dir, err)
		}
		return fmt.Errorf("building the program: `go build -o %s` in %s failed; see the compiler's messages: %w", target, dir, err)
	}
	if info, err := os.Stat(target); err != nil || info.Mode()&0o111 == 0 {
		return fmt.Errorf("building the program: %s in %s is not a program; is it a main package?", target, dir)
	}
	return nil
}

// newCommand returns a command that gets a SIGINT when ctx ends, and a SIGKILL after
// killDelay.
func newCommand(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = killDelay
	return cmd
}
