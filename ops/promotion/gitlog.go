package promotion

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/progressive-framework/platform/ops/ci/gitcommit"
	"github.com/progressive-framework/platform/release/migration"
	"github.com/progressive-framework/platform/release/record"
)

// maxHistory is the maximum number of commits of a stack's file that a rollback reads.
const maxHistory = 200

// runGit runs a git command in the folder of the project, and returns its output.
func (p project) runGit(ctx context.Context, args ...string) (string, error) {
	return gitcommit.Run(ctx, p.dir, args...)
}

// readHeadCommit returns the commit that is checked out in the project's folder.
func (p project) readHeadCommit(ctx context.Context) (string, error) {
	out, err := p.runGit(ctx, "rev-parse", "--verify", "HEAD^{commit}")
	return strings.TrimSpace(out), err
}

// readFileAt returns the stack's file at a commit. It returns an error if the commit does not have
// the file.
func (p project) readFileAt(ctx context.Context, stack, commit string) (*record.File, error) {
	text, err := p.runGit(ctx, "show", commit+":./"+fileName(stack))
	if err != nil {
		return nil, err
	}
	f, err := record.Parse([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("%s at %.12s: %w", fileName(stack), commit, err)
	}
	return f, nil
}

// readCommitted returns the content of a file in the last commit. isCommitted is false if the commit
// does not have the file.
func (p project) readCommitted(ctx context.Context, path string) (text string, isCommitted bool, err error) {
	listed, err := p.runGit(ctx, "ls-tree", "--name-only", "HEAD", "--", path)
	if err != nil || listed == "" {
		return "", false, err
	}
	text, err = p.runGit(ctx, "show", "HEAD:./"+path)
	return text, err == nil, err
}

// readMigrations returns the schema migrations at a commit.
func (p project) readMigrations(ctx context.Context, commit string) (migration.Steps, error) {
	out, err := p.runGit(ctx, "ls-tree", "--name-only", commit, "./"+migration.Folder+"/")
	if err != nil {
		return nil, fmt.Errorf("the migrations at %.12s: %w; git fetch --unshallow if the clone is a part of the history", commit, err)
	}
	steps := migration.Steps{}
	for _, name := range strings.Fields(out) {
		if !strings.HasSuffix(name, ".sql") {
			continue
		}
		if steps[path.Base(name)], err = p.runGit(ctx, "show", commit+":./"+name); err != nil {
			return nil, err
		}
	}
	return steps, nil
}

// isShallow reports whether the clone has only a part of the history.
func (p project) isShallow(ctx context.Context) bool {
	out, err := p.runGit(ctx, "rev-parse", "--is-shallow-repository")
	return err == nil && strings.TrimSpace(out) == "true"
}

// hasBranch reports whether the clone has a branch.
func (p project) hasBranch(ctx context.Context, branch string) bool {
	_, err := p.runGit(ctx, "rev-parse", "--verify", "--quiet", "refs/heads/"+branch)
	return err == nil
}

// commit commits only the stack's file, on a new branch.
func (p project) commit(ctx context.Context, stack, branch, message string) error {
	if _, err := p.runGit(ctx, "switch", "--create", branch); err != nil {
		return err
	}
	_, err := p.runGit(ctx, "commit", "--quiet", "--only", "--message", message, "--", fileName(stack))
	return err
}

// release is a record in the git history of a stack's file. Record is nil if the file had no release.
type release struct {
	// fileCommit is the commit that wrote the record into the file. Record.Commit is the commit of
	// the program.
	fileCommit string
	*record.Record
}

// readReleases returns the records of a stack's file, the newest first. It leaves out commits that
// did not change the images.
func (p project) readReleases(ctx context.Context, stack string) ([]release, error) {
	out, err := p.runGit(ctx, "log", "--format=%H", fmt.Sprintf("--max-count=%d", maxHistory), "--", fileName(stack))
	if err != nil {
		return nil, err
	}
	var releases []release
	for _, commit := range strings.Fields(out) {
		f, err := p.readFileAt(ctx, stack, commit)
		if err != nil {
			return nil, err
		}
		// Git lists the newest commit first. So the last listed commit with the same images is the
		// commit that wrote these images.
		if n := len(releases); n > 0 && releases[n-1].SameImages(f.Released()) {
			releases[n-1] = release{commit, f.Released()}
			continue
		}
		releases = append(releases, release{commit, f.Released()})
	}
	return releases, nil
}

// errNoEarlierRelease means that there is no earlier release for a rollback.
var errNoEarlierRelease = errors.New("no earlier release")

// findRelease returns the release of a commit. If commit is empty, it returns the newest release
// with other images than current.
func findRelease(releases []release, current *record.Record, commit string) (release, error) {
	for _, r := range releases {
		switch {
		case r.Record == nil: // at this commit the file has no release
		case commit != "" && (strings.HasPrefix(r.fileCommit, commit) || strings.HasPrefix(r.Commit, commit)):
			return r, nil
		case commit == "" && !r.SameImages(current):
			return r, nil
		}
	}
	var known []string
	for _, r := range releases {
		if r.Record != nil {
			known = append(known, fmt.Sprintf("%.12s (promoted %.12s)", r.fileCommit, r.Commit))
		}
	}
	if len(known) == 0 {
		return release{}, fmt.Errorf("%w: no commit of the file has a key release", errNoEarlierRelease)
	}
	if commit == "" {
		return release{}, fmt.Errorf("%w: all releases of the file have the current images: %s", errNoEarlierRelease, strings.Join(known, ", "))
	}
	return release{}, fmt.Errorf("%w: %q is none of %s", errNoEarlierRelease, commit, strings.Join(known, ", "))
}
