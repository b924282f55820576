package promotion

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/ci/approval"
	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/release/gate"
	"github.com/progressive-framework/platform/release/record"
)

// approvalsFile is the file with a project's approvals.
const approvalsFile = approval.File

// promotion has the options and the evidence of one promotion.
type promotion struct {
	project
	// from and to are the names of the stacks.
	from, to                                  string
	loadReportFile, previewDir, approvalsFile string
	signingKey                                string
	bakeTime                                  time.Duration
	// without has the names of the gates that may have no evidence.
	without             []string
	createCommit, draft bool
	now                 time.Time
}

// PromoteCommand returns the subcommand promote. stack holds the flag --cwd.
func PromoteCommand(stack *stackoutput.Stack) *cobra.Command {
	p := promotion{}
	c := &cobra.Command{
		Use:   "promote --from STACK --to STACK",
		Short: "Write the images of one stack as the release of another, after the gates",
		Long: "Check that the images of a stack may run in another stack, and write them into the other\n" +
			"stack's file as the key release. The command changes no other key and no stack: merge\n" +
			"the change, and pulumi up copies the images.\n\n" +
			"The gates: trusted keys have signed provenance and SBOM of each image; the last update\n" +
			"succeeded and is older than --bake; no alarm was raised since then; the pods run exactly\n" +
			"these digests; a load test of these images kept every limit; the preview of the target\n" +
			"replaces or deletes nothing that holds data, violates no rule and is within the budget;\n" +
			"the migrations only add to the schema. A gate without evidence refuses the promotion,\n" +
			"unless --without names it. Each passed gate signs a statement for each image.\n\n" +
			"Exit codes: 0 written, 1 refused, 2 wrong usage, 3 something could not be read.",
		Example: "  pf promote --from staging --to prod --draft\n" +
			"  pf ci preview --stack prod --out out/prod\n" +
			"  pf promote --from staging --to prod --load-report out/load.json --preview out/prod --commit",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if p.from == "" || p.to == "" || p.from == p.to {
				return errors.New("--from and --to must name two stacks")
			}
			if p.bakeTime < 0 {
				return fmt.Errorf("--bake is %s, must not be negative", p.bakeTime)
			}
			for _, name := range p.without {
				if !gate.Name(name).HasOptionalEvidence() {
					return fmt.Errorf("--without is %q, must be some of %v", name, gate.NamesWithOptionalEvidence())
				}
			}
			if p.draft && p.createCommit {
				return errors.New("--draft is for a preview: it can't be committed")
			}
			var err error
			if p.project, err = newProject(stack.Dir); err != nil {
				return err
			}
			p.now = time.Now().UTC().Truncate(time.Second)
			return p.run(c.Context(), c.OutOrStdout())
		},
	}
	f := c.Flags()
	f.StringVar(&p.from, "from", "", "the stack whose images are promoted")
	f.StringVar(&p.to, "to", "", "the stack that will run them")
	f.StringVar(&p.loadReportFile, "load-report", "", "a report of pf load --json of the stack --from, begun after its last update")
	f.StringVar(&p.previewDir, "preview", "", "the folder of pf ci preview --out of the stack --to with this release (--draft)")
	f.StringVar(&p.approvalsFile, "approvals", approvalsFile, "the file with approved migrations, from the project's folder on")
	f.StringVar(&p.signingKey, "signing-key", "", "the key that signs the gates: a file or awskms:///KEY; the default is images.signingKey of the stack --from")
	f.DurationVar(&p.bakeTime, "bake", 30*time.Minute, "how long ago the last update of the stack --from must have ended")
	f.StringSliceVar(&p.without, "without", nil, "accept that these gates have no evidence: some of "+fmt.Sprint(gate.NamesWithOptionalEvidence()))
	f.BoolVar(&p.createCommit, "commit", false, "create a branch and commit the file")
	f.BoolVar(&p.draft, "draft", false, "write the release without the gates, for a preview of it")
	return c
}

// unreadError returns the exit error for a file, a stack or a registry that could not be read.
func unreadError(err error) error { return &exitcode.Error{Code: exitcode.Incomplete, Err: err} }

// refusedError returns the exit error for a promotion or a rollback that is refused.
func refusedError(format string, args ...any) error {
	return &exitcode.Error{Code: exitcode.Found, Err: fmt.Errorf(format, args...)}
}

