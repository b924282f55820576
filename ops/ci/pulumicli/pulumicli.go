// Package pulumicli runs the commands of Pulumi that pf ci needs: preview, update,
// refresh and export. It owns their flags, limits and errors. It changes neither the
// selected stack nor the configuration.
package pulumicli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// maxOutput limits the output of a command in bytes. The preview of prod, with 450 resources,
	// has 2.7 million.
	maxOutput = 256 << 20
	// stopGrace is how long Pulumi may take after an interrupt to save its state.
	stopGrace = 2 * time.Minute
)

// PackVariable is Pulumi's environment variable for the path of the policy pack.
const PackVariable = "PULUMI_OPTION_POLICY_PACK"

// reportVariable is the environment variable for the file into which the policy pack writes its
// report.
const reportVariable = "POLICY_REPORT"

// CLI runs Pulumi on one stack.
type CLI struct {
	// Stack is the stack's name. Dir is the folder of Pulumi.yaml, empty for the current folder.
	Stack, Dir string
	// Pack is the absolute path of the policy pack.
	Pack string
	// Sandbox is the path of the sandbox's executable. If it is set, Pulumi runs in the sandbox,
	// against the sandbox's stand-in for AWS. The stack's state is empty there.
	Sandbox string
	// Timeout limits each command; zero means 30 minutes.
	Timeout time.Duration
	// Progress receives a line for each operation of an update. It may be nil.
	Progress io.Writer
}

// Error is the failure of a Pulumi command.
type Error struct {
	// Command is the command, such as pulumi preview.
	Command string
	// Code is the exit code of the command. It is -1 if the command did not start or was stopped.
	Code int
	// Message is the output of Pulumi that explains the failure.
	Message string
	Err     error
}

func (e *Error) Error() string {
	switch {
	case errors.Is(e.Err, exec.ErrNotFound):
		return fmt.Sprintf(`%s: %v: install Pulumi, or run eval "$(make env)" for the sandbox`, e.Command, e.Err)
	case e.Message != "":
		return fmt.Sprintf("%s: %s", e.Command, e.Message)
	}
	return fmt.Sprintf("%s: %v", e.Command, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Preview runs a preview with the policy pack. The policy pack writes its findings to the file
// report. Pulumi fails both for a violation and for an error of the program. The output shows which
// of the two it was, so Preview returns the output together with the error. The output includes
// unchanged resources, because cost and images depend on all resources.
func (c *CLI) Preview(ctx context.Context, report string) ([]byte, error) {
	return c.run(ctx, "pulumi preview", []string{reportVariable + "=" + report}, "preview", "--json", "--show-sames")
}

// Refresh compares the state with the existing resources, and changes neither the state nor a
// resource.
func (c *CLI) Refresh(ctx context.Context) ([]byte, error) {
	return c.run(ctx, "pulumi refresh --preview-only", nil, "refresh", "--preview-only", "--json")
}

// emptyState is the export of a stack without resources.
const emptyState = `{"version":3,"deployment":{"resources":[]}}`

// Export returns the stack's state, with encrypted secrets. With Sandbox it returns an empty state.
func (c *CLI) Export(ctx context.Context) ([]byte, error) {
	if c.Sandbox != "" {
		return []byte(emptyState), nil
	}
	return c.run(ctx, "pulumi stack export", nil, "stack", "export")
}

// ReadFiles returns the contents of Pulumi.yaml and Pulumi.STACK.yaml.
func (c *CLI) ReadFiles() (project, stack []byte, err error) {
	if project, err = os.ReadFile(filepath.Join(c.Dir, "Pulumi.yaml")); err != nil {
		return nil, nil, fmt.Errorf("the project: %w: run pf in its folder, or set --cwd", err)
	}
	if stack, err = os.ReadFile(filepath.Join(c.Dir, "Pulumi."+c.Stack+".yaml")); err != nil {
		return nil, nil, fmt.Errorf("the stack's configuration: %w", err)
	}
	return project, stack, nil
}

// run runs a Pulumi command and returns its standard output, also if the command fails. name is
// the command in error messages.
func (c *CLI) run(ctx context.Context, name string, env []string, args ...string) ([]byte, error) {
	ctx, cancel := c.withTimeout(ctx)
	defer cancel()
	cmd := c.newCommand(ctx, env, args...)
	out, messages := &limitedBuffer{max: maxOutput}, &limitedBuffer{max: 1 << 20}
	cmd.Stdout, cmd.Stderr = out, messages
	err := cmd.Run()
	if out.truncated {
		return nil, fmt.Errorf("%s printed more than %d bytes", name, maxOutput)
	}
	return out.Bytes(), commandError(ctx, name, err, messages.String())
}

// withTimeout returns a context that ends after Timeout.
func (c *CLI) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 30 * time.Minute
	}
	return context.WithTimeout(ctx, timeout)
}

// newCommand returns a command that runs Pulumi, in the sandbox if Sandbox is set. When ctx ends,
// Pulumi gets an interrupt, so that it saves its state.
func (c *CLI) newCommand(ctx context.Context, env []string, args ...string) *exec.Cmd {
	name, args := "pulumi", append(args, "--non-interactive", "--color=never")
	if c.Sandbox != "" {
		name, args = c.Sandbox, append([]string{args[0], "--stack", c.Stack, "--"}, args[1:]...)
	} else {
		args = append(args, "--stack", c.Stack)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = c.Dir
	cmd.Env = append(os.Environ(), "PULUMI_SKIP_UPDATE_CHECK=1")
	if c.Pack != "" {
		env = append(env, PackVariable+"="+c.Pack)
	}
	cmd.Env = append(cmd.Env, env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = stopGrace
	return cmd
}

// commandError returns the Error of a finished command, or nil if err is nil. messages is the
// output that explains the failure.
func commandError(ctx context.Context, name string, err error, messages string) error {
	if err == nil {
		return nil
	}
	e := &Error{Command: name, Code: -1, Message: strings.TrimSpace(messages), Err: err}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		e.Code = exit.ExitCode()
	}
	if ctx.Err() != nil {
		e.Code, e.Message, e.Err = -1, "", ctx.Err()
	}
	return e
}

// limitedBuffer is a buffer that keeps only the first max bytes. It accepts further bytes without
// an error, so that the command that writes to it does not fail.
type limitedBuffer struct {
	bytes.Buffer
	max       int
	truncated bool
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if keep := b.max - b.Len(); keep < len(p) {
		b.truncated = true
		b.Buffer.Write(p[:max(0, keep)])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}
