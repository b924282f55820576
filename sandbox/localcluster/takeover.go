package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// ownNode makes sure that the machine is no other's node: neither of another
// sandbox that lives, nor of any other Kubernetes. What a sandbox left of which
// nothing lives any more is put back here, as its own `make down` would have:
// who was killed with its folder may never get that.
func ownNode(ctx context.Context, h *home.Home, log *progress.Log) error {
	n, err := readNode()
	if err != nil || n != nil && n.Dir == h.Dir {
		return err
	}
	if n == nil {
		return noOtherNode(ctx)
	}
	return n.takeOver(ctx, log)
}

// takeOver refuses while anything of the node's sandbox lives or a command works
// on it, and sweeps up after it otherwise.
func (n *nodeChanges) takeOver(ctx context.Context, log *progress.Log) error {
	dead := &home.Home{Dir: n.Dir}
	if _, err := os.Stat(n.Dir); err == nil {
		release, err := lock.Take(n.Dir, "make up of another sandbox")
		var held *lock.HeldError
		if errors.As(err, &held) {
			return fmt.Errorf("this machine is the node of another sandbox: %w", err)
		}
		if err != nil {
			return fmt.Errorf("node of the sandbox %s: %w", n.Dir, err)
		}
		defer release()
	}
	if left := strayProcesses(dead); len(left) > 0 {
		return fmt.Errorf("this machine is the node of the sandbox %s, and can be that of one only: run `make down` there, "+
			"or end what is left of it where its folder is gone (%s)", n.Dir, left[0])
	}
	log.Say("this machine was the node of the sandbox %s, of which nothing lives; putting back what it changed", n.Dir)
	return n.putBack(ctx, dead)
}

// putBack takes everything of the sandbox out of the kernel. The record goes
// last: whatever fails before, the next time goes on.
func (n *nodeChanges) putBack(ctx context.Context, h *home.Home) error {
	if err := sweepUntilClean(ctx, h, true); err != nil {
		return err
	}
	if err := n.restore(); err != nil {
		return err
	}
	if err := os.Remove(nodeState); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return nil
}
