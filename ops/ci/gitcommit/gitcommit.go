// Package gitcommit runs git, and identifies the files of a working tree. With the identity, a preview
// says of which program and configuration it is.
package gitcommit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// timeout limits one command of git.
const timeout = time.Minute

// Read returns the commit that is checked out in dir. If the tree has uncommitted changes, "+" and 12
// hexadecimal digits of their digest follow. The digest has the changes of tracked files, and the
// names of untracked files.
func Read(ctx context.Context, dir string) (string, error) {
	head, err := Run(ctx, dir, "rev-parse", "--verify", "HEAD")
	if err != nil {
		return "", fmt.Errorf("the commit of the program: %w", err)
	}
	head = strings.TrimSpace(head)
	changes, err := Run(ctx, dir, "status", "--porcelain", "--untracked-files=all")
	if err != nil {
		return "", fmt.Errorf("the changes of the working tree: %w", err)
	}
	if changes == "" {
		return head, nil
	}
	edits, err := Run(ctx, dir, "diff", "HEAD", "--binary")
	if err != nil {
		return "", fmt.Errorf("the changes of the working tree: %w", err)
	}
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(changes+edits)))
	return head + "+" + digest[:12], nil
}

// Run runs a git command in dir, and returns its output. An error has git's message.
func Run(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
