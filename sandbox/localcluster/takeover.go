package localcluster

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// claimNode returns an error if the machine is the node of another running sandbox or of
// another Kubernetes cluster. If another sandbox has left residue and none of its processes
// runs, claimNode removes the residue. Normally `make down` in the folder of that sandbox does
// this, but the folder may be deleted.
func claimNode(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	n, err := readNode()
	if err != nil || n != nil && n.Dir == l.Dir {
		return err
	}
	if n == nil {
		return checkNoOtherNode(ctx)
	}
	return n.takeOver(ctx, log)
}

// takeOver removes the residue of the sandbox that used the node. It returns an error if a
// process of that sandbox runs, or if a command holds the lock of that sandbox.
func (n *nodeChanges) takeOver(ctx context.Context, log *progress.Log) error {
	dead := &layout.Layout{Dir: n.Dir}
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
	if left := remainingProcesses(dead); len(left) > 0 {
		return fmt.Errorf("this machine is the node of the sandbox %s, and a machine can be the node of one sandbox only: run `make down` there, "+
			"or, if its folder no longer exists, end its processes (%s)", n.Dir, left[0])
	}
	log.Say("this machine was the node of the sandbox %s, which no longer runs; undoing its changes", n.Dir)
	return n.undo(ctx, dead)
}

// undo removes the residue of the sandbox from the machine and restores the kernel's settings.
// The file nodeState is removed last, so that a call after a failure can repeat the work.
func (n *nodeChanges) undo(ctx context.Context, l *layout.Layout) error {
	if err := sweepUntilClean(ctx, l, wholeNode); err != nil {
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
