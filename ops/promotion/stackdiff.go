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

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/signkey"
)

// DiffCommand returns the subcommand diff. stack has the flag --cwd.
func DiffCommand(stack *stackoutput.Stack) *cobra.Command {
	return &cobra.Command{
		Use:   "diff STACK_A STACK_B",
		Short: "Say how two stacks differ: images, commits, modules, configuration",
		Long: "Compare the images that two stacks run, with the git commit of each from its signed\n" +
			"provenance and the modules from its signed SBOM, and the keys of their configuration.\n" +
			"An encrypted value is never shown.",
		Example: "  pf diff staging prod",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := newProject(stack.Dir)
			if err != nil {
				return err
			}
			return p.diff(c.Context(), c.OutOrStdout(), args[0], args[1])
		},
	}
}

func (p project) diff(ctx context.Context, out io.Writer, a, b string) error {
	var images [2]map[string]string
	var configs [2]map[string]string
	keys := signkey.Trusted{}
	for i, stack := range []string{a, b} {
		file, err := p.read(stack)
		if err != nil {
			return err
		}
		if len(file.TrustedKeys) > 0 {
			own, err := p.keys(stack, file)
			if err != nil {
				return err
			}
			maps.Copy(keys, own)
		}
		if configs[i], err = p.config(stack); err != nil {
			return err
		}
		outputs, err := outputsOf(ctx, p.dir, stack)
		if err != nil {
			return unread(err)
		}
		images[i] = outputs.Images
	}
	fmt.Fprintf(out, "images: %s -> %s\n", a, b)
	for _, short := range union(images[0], images[1]) {
		p.diffImage(ctx, out, short, images[0][short], images[1][short], keys)
	}
	fmt.Fprintf(out, "\nconfiguration: %s -> %s\n", a, b)
	for _, path := range union(configs[0], configs[1]) {
		if before, after := configs[0][path], configs[1][path]; before != after {
			fmt.Fprintf(out, "  %s  %s -> %s\n", path, orNone(before), orNone(after))
		}
	}
	return nil
}

// diffImage prints how an image differs in two stacks.
func (p project) diffImage(ctx context.Context, out io.Writer, short, a, b string, keys signkey.Trusted) {
	_, before, _ := strings.Cut(a, "@")
	_, after, _ := strings.Cut(b, "@")
	if before == after {
		fmt.Fprintf(out, "  %s  same, %.19s\n", short, after)
		return
	}
	fmt.Fprintf(out, "  %s  %.19s -> %.19s\n", short, orNone(before), orNone(after))
	if a == "" || b == "" {
		return
	}
	old, err := contentsOf(ctx, a, keys)
	if err == nil {
		var current contents
		if current, err = contentsOf(ctx, b, keys); err == nil {
			if old.commit != current.commit {
				fmt.Fprintf(out, "    commit %.12s -> %.12s\n", orNone(old.commit), orNone(current.commit))
			}
			for _, module := range union(old.modules, current.modules) {
				if from, to := old.modules[module], current.modules[module]; from != to {
					fmt.Fprintf(out, "    module %s  %s -> %s\n", module, orNone(from), orNone(to))
				}
			}
			return
		}
	}
	fmt.Fprintf(out, "    commits and modules are not known: %v\n", err)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// contents is what is signed about an image.
type contents struct {
	commit string
	// modules are versions by names.
	modules map[string]string
}

func contentsOf(ctx context.Context, reference string, keys signkey.Trusted) (contents, error) {
	if len(keys) == 0 {
		return contents{}, errors.New("neither stack has images.trustedKeys")
	}
	found, err := verifyImage(ctx, reference, keys)
	if err != nil {
		return contents{}, err
	}
	c := contents{modules: map[string]string{}}
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

// config returns the leaves of a stack's configuration by path. An encrypted value is
// replaced, and the release is left out: the images are compared.
func (p project) config(stack string) (map[string]string, error) {
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
	leaves := map[string]string{}
	for key, value := range file.Config {
		flatten(leaves, key, value)
	}
	return leaves, nil
}

// flatten adds the leaves below a value.
func flatten(into map[string]string, path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		if _, encrypted := v["secure"]; encrypted && len(v) == 1 {
			into[path] = "[secret]"
			return
		}
		for key, member := range v {
			flatten(into, path+"."+key, member)
		}
	case []any:
		for i, member := range v {
			flatten(into, fmt.Sprintf("%s[%d]", path, i), member)
		}
	default:
		into[path] = fmt.Sprint(v)
	}
}

// union lists the keys of two maps, sorted.
func union[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}
