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

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/release/record"
)

// promotion is a promotion with its evidence.
type promotion struct {
	project
	from, to            string
	loadReport, preview string
	bake                time.Duration
	commits             bool
	now                 time.Time
}

// PromoteCommand returns the subcommand promote. stack has the flag --cwd.
func PromoteCommand(stack *stackoutput.Stack) *cobra.Command {
	p := promotion{}
	c := &cobra.Command{
		Use:   "promote --from STACK --to STACK",
		Short: "Write the images of one stack as the release of another, after the gates",
		Long: "Check that the images of a stack may run in another one, and write them into that\n" +
			"stack's file as the key release. No other key changes, and no stack does: merge the\n" +
			"change, and pulumi up copies the images.\n\n" +
			"The gates: trusted keys have signed provenance and SBOM of each image; the last update\n" +
			"succeeded and is older than --bake; the pods run exactly these digests; the load test\n" +
			"and the preview of the target, if they are given. A gate without evidence is shown as\n" +
			"not checked, and does not refuse.\n\n" +
			"Exit codes: 0 written, 1 refused, 2 wrong usage, 3 something could not be read.",
		Example: "  pf promote --from staging --to prod --load-report load.json --preview out/prod --commit",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if p.from == "" || p.to == "" || p.from == p.to {
				return errors.New("--from and --to must name two stacks")
			}
			if p.bake < 0 {
				return fmt.Errorf("--bake is %s, must not be negative", p.bake)
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
	f.StringVar(&p.loadReport, "load-report", "", "a report of pf load --json of the stack --from, begun after its last update")
	f.StringVar(&p.preview, "preview", "", "the folder of pf ci preview --out of the stack --to")
	f.DurationVar(&p.bake, "bake", 30*time.Minute, "how long ago the last update of the stack --from must have ended")
	f.BoolVar(&p.commits, "commit", false, "create a branch and commit the file")
	return c
}

// unread is an error of something that could not be read.
func unread(err error) error { return &exitcode.Error{Code: exitcode.NotLooked, Err: err} }

func (p promotion) run(ctx context.Context, out io.Writer) error {
	file, err := p.read(p.to)
	if err != nil {
		return err
	}
	if p.commits {
		if err := p.clean(ctx, p.to); err != nil {
			return err
		}
	}
	head, err := p.head(ctx)
	if err != nil {
		return unread(err)
	}
	source, err := outputsOf(ctx, p.dir, p.from)
	if err != nil {
		return unread(err)
	}
	r := &record.Record{Commit: head, At: p.now, From: p.from}
	if r.Repository, r.Images, err = splitImages(source.Images); err != nil {
		return unread(fmt.Errorf("stack %s: %w", p.from, err))
	}
	checked := p.check(ctx, file, source, r)
	if err := checked.write(out); err != nil {
		return unread(err)
	}
	if n := checked.refusals(); n > 0 {
		return &exitcode.Error{Code: exitcode.Found, Err: fmt.Errorf("%d gates refuse the promotion; nothing was written", n)}
	}
	if r.SameImages(file.Release) {
		fmt.Fprintf(out, "\n%s has these images already; nothing was written\n", fileName(p.to))
		return nil
	}
	var text strings.Builder
	if err := checked.write(&text); err != nil {
		return unread(err)
	}
	return p.publish(ctx, out, change{
		stack: p.to, file: file, record: r, commits: p.commits,
		branch: fmt.Sprintf("promote-%s-%.12s", p.to, r.Commit),
		title:  fmt.Sprintf("%s: release %.12s from %s", p.to, r.Commit, p.from),
		body:   text.String(),
	})
}

// check judges the gates.
func (p promotion) check(ctx context.Context, file *record.File, source stackoutput.Outputs, r *record.Record) (g gates) {
	keys, err := p.keys(p.to, file)
	if err == nil {
		for _, short := range slices.Sorted(maps.Keys(r.Images)) {
			_, verifyErr := verifyImage(ctx, r.Source(short), keys)
			err = errors.Join(err, verifyErr)
		}
	}
	g.judge("signatures", err, "%d images with provenance and SBOM", len(r.Images))

	history, err := (&stackoutput.Stack{Name: p.from, Dir: p.dir}).History(ctx)
	var updated time.Time
	if err == nil {
		updated, err = lastUpdate(history)
	}
	if age := p.now.Sub(updated); err == nil && age < p.bake {
		err = fmt.Errorf("the last update of %s ended %s ago, must be %s: wait, or use --bake", p.from, age.Round(time.Second), p.bake)
	}
	g.judge("bake time", err, "the last update of %s ended at %s", p.from, updated.UTC().Format(time.RFC3339))

	client, err := podClient(source)
	pods := 0
	if err == nil {
		pods, err = checkPods(ctx, client, source.Namespace, r.Repository, r.Images)
	}
	if errors.Is(err, errNoCluster) {
		g.add("pods", unchecked, "%v", err)
	} else {
		g.judge("pods", err, "%d containers in %s run these digests", pods, source.Namespace)
	}

	if p.loadReport == "" {
		g.add("load test", unchecked, "no --load-report")
	} else {
		var report loadReport
		err := readEvidence(p.loadReport, &report)
		if err == nil {
			err = checkLoad(report, source.URL, updated)
		}
		g.judge("load test", err, "of %s, every limit was kept", report.Started.UTC().Format(time.RFC3339))
	}

	if p.preview == "" {
		g.add("preview of "+p.to, unchecked, "no --preview; the pull request's preview has the new digests")
	} else {
		summary, err := checkPreview(p.preview, p.to)
		g.judge("preview of "+p.to, err, "%s", summary)
	}
	return g
}

// change is a record to be written.
type change struct {
	stack               string
	file                *record.File
	record              *record.Record
	commits             bool
	branch, title, body string
}

// publish writes the record, and commits it on a branch if that is asked for.
func (p project) publish(ctx context.Context, out io.Writer, c change) error {
	before := c.file.Release
	if err := p.write(c.stack, c.file, c.record); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s has release %.12s:\n", fileName(c.stack), c.record.Commit)
	for _, short := range slices.Sorted(maps.Keys(c.record.Images)) {
		was := "built by the stack"
		if before != nil {
			was = before.Images[short]
		}
		if was == c.record.Images[short] {
			fmt.Fprintf(out, "  %s  unchanged\n", short)
			continue
		}
		fmt.Fprintf(out, "  %s  %.19s -> %.19s\n", short, was, c.record.Images[short])
	}
	if !c.commits {
		fmt.Fprintf(out, "next: git diff %s, then commit it, and have it reviewed\n", fileName(c.stack))
		return nil
	}
	if err := p.commit(ctx, c.stack, c.branch, c.title+"\n\n"+c.body); err != nil {
		return unread(fmt.Errorf("the file is written, but not committed: %w", err))
	}
	fmt.Fprintf(out, "next: git push --set-upstream origin %s, and open a pull request\n", c.branch)
	return nil
}
