package promotion

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/release/gate"
	"github.com/progressive-framework/platform/release/record"
)

// commitPrefix matches a commit or its first characters.
var commitPrefix = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

// RollbackCommand returns the subcommand rollback. stack holds the flags --stack and --cwd.
func RollbackCommand(stack *stackoutput.Stack) *cobra.Command {
	var o rollbackOptions
	c := &cobra.Command{
		Use:   "rollback --stack STACK [--to COMMIT]",
		Short: "Write an earlier release of a stack again",
		Long: "Read an earlier release from the git history of the stack's file. Check that every image\n" +
			"is in a registry and signed by a trusted key, and that the schema is not ahead of the\n" +
			"release. Then write the release into the stack's file. The command builds nothing and\n" +
			"changes no stack: merge the change, and run pulumi up. It undoes no migration.\n\n" +
			"Exit codes: 0 written, 1 refused, 2 wrong usage, 3 something could not be read.",
		Example: "  pf rollback --stack prod --commit\n  pf rollback --stack prod --to 1f2e3d4c5b6a",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if stack.Name == "" {
				return errors.New("--stack is not set: name the stack to roll back")
			}
			if o.to != "" && !commitPrefix.MatchString(o.to) {
				return fmt.Errorf("--to is %q, must be 7 to 40 hexadecimal digits", o.to)
			}
			p, err := newProject(stack.Dir)
			if err != nil {
				return err
			}
			return p.rollback(c.Context(), c.OutOrStdout(), stack.Name, o, time.Now().UTC().Truncate(time.Second))
		},
	}
	c.Flags().StringVar(&o.to, "to", "", "the commit of the earlier release, or the commit that wrote it; the default is the release before the current one")
	c.Flags().BoolVar(&o.createCommit, "commit", false, "create a branch and commit the file")
	c.Flags().BoolVar(&o.acceptAdditive, "accept-additive", false, "accept a schema that is ahead, if the additional steps only add to it")
	c.Flags().StringVar(&o.approvalsFile, "approvals", approvalsFile, "the file with approvals, relative to the project's folder")
	return c
}

// rollbackOptions are the flags of a rollback.
type rollbackOptions struct {
	to, approvalsFile            string
	createCommit, acceptAdditive bool
}

// rollback checks the gates of a rollback, and writes an earlier release into the stack's file.
func (p project) rollback(ctx context.Context, out io.Writer, stack string, o rollbackOptions, now time.Time) error {
	file, err := p.readBaseFile(ctx, stack, o.createCommit)
	if err != nil {
		return err
	}
	migrations, err := newMigrationChecker(ctx, p, stack, o.approvalsFile, now)
	if err != nil {
		return err
	}
	releases, err := p.readReleases(ctx, stack)
	if err != nil {
		return unreadError(err)
	}
	earlier, err := findRelease(releases, file.Released(), o.to)
	if err != nil {
		if p.isShallow(ctx) {
			err = fmt.Errorf("%w; the clone is a part of the history: git fetch --unshallow", err)
		}
		return refusedError("%s: %w", fileName(stack), err)
	}
	if earlier.SameImages(file.Released()) {
		fmt.Fprintf(out, "%s has these images already; nothing was written\n", fileName(stack))
		return nil
	}
	outputs, err := readOutputs(ctx, p.dir, stack)
	if err != nil {
		return unreadError(err)
	}
	r := *earlier.Record
	r.At = now
	var results gateResults
	results.addResult("images", p.checkAvailable(ctx, stack, file, &r, outputs.Images), "%d images are in a registry, signed", len(r.Images))
	summary, err := migrations.checkRollback(ctx, releases, r.Commit, o.acceptAdditive)
	results.addResult(gate.Migrations, err, "%s", summary)
	if err := results.write(out); err != nil {
		return unreadError(err)
	}
	if results.countRefused() > 0 {
		return refusedError("the rollback is refused; nothing was written")
	}
	return p.publish(ctx, out, change{
		stack: stack, file: file, record: &r, createCommit: o.createCommit,
		branch: fmt.Sprintf("rollback-%s-%.12s-%d", stack, r.Commit, now.Unix()),
		title:  fmt.Sprintf("%s: back to release %.12s", stack, r.Commit),
		body:   fmt.Sprintf("The release that commit %.12s wrote.\n", earlier.fileCommit),
	})
}

// checkAvailable checks that every image of a record still exists and is signed. An image may be in
// the registry of the stack, to which a promotion copied it. It may also be only in the registry of
// the stack that built it.
func (p project) checkAvailable(ctx context.Context, stack string, file *record.File, r *record.Record, current map[string]string) error {
	keys, err := p.readTrustedKeys(stack, file)
	if err != nil {
		return err
	}
	wanted := gate.ReleasePredicateTypes(stack, file.RequiredGates)
	var errs []error
	for _, short := range slices.Sorted(maps.Keys(r.Images)) {
		repository, _, found := strings.Cut(current[short], "@")
		if !found { // the stack has not run this image yet
			repository = r.Repository + "/" + short
		}
		_, err := verifyImage(ctx, repository+"@"+r.Images[short], keys, wanted)
		if err == nil {
			continue
		}
		if _, sourceErr := verifyImage(ctx, r.Source(short), keys, wanted); sourceErr == nil {
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
