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

// schema is the schema of a stack's database, as of the release that the stack runs.
type schema struct {
	project
	stack     string
	approvals []approval.Approval
	now       time.Time
}

// newSchema returns the schema of a stack. approvalsFile is relative to the project's folder, and
// may be missing.
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

// between returns the steps that the commit after has and the commit before does not. If before is
// empty, the database has no schema yet.
func (s schema) between(ctx context.Context, before, after string) (migration.Steps, error) {
	var older migration.Steps
	if before != "" {
		var err error
		if older, err = s.steps(ctx, before); err != nil {
			return nil, err
		}
	}
	newer, err := s.steps(ctx, after)
	if err != nil {
		return nil, err
	}
	return migration.Added(older, newer)
}

// add checks that the steps from one commit to another only add to the schema, or are approved.
// Pods of the older release run until the rollout has ended.
//
// The commit after is the one of the image that applies the steps. The record has the commit
// recorded, from which the next promotion and a rollback count. Both must have the same steps,
// because no promotion would check the steps between them.
func (s schema) add(ctx context.Context, before, after, recorded string) (string, error) {
	added, err := s.between(ctx, before, after)
	if err != nil {
		return "", err
	}
	applied, err := s.steps(ctx, after)
	if err != nil {
		return "", err
	}
	if known, err := s.steps(ctx, recorded); err != nil || !maps.Equal(applied, known) {
		return "", errors.Join(err, fmt.Errorf("the image %s was built at commit %.12s, and the steps at %.12s differ from its own: promote at the commit that the stack runs", migrateImage, after, recorded))
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

// back checks that a stack can return to the release of a commit. The database has the steps of
// every release that ran. Steps that the earlier release does not have must be approved, or only
// add with acceptAdditive.
func (s schema) back(ctx context.Context, releases []release, earlier string, acceptAdditive bool) (string, error) {
	older, err := s.steps(ctx, earlier)
	if err != nil {
		return "", err
	}
	applied := migration.Steps{}
	for _, r := range releases {
		if r.Record == nil {
			continue
		}
		steps, err := s.steps(ctx, r.Commit)
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
		case found != nil:
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

func shortCommit(commit string) string {
	if commit == "" {
		return "an empty database"
	}
	return fmt.Sprintf("%.12s", commit)
}
