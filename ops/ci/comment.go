package ci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/ci/githubapi"
	"github.com/progressive-framework/platform/ops/ci/prcomment"
)

func commentCommand() *cobra.Command {
	var pull int
	var in []string
	c := &cobra.Command{
		Use:   "comment --in DIR [--pr NUMBER]",
		Short: "Write the previews of a pull request into its one comment",
		Long: "Write the previews in the folders into one comment of the pull request, and into the\n" +
			"file $GITHUB_STEP_SUMMARY. Each run edits the same comment. Without --pr the command\n" +
			"writes only to that file and to standard output. It then needs no token, so that a\n" +
			"pull request of a fork has a summary, too.\n\n" +
			"--in may have several folders, separated by commas. The first one with a preview counts,\n" +
			"such as the account's, or else the offline one. A stack without a preview is left out.\n\n" +
			"GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL are read from the environment.",
		Example: "  pf ci comment --in out/staging --in out/prod\n  pf ci comment --pr 7 --in out/staging,out/offline-staging --in out/prod,out/offline-prod",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if len(in) == 0 {
				return errors.New("--in is not set: name a folder that pf ci preview has written")
			}
			folders, err := selectPreviewFolders(in, c.ErrOrStderr())
			if err != nil {
				return err
			}
			return runComment(c.Context(), pull, folders, os.Getenv, c.OutOrStdout())
		},
	}
	c.Flags().IntVar(&pull, "pr", 0, "the number of the pull request; 0 writes no comment")
	c.Flags().StringArrayVar(&in, "in", nil, "a folder that pf ci preview wrote, or FIRST,ELSE; may be given several times")
	return c
}

// selectPreviewFolders returns one folder for each value of --in: the first folder in the value
// that has a plan. It reports a value without a plan on stderr. It returns an error if no folder
// has a plan.
func selectPreviewFolders(in []string, stderr io.Writer) (folders []string, err error) {
	for _, value := range in {
		choices := strings.Split(value, ",")
		i := slices.IndexFunc(choices, func(dir string) bool {
			_, err := os.Stat(filepath.Join(dir, planFile))
			return err == nil
		})
		if i < 0 {
			fmt.Fprintf(stderr, "no preview in %s: left out\n", strings.Join(choices, " or "))
			continue
		}
		folders = append(folders, choices[i])
	}
	if len(folders) == 0 {
		return nil, failureError(fmt.Errorf("--in is %q: no folder has a %s; run pf ci preview --out", in, planFile))
	}
	return folders, nil
}

// runComment renders the previews in the folders as one comment of the pull request pull. If pull is
// 0, it prints the comment instead.
func runComment(ctx context.Context, pull int, folders []string, getenv func(string) string, stdout io.Writer) error {
	var stacks []prcomment.Stack
	for _, dir := range folders {
		s, err := readPreviewFiles(dir)
		if err != nil {
			return err
		}
		stacks = append(stacks, s)
	}
	text := prcomment.Render(stacks, prcomment.Limit)
	if file := getenv("GITHUB_STEP_SUMMARY"); file != "" {
		if err := appendToFile(file, text); err != nil {
			return fmt.Errorf("GITHUB_STEP_SUMMARY: %w", err)
		}
	}
	if pull == 0 {
		_, err := io.WriteString(stdout, text)
		return err
	}
	client, err := githubapi.FromEnv(getenv)
	if err != nil {
		return err
	}
	commentURL, err := client.UpsertComment(ctx, pull, prcomment.Marker, text)
	if err != nil {
		return failureError(err)
	}
	fmt.Fprintln(stdout, commentURL)
	return nil
}

// appendToFile appends a text to a file.
func appendToFile(file, text string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}

// readPreviewFiles reads the files that one preview wrote to dir. If the preview had a base, Plan
// is the difference from the base.
func readPreviewFiles(dir string) (s prcomment.Stack, err error) {
	s.Plan, err = readPlan(filepath.Join(dir, changeFile))
	if errors.Is(err, os.ErrNotExist) {
		s.Plan, err = readPlan(filepath.Join(dir, planFile))
	}
	if err != nil {
		return s, err
	}
	var v verdict
	if err := errors.Join(readJSON(filepath.Join(dir, policyFile), &s.Policy), readJSON(filepath.Join(dir, verdictFile), &v)); err != nil {
		return s, err
	}
	s.Losses, s.Budget, s.MaxGrowth = v.Losses, v.Budget, v.MaxGrowth
	if err := readJSON(filepath.Join(dir, costFile), &s.Cost); err != nil && !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	return s, nil
}
