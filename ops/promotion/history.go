package promotion

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/release/record"
)

// lastUpdate returns the last update of a stack. It returns an error if that update failed, because
// the stack may then differ from its program.
func lastUpdate(history []stackoutput.Update) (stackoutput.Update, error) {
	for _, u := range history {
		if u.Kind != "update" {
			continue
		}
		if u.Result != "succeeded" {
			return stackoutput.Update{}, fmt.Errorf("the last update of the stack is %s: run pulumi up until it succeeds", u.Result)
		}
		return u, nil
	}
	return stackoutput.Update{}, errors.New("the stack has no update in its history")
}

// describeUpdate returns the end of an update, and its commit if that differs from the recorded commit.
// A reviewer must see that the record names another commit than the one that the stack runs.
func describeUpdate(u stackoutput.Update, recordCommit string) string {
	text := "ended at " + u.Ended.UTC().Format(time.RFC3339)
	if commit := u.Environment[stackoutput.GitHead]; commit != "" && commit != recordCommit {
		text += fmt.Sprintf(", of commit %.12s, and not of the recorded commit %.12s", commit, recordCommit)
	}
	return text
}

// readDeployedCommit returns the commit whose migrations a stack's database has. That is the commit
// of the release in the stack's file. A stack without a release builds its images itself: then it is
// the commit of the stack's last update. The commit is "" if the stack was never updated, because its
// database has no schema yet.
func (p project) readDeployedCommit(ctx context.Context, stack string, file *record.File) (string, error) {
	if r := file.Released(); r != nil {
		return r.Commit, nil
	}
	history, err := (&stackoutput.Stack{Name: stack, Dir: p.dir}).ReadHistory(ctx)
	if err != nil {
		return "", fmt.Errorf("stack %s: %w; create it with pulumi stack init %s if it does not exist", stack, err, stack)
	}
	commit, err := lastUpdateCommit(history)
	if err != nil {
		return "", fmt.Errorf("stack %s has no release, so its migrations are those of its last update: %w; run pulumi up --stack %s from a commit without other changes", stack, err, stack)
	}
	if commit == "" {
		return "", nil
	}
	// The update may have run a release that the file no longer has.
	if deployed, err := p.readFileAt(ctx, stack, commit); err == nil && deployed.Released() != nil {
		return deployed.Released().Commit, nil
	}
	return commit, nil
}

// lastUpdateCommit returns the commit of a stack's last update. It returns "" if the stack was never
// updated, or was destroyed after that.
func lastUpdateCommit(history []stackoutput.Update) (string, error) {
	for _, u := range history {
		switch {
		case u.Kind == "destroy" && u.Result == "succeeded":
			return "", nil
		case u.Kind != "update":
			continue
		case u.Result != "succeeded":
			return "", fmt.Errorf("the result of that update is %s", u.Result)
		case u.Environment[stackoutput.GitHead] == "":
			return "", errors.New("that update was of files outside git")
		case u.Environment[stackoutput.GitDirty] == "true":
			return "", fmt.Errorf("that update was of files that differ from commit %.12s", u.Environment[stackoutput.GitHead])
		}
		return u.Environment[stackoutput.GitHead], nil
	}
	if len(history) >= stackoutput.MaxHistory {
		return "", fmt.Errorf("none of its last %d operations is an update", len(history))
	}
	return "", nil
}
