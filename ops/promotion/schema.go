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

// schema checks the schema migrations of a stack's database. It reads them from git.
type schema struct {
	project
	stack     string
	approvals []approval.Approval
	now       time.Time
}

// newSchema returns the schema of a stack, with the approvals in approvalsFile. The path is relative
// to the project's folder. The file may be missing.
func newSchema(p project, stack, approvalsFile string, now time.Time) (schema, error) {
	s := schema{project: p, stack: stack, now: now}
	raw, err := os.ReadFile(filepath.Join(p.dir, approvalsFile))
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		s.approvals, err = approval.Parse(raw)
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", approvalsFile, err)
	}
	return s, nil
}

// checkAdditions checks the migrations that the commit after has and the commit before does not have.
// If before is empty, the database has no schema yet. Each must only add to the schema, or be
// approved, because pods of the older release run until the rollout has ended.
//
// The image that applies the migrations was built at the commit after. The next promotion and a
// rollback start from the commit in the record, recorded. Both commits must have the same
// migrations, because no promotion would check those between them.
func (s schema) checkAdditions(ctx context.Context, before, after, recorded string) (string, error) {
	var older migration.Steps
	if before != "" {
		var err error
		if older, err = s.migrationsAt(ctx, before); err != nil {
			return "", err
		}
	}
	applied, err := s.migrationsAt(ctx, after)
	if err != nil {
		return "", err
	}
	added, err := migration.Added(older, applied)
	if err != nil {
		return "", err
	}
	if known, err := s.migrationsAt(ctx, recorded); err != nil || !maps.Equal(applied, known) {
		return "", errors.Join(err, fmt.Errorf("the image %s was built at commit %.12s, and the migrations at %.12s differ from its own: promote at the commit that the stack runs", migrateImage, after, recorded))
	}
	var faults []string
	approved := 0
	for _, f := range migration.Faults(added) {
		found, refused := approval.Find(s.approvals, s.stack, approval.Migrate, f.Step, s.now)
		if found == nil {
			faults = append(faults, fmt.Sprintf("%s (%s)", f, refused))
			continue
		}
		approved++
	}
	if len(faults) > 0 {
		return "", fmt.Errorf("%s; split the change, or approve it in .ci/approvals.yaml with op: migrate", strings.Join(faults, "; "))
	}
	return fmt.Sprintf("%d steps since %s, %d statements approved", len(added), shortCommit(before), approved), nil
}

// checkRollback checks that a stack can return to the release of the commit earlier. The database has
// the migrations of every release that ran. Each migration that the earlier release does not have
// must be approved. With acceptAdditive, a migration that only adds to the schema needs no approval.
func (s schema) checkRollback(ctx context.Context, releases []release, earlier string, acceptAdditive bool) (string, error) {
	older, err := s.migrationsAt(ctx, earlier)
	if err != nil {
		return "", err
	}
	applied := migration.Steps{}
	for _, r := range releases {
		if r.Record == nil {
			continue
		}
		steps, err := s.migrationsAt(ctx, r.Commit)
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
	for _, f := range migration.Faults(ahead) {
		harmful[f.Step] = f.String()
	}
	var faults []string
	for _, step := range ahead.Names() {
		found, refused := approval.Find(s.approvals, s.stack, approval.Rollback, step, s.now)
		switch {
		case found != nil: // approved
		case harmful[step] != "":
			faults = append(faults, fmt.Sprintf("%s (%s)", harmful[step], refused))
		case !acceptAdditive:
			faults = append(faults, step+" only adds: use --accept-additive if the older program works with it")
		}
	}
	if len(faults) > 0 {
		return "", fmt.Errorf("the schema is ahead of release %.12s, and a step can't be undone: %s", earlier, strings.Join(faults, "; "))
	}
	return fmt.Sprintf("%d steps ahead of release %.12s", len(ahead), earlier), nil
}

// shortCommit returns the start of a commit, or a text for the empty commit.
func shortCommit(commit string) string {
	if commit == "" {
		return "an empty database"
	}
	return fmt.Sprintf("%.12s", commit)
}