// run checks the gates, signs a statement for each passed gate, and writes the release into the
// file of the stack p.to.
func (p promotion) run(ctx context.Context, out io.Writer) error {
	file, err := p.readBaseFile(ctx, p.to, p.createCommit)
	if err != nil {
		return err
	}
	head, err := p.readHeadCommit(ctx)
	if err != nil {
		return unreadError(err)
	}
	sourceOutputs, err := readOutputs(ctx, p.dir, p.from)
	if err != nil {
		return unreadError(err)
	}
	r := &record.Record{Commit: head, At: p.now, From: p.from}
	if r.Repository, r.Images, err = splitImages(sourceOutputs.Images); err != nil {
		return unreadError(fmt.Errorf("stack %s: %w", p.from, err))
	}
	branch := fmt.Sprintf("promote-%s-%.12s", p.to, r.Commit)
	if p.createCommit && p.hasBranch(ctx, branch) {
		return refusedError("the branch %s exists, from an earlier attempt; nothing was written: use it, or delete it with git branch -D", branch)
	}
	if p.draft {
		r.Draft = true
		return p.publish(ctx, out, change{stack: p.to, file: file, record: r, draft: true})
	}
	key, err := p.openSigningKey(ctx)
	if err != nil {
		return err
	}
	results, err := p.checkGates(ctx, file, sourceOutputs, r, key)
	if err != nil {
		return err
	}
	if err := results.write(out); err != nil {
		return unreadError(err)
	}
	if n := results.countRefused(); n > 0 {
		return refusedError("the promotion is refused by %d of %d gates; nothing was written", n, len(results.list))
	}
	n, err := p.signGates(ctx, r, results, key)
	if err != nil {
		return unreadError(fmt.Errorf("the gates passed, but could not be signed; nothing was written: %w", err))
	}
	fmt.Fprintf(out, "\n%d signed statements of the gates were added to %d images\n", n, len(r.Images))
	if r.SameImages(file.Released()) {
		if err := p.removeDraft(p.to, file); err != nil {
			return unreadError(err)
		}
		fmt.Fprintf(out, "%s has these images already; its release was not changed\n", fileName(p.to))
		return nil
	}
	var text strings.Builder
	if err := results.write(&text); err != nil {
		return unreadError(err)
	}
	return p.publish(ctx, out, change{
		stack: p.to, file: file, record: r, createCommit: p.createCommit,
		branch: branch,
		title:  fmt.Sprintf("%s: release %.12s from %s", p.to, r.Commit, p.from),
		body:   text.String(),
	})
}

// change is a record that will be written.
type change struct {
	stack               string
	file                *record.File
	record              *record.Record
	createCommit, draft bool
	branch, title, body string
}

// publish writes the record of a change, and prints the changed images and the next command. If
// c.createCommit is set, it also commits the file on a new branch.
func (p project) publish(ctx context.Context, out io.Writer, c change) error {
	before := c.file.Released()
	if err := p.writeRelease(c.stack, c.file, c.record); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s has release %.12s:\n", fileName(c.stack), c.record.Commit)
	for _, short := range slices.Sorted(maps.Keys(c.record.Images)) {
		old := "built by the stack"
		if before != nil {
			old = before.Images[short]
		}
		if old == c.record.Images[short] {
			fmt.Fprintf(out, "  %s  unchanged\n", short)
			continue
		}
		fmt.Fprintf(out, "  %s  %.19s -> %.19s\n", short, old, c.record.Images[short])
	}
	if c.draft {
		fmt.Fprintf(out, "next: pf ci preview --stack %[1]s --out out/%[1]s, then pf promote with --preview out/%[1]s; no gate was judged, so pulumi up refuses it\n", c.stack)
		return nil
	}
	if !c.createCommit {
		fmt.Fprintf(out, "next: git diff %s, then commit it, and have it reviewed\n", fileName(c.stack))
		return nil
	}
	if err := p.commit(ctx, c.stack, c.branch, c.title+"\n\n"+c.body); err != nil {
		return unreadError(fmt.Errorf("the file is written, but not committed: %w", err))
	}
	fmt.Fprintf(out, "next: git push --set-upstream origin %s, and open a pull request\n", c.branch)
	return nil
}
