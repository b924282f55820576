// Package gitcommit identifies the files of a working tree, so that a preview says of which program
// and configuration it is.
package gitcommit

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// gitTimeout limits one command of git.
const gitTimeout = time.Minute

// Read returns the commit that is checked out in dir. If the tree has uncommitted changes, "+" and 12
// hexadecimal digits of their digest follow. The digest has the changes of tracked files, and the
// names of untracked files.
func Read(ctx context.Context, dir string) (string, error) {
	head, err := runGit(ctx, dir, "rev-parse", "--verify", "HEAD")
	if err != nil {
		return "", fmt.Errorf("the commit of the program: %w", err)
	}
	changes, err := runGit(ctx, dir, "status", "--porcelain", "--untracked-files=all")
	if err != nil || changes == "" {
		return head, err
	}
	edits, err := runGit(ctx, dir, "diff", "HEAD", "--binary")
	if err != nil {
		return "", fmt.Errorf("the changes of the working tree: %w", err)
	}
	return fmt.Sprintf("%s+%x", head, sha256.Sum256([]byte(changes+edits)))[:len(head)+1+12], nil
}

// runGit runs a git command in dir, and returns its output without the space around it.
func runGit(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}
