package promotion

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/progressive-framework/platform/ops/ci/approval"
	"github.com/progressive-framework/platform/release/migration"
)

// migrationChecker checks the schema migrations of a stack's database. It reads the migrations from
// git.
type migrationChecker struct {
	project
	stack     string
	approvals []approval.Approval
	now       time.Time
}

// newMigrationChecker returns the checker of a stack, with the approvals in approvalsFile. The path
// is relative to the project's folder. The file may be missing, and otherwise must be committed: a
// promotion commits the record alone, so no reviewer would see an approval in the working tree.
func newMigrationChecker(ctx context.Context, p project, stack, approvalsFile string, now time.Time) (migrationChecker, error) {
	c := migrationChecker{project: p, stack: stack, now: now}
	committed, _, err := p.readCommitted(ctx, approvalsFile)
	if err != nil {
		return c, unreadError(err)
	}
	current, err := os.ReadFile(filepath.Join(p.dir, approvalsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return c, unreadError(err)
	}
	if string(current) != committed {
		return c, refusedError("%s has changes that are not committed: have them reviewed and merged first", approvalsFile)
	}
	if committed == "" {
		return c, nil
	}
	if c.approvals, err = approval.Parse(current); err != nil {
		return c, fmt.Errorf("%s: %w", approvalsFile, err)
	}
	return c, nil
}

// checkAdditions checks the migrations that are at afterCommit and not at beforeCommit. If
// beforeCommit is empty, the database has no schema yet. Each of these migrations must only add to
// the schema, or be approved, because pods of the older release run until the rollout has ended.
//
// The image that applies the migrations was built at afterCommit. The next promotion and a rollback
// start from recordCommit, the commit in the record. Both commits must have the same migrations.
// Otherwise no promotion would check the migrations between the two commits.
func (c migrationChecker) checkAdditions(ctx context.Context, beforeCommit, afterCommit, recordCommit string) (string, error) {
	var older migration.Steps
	if beforeCommit != "" {
		var err error
		if older, err = c.readMigrations(ctx, beforeCommit); err != nil {
			return "", err
		}
	}
	applied, err := c.readMigrations(ctx, afterCommit)
	if err != nil {
		return "", err
	}
	added, err := migration.Added(older, applied)
	if err != nil {
		return "", err
	}
	if recordMigrations, err := c.readMigrations(ctx, recordCommit); err != nil || !maps.Equal(applied, recordMigrations) {
		return "", errors.Join(err, fmt.Errorf("the image %s was built at commit %.12s, and the migrations at %.12s differ from its own: promote at the commit that the stack runs", migrateImage, afterCommit, recordCommit))
	}
	var problems []string
	approved := 0
	for _, f := range migration.FindUnsafe(added) {
		granted, reason := approval.Find(c.approvals, c.stack, approval.Migrate, f.Step, c.now)
		if granted == nil {
			problems = append(problems, fmt.Sprintf("%s (%s)", f, reason))
			continue
		}
		approved++
	}
	if len(problems) > 0 {
		return "", fmt.Errorf("%s; split the change, or approve it in .ci/approvals.yaml with op: migrate", strings.Join(problems, "; "))
	}
	return fmt.Sprintf("%d steps since %s, %d statements approved", len(added), describeCommit(beforeCommit), approved), nil
}

// checkRollback checks that a stack can return to the release of earlierCommit. The database has
// the migrations of every release that ran. Each migration that the earlier release does not have
// must be approved. With acceptAdditive, a migration that only adds to the schema needs no approval.
func (c migrationChecker) checkRollback(ctx context.Context, releases []release, earlierCommit string, acceptAdditive bool) (string, error) {
	older, err := c.readMigrations(ctx, earlierCommit)
	if err != nil {
		return "", err
	}
	applied := migration.Steps{}
	for _, r := range releases {
		if r.Record == nil {
			continue
		}
		steps, err := c.readMigrations(ctx, r.Commit)
		if err != nil {
			return "", err
		}
		maps.Copy(applied, steps)
	}
	ahead, err := migration.Added(older, applied)
	if err != nil {
		return "", err
	}
	harmful := map[string]string{}
	for _, f := range migration.FindUnsafe(ahead) {
		harmful[f.Step] = f.String()
	}
	var problems []string
	for _, step := range ahead.Names() {
		granted, reason := approval.Find(c.approvals, c.stack, approval.Rollback, step, c.now)
		switch {
		case granted != nil: // approved
		case harmful[step] != "":
			problems = append(problems, fmt.Sprintf("%s (%s): fix forward, or approve it in %s with op: rollback", harmful[step], reason, approvalsFile))
		case !acceptAdditive:
			problems = append(problems, step+" only adds: use --accept-additive if the older program works with it")
		}
	}
	if len(problems) > 0 {
		return "", fmt.Errorf("the schema is ahead of release %.12s, and a step can't be undone: %s", earlierCommit, strings.Join(problems, "; "))
	}
	return fmt.Sprintf("%d steps ahead of release %.12s", len(ahead), earlierCommit), nil
}

// describeCommit returns the first 12 characters of a commit. It returns "an empty database" for an
// empty commit.
func describeCommit(commit string) string {
	if commit == "" {
		return "an empty database"
	}
	return fmt.Sprintf("%.12s", commit)
}
