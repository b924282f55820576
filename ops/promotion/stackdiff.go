package promotion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/policy/stackconfig"
	"github.com/progressive-framework/platform/policy/waiver"
	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/gate"
	"github.com/progressive-framework/platform/release/migration"
	"github.com/progressive-framework/platform/release/record"
	"github.com/progressive-framework/platform/release/signkey"
)

// DiffCommand returns the subcommand diff. stack holds the flag --cwd.
func DiffCommand(stack *stackoutput.Stack) *cobra.Command {
	return &cobra.Command{
		Use:   "diff STACK_A STACK_B",
		Short: "Show how two stacks differ: images, modules, migrations, configuration, policies, cost",
		Long: "Compare two stacks: the images with their git commits (signed provenance) and modules\n" +
			"(signed SBOM), the migrations between these commits, the configuration, the policy\n" +
			"violations and the monthly cost. The command shows no encrypted value and changes nothing.",
		Example: "  pf diff staging prod",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := newProject(stack.Dir)
			if err != nil {
				return err
			}
			return p.printDiff(c.Context(), c.OutOrStdout(), args[0], args[1])
		},
	}
}

// comparedStack has what diff compares of one stack.
type comparedStack struct {
	name    string
	images  map[string]string
	config  map[string]string
	keys    signkey.Trusted
	release *record.Record
	// values is the configuration as Pulumi passes it to the program, by key.
	values map[string]string
	state  []byte
}

// printDiff reads both stacks, and prints how they differ.
func (p project) printDiff(ctx context.Context, out io.Writer, a, b string) error {
	var stacks [2]comparedStack
	var errs [2]error
	var wg sync.WaitGroup
	for i, name := range []string{a, b} {
		wg.Go(func() { stacks[i], errs[i] = p.readStack(ctx, name) })
	}
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	before, after := stacks[0], stacks[1]
	keys := maps.Clone(before.keys)
	maps.Copy(keys, after.keys)
	fmt.Fprintf(out, "images: %s -> %s\n", a, b)
	names := unionOfKeys(before.images, after.images)
	texts := make([]strings.Builder, len(names))
	commits := make([][2]string, len(names))
	for i, short := range names {
		wg.Go(func() {
			commits[i] = printImageDiff(ctx, &texts[i], short, before.images[short], after.images[short], keys)
		})
	}
	wg.Wait()
	migrateCommits := [2]string{before.releaseCommit(), after.releaseCommit()}
	for i, short := range names {
		fmt.Fprint(out, texts[i].String())
		if short == migrateImage && commits[i] != [2]string{} {
			migrateCommits = commits[i]
		}
	}
	fmt.Fprintf(out, "\nmigrations: %s -> %s\n", a, b)
	if beforeImage, afterImage := before.images[migrateImage], after.images[migrateImage]; beforeImage != "" && imageDigest(beforeImage) == imageDigest(afterImage) {
		fmt.Fprintln(out, "  none: both run the same image migrate")
	} else {
		p.printMigrationDiff(ctx, out, migrateCommits)
	}
	fmt.Fprintf(out, "\nconfiguration: %s -> %s\n", a, b)
	for _, path := range unionOfKeys(before.config, after.config) {
		if from, to := before.config[path], after.config[path]; from != to {
			fmt.Fprintf(out, "  %s  %s -> %s\n", path, textOrNone(from), textOrNone(to))
		}
	}
	now := time.Now()
	fmt.Fprintf(out, "\npolicies: %s -> %s\n", a, b)
	printPolicyDiff(out, before, after, now)
	fmt.Fprintf(out, "\ncost a month: %s -> %s\n", a, b)
	return printCostDiff(out, before, after, now)
}

// imageDigest returns the digest in REPOSITORY@DIGEST.
func imageDigest(reference string) string {
	_, digest, _ := strings.Cut(reference, "@")
	return digest
}

// releaseCommit returns the commit of the stack's release, or "" without a release.
func (s comparedStack) releaseCommit() string {
	if s.release == nil {
		return ""
	}
	return s.release.Commit
}

// readStack reads everything about a stack that diff compares.
func (p project) readStack(ctx context.Context, name string) (s comparedStack, err error) {
	s = comparedStack{name: name, keys: signkey.Trusted{}}
	file, err := p.readStackFile(name)
	if err != nil {
		return s, err
	}
	s.release = file.Released()
	if len(file.TrustedKeys) > 0 {
		if s.keys, err = p.readTrustedKeys(name, file); err != nil {
			return s, err
		}
	}
	if s.config, err = p.readConfigValues(name); err != nil {
		return s, err
	}
	if s.values, err = stackconfig.Read(filepath.Join(p.dir, fileName(name))); err != nil {
		return s, err
	}
	outputs, err := readOutputs(ctx, p.dir, name)
	if err != nil {
		return s, unreadError(err)
	}
	s.images = outputs.Images
	if s.state, err = (&stackoutput.Stack{Name: name, Dir: p.dir}).Export(ctx); err != nil {
		return s, unreadError(fmt.Errorf("stack %s: %w", name, err))
	}
	return s, nil
}

