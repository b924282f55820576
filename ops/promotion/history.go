package promotion

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/release/record"
)

// findUpdate returns the newest update since the last destroy. found is false if the stack has none.
func findUpdate(history []stackoutput.Update) (update stackoutput.Update, found bool, err error) {
	for _, u := range history {
		switch {
		case u.Kind == "update":
			return u, true, nil
		case u.Kind == "destroy" && u.Result == "succeeded":
			return update, false, nil
		}
	}
	if len(history) >= stackoutput.MaxHistory {
		return update, false, fmt.Errorf("none of the last %d operations is an update", len(history))
	}
	return update, false, nil
}

// lastUpdate returns the last update of a stack. It returns an error if that update failed, because
// the stack may then differ from its program.
func lastUpdate(history []stackoutput.Update) (stackoutput.Update, error) {
	u, found, err := findUpdate(history)
	switch {
	case err != nil:
		return u, fmt.Errorf("%w: run pulumi up", err)
	case !found:
		return u, errors.New("the stack has no update in its history: run pulumi up")
	case u.Result != "succeeded":
		return u, fmt.Errorf("the last update of the stack is %s: run pulumi up until it succeeds", u.Result)
	}
	return u, nil
}

// describeUpdate returns the end of an update. It also returns what a reviewer must know: the commit, if
// it differs from the recorded commit, and whether files differed from the commit.
func describeUpdate(u stackoutput.Update, recordCommit string) string {
	text := "ended at " + u.Ended.UTC().Format(time.RFC3339)
	if commit := u.Environment[stackoutput.GitHead]; commit != "" && commit != recordCommit {
		text += fmt.Sprintf(", of commit %.12s, and not of the recorded commit %.12s", commit, recordCommit)
	}
	if u.Environment[stackoutput.GitDirty] == "true" {
		text += ", with changes that were not committed"
	}
	return text
}

// readDeployedCommit returns the commit from which the migrations of a stack must be checked. That is
// the commit of the release in the stack's file. After a rollback the database may have later steps;
// they are then checked again. A stack without a release builds its images itself: then it is the
// commit of the stack's last update. The commit is "" if the stack was never updated, because its
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
	deployed, err := p.readFileAt(ctx, stack, commit)
	if err != nil {
		return "", fmt.Errorf("the release that stack %s runs: %w; git fetch --unshallow if the clone is a part of the history", stack, err)
	}
	if r := deployed.Released(); r != nil {
		return r.Commit, nil
	}
	return commit, nil
}

// lastUpdateCommit returns the commit of a stack's last update. It returns "" if the stack was never
// updated, or was destroyed after that.
func lastUpdateCommit(history []stackoutput.Update) (string, error) {
	u, found, err := findUpdate(history)
	commit := u.Environment[stackoutput.GitHead]
	switch {
	case err != nil || !found:
		return "", err
	case u.Result != "succeeded":
		return "", fmt.Errorf("the result of that update is %s", u.Result)
	case commit == "":
		return "", errors.New("that update was of files outside git")
	case u.Environment[stackoutput.GitDirty] != "false": // Pulumi leaves it out if git status fails
		return "", fmt.Errorf("that update was of files that differ from commit %.12s, or that Pulumi could not compare with it", commit)
	}
	return commit, nil
}
