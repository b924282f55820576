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
	record, err := readNodeRecord()
	switch {
	case err != nil:
		return err
	case record == nil:
		return checkNoOtherNode(ctx)
	case record.Dir == l.Dir:
		return nil // the machine is the node of this sandbox already
	}
	return record.takeOver(ctx, log)
}

// takeOver removes the residue of the sandbox that used the machine as its node. It returns an
// error if a process of that sandbox runs, or if a command holds the lock of that sandbox.
func (record *nodeRecord) takeOver(ctx context.Context, log *progress.Log) error {
	otherLayout := &layout.Layout{Dir: record.Dir}
	if _, err := os.Stat(record.Dir); err == nil {
		release, err := lock.Take(record.Dir, "make up of another sandbox")
		var held *lock.HeldError
		if errors.As(err, &held) {
			return fmt.Errorf("this machine is the node of another sandbox: %w", err)
		}
		if err != nil {
			return fmt.Errorf("node of the sandbox %s: %w", record.Dir, err)
		}
		defer release()
	}
	if remaining := findRemainingProcesses(otherLayout); len(remaining) > 0 {
		return fmt.Errorf("this machine is the node of the sandbox %s, and a machine can be the node of one sandbox only: run `make down` there, "+
			"or, if its folder no longer exists, end its processes (%s)", record.Dir, remaining[0])
	}
	log.Say("this machine was the node of the sandbox %s, which no longer runs; undoing its changes", record.Dir)
	return record.undoChanges(ctx, otherLayout)
}

// undoChanges removes the residue of the sandbox from the machine and restores the kernel's
// settings. The file nodeRecordPath is removed last, so that a call after a failure can do all
// of this again.
func (record *nodeRecord) undoChanges(ctx context.Context, l *layout.Layout) error {
	if err := sweepUntilClean(ctx, l, wholeNode); err != nil {
		return err
	}
	if err := record.restoreSettings(); err != nil {
		return err
	}
	if err := os.Remove(nodeRecordPath); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return nil
}