// printMigrationDiff prints the schema migrations that differ between two commits.
func (p project) printMigrationDiff(ctx context.Context, out io.Writer, commits [2]string) {
	var steps [2]migration.Steps
	for i, commit := range commits {
		if commit == "" {
			fmt.Fprintln(out, "  not known: a stack has neither a release nor signed provenance of its image migrate")
			return
		}
		var err error
		if steps[i], err = p.readMigrations(ctx, commit); err != nil {
			fmt.Fprintf(out, "  not known: %v\n", err)
			return
		}
	}
	reasons := map[string]string{}
	for i := range steps {
		// A step that both stacks have with the same text is not printed.
		differing := maps.Clone(steps[i])
		maps.DeleteFunc(differing, func(name, text string) bool { return steps[1-i][name] == text })
		for _, f := range migration.FindUnsafe(differing) {
			reasons[f.Step] = f.Why
		}
	}
	for _, name := range unionOfKeys(steps[0], steps[1]) {
		first, inFirst := steps[0][name]
		second, inSecond := steps[1][name]
		difference := "changed"
		switch {
		case !inSecond:
			difference = "only the first"
		case !inFirst:
			difference = "only the second"
		case first == second:
			continue
		}
		effect := "only adds"
		if why := reasons[name]; why != "" {
			effect = why
		}
		fmt.Fprintf(out, "  %s  %s; %s\n", name, difference, effect)
	}
}

// printImageDiff prints how an image differs in two stacks. It returns the commits from which the two
// images were built. A commit is "" if it is unknown or if both stacks have the same image.
func printImageDiff(ctx context.Context, out io.Writer, short, a, b string, keys signkey.Trusted) (commits [2]string) {
	before, after := imageDigest(a), imageDigest(b)
	if before == after {
		fmt.Fprintf(out, "  %s  same, %.19s\n", short, after)
		return commits
	}
	fmt.Fprintf(out, "  %s  %.19s -> %.19s\n", short, textOrNone(before), textOrNone(after))
	if a == "" || b == "" {
		return commits
	}
	var contents [2]imageContents
	for i, reference := range []string{a, b} {
		var err error
		if contents[i], err = readImageContents(ctx, reference, keys); err != nil {
			fmt.Fprintf(out, "    commits and modules are not known: %v\n", err)
			return commits
		}
	}
	commits = [2]string{contents[0].commit, contents[1].commit}
	if commits[0] != commits[1] {
		fmt.Fprintf(out, "    commits %.12s..%.12s\n", textOrNone(commits[0]), textOrNone(commits[1]))
	}
	for _, module := range unionOfKeys(contents[0].modules, contents[1].modules) {
		if from, to := contents[0].modules[module], contents[1].modules[module]; from != to {
			fmt.Fprintf(out, "    module %s  %s -> %s\n", module, textOrNone(from), textOrNone(to))
		}
	}
	return commits
}

// textOrNone returns the text, or "none" for an empty string.
func textOrNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// imageContents is the signed information about an image.
type imageContents struct {
	commit string
	// modules has the versions in the SBOM by module.
	modules map[string]string
}

// readImageContents returns the commit and the modules of an image, from its signed attestations.
func readImageContents(ctx context.Context, reference string, keys signkey.Trusted) (imageContents, error) {
	if len(keys) == 0 {
		return imageContents{}, errors.New("neither stack has images.trustedKeys")
	}
	found, err := verifyImage(ctx, reference, keys, gate.BuildPredicateTypes())
	if err != nil {
		return imageContents{}, err
	}
	c := imageContents{modules: map[string]string{}}
	for _, a := range found {
		switch a.PredicateType {
		case attest.ProvenanceType:
			var provenance attest.Provenance
			if err := json.Unmarshal(a.Predicate, &provenance); err != nil {
				return c, fmt.Errorf("provenance of %s: %w", reference, err)
			}
			c.commit = provenance.GitCommit()
		case attest.SPDXType:
			var document struct {
				Packages []struct{ Name, VersionInfo string } `json:"packages"`
			}
			if err := json.Unmarshal(a.Predicate, &document); err != nil {
				return c, fmt.Errorf("SBOM of %s: %w", reference, err)
			}
			for _, p := range document.Packages {
				c.modules[p.Name] = p.VersionInfo
			}
		}
	}
	return c, nil
}

// readConfigValues returns the scalar values of a stack's configuration by path. It replaces
// encrypted values. It leaves out the release and the waivers, because images and policies are compared
// separately. Each waiver names a resource of its own stack.
func (p project) readConfigValues(stack string) (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(p.dir, fileName(stack)))
	if err != nil {
		return nil, err
	}
	var file struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", fileName(stack), err)
	}
	delete(file.Config, "progressive-framework:release")
	if policy, ok := file.Config[waiver.Key].(map[string]any); ok {
		delete(policy, "waivers")
	}
	values := map[string]string{}
	for key, value := range file.Config {
		addScalars(values, key, value)
	}
	return values, nil
}

// addScalars adds the scalar values of value and of its nested values to into, by path. It replaces
// encrypted values by a fixed text.
func addScalars(into map[string]string, path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		if _, encrypted := v["secure"]; encrypted && len(v) == 1 {
			into[path] = "[secret]"
			return
		}
		for key, element := range v {
			addScalars(into, path+"."+key, element)
		}
	case []any:
		for i, element := range v {
			addScalars(into, fmt.Sprintf("%s[%d]", path, i), element)
		}
	default:
		into[path] = fmt.Sprint(v)
	}
}

// unionOfKeys returns the keys of both maps, sorted.
func unionOfKeys[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}
