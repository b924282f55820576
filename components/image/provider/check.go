package provider

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/progressive-framework/platform/components/image/ociplatform"
)

var (
	// ingredients are the inputs that a build needs; while one is unknown
	// nothing is built.
	ingredients = []string{"importPath", "platforms", "base", "labels", "dir"}
	// computed are the inputs that Check computes.
	computed = []string{"digest", "tag", "goVersion"}
)

// Check validates the inputs, reports every fault at once, and builds.
func (i *Image) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[ImageInputs], error) {
	in, failures, err := infer.DefaultCheck[ImageInputs](ctx, req.NewInputs)
	resp := infer.CheckResponse[ImageInputs]{Inputs: in}
	if err != nil {
		return resp, err
	}
	for _, f := range faults(req.NewInputs, in) {
		reported := func(other p.CheckFailure) bool { return other.Property == f.Property }
		if !slices.ContainsFunc(failures, reported) {
			failures = append(failures, f)
		}
	}
	if len(failures) > 0 {
		resp.Failures = failures
		return resp, nil
	}
	in.Platforms = canonical(in.Platforms)
	for _, name := range ingredients {
		if req.NewInputs.Get(name).HasComputed() {
			resp.Inputs = in
			return resp, nil
		}
	}
	if err := i.complete(ctx, &in, req.OldInputs); err != nil {
		resp.Failures, err = failure(err)
		return resp, err
	}
	resp.Inputs = in
	return resp, nil
}

// complete computes what the inputs say of the image: from before, where
// everything that it is made from is as it was, else by building it.
func (i *Image) complete(ctx context.Context, in *ImageInputs, before property.Map) error {
	toolchain, err := i.builder.isolated()
	if err != nil {
		return fmt.Errorf("building %s: %w", in.ImportPath, err)
	}
	sources, err := in.recipe().fingerprint(toolchain)
	if err != nil {
		return err
	}
	was := func(name string) string {
		v := before.Get(name)
		if !v.IsString() {
			return ""
		}
		return v.AsString()
	}
	if hex, ok := strings.CutPrefix(was("digest"), "sha256:"); ok && sources != "" && sources == was("sources") {
		in.Digest, in.GoVersion, in.Sources = was("digest"), was("goVersion"), sources
		in.Tag = claim(urnOf(ctx), hex)
		return nil
	}
	result, err := i.builder.build(ctx, in.recipe(), in.keychain())
	if err != nil {
		return err
	}
	in.Digest, in.GoVersion = result.digest.String(), result.goVersion
	in.Tag = claim(urnOf(ctx), result.digest.Hex)
	// Sources that were changed while they were compiled stand for nothing.
	if after, err := in.recipe().fingerprint(toolchain); err == nil && after == sources {
		in.Sources = sources
	}
	return nil
}

// canonical is the platforms without a repetition, in one order: neither may
// change the digest.
func canonical(platforms []string) []string {
	if len(platforms) == 0 {
		return []string{string(ociplatform.Default)}
	}
	out := slices.Clone(platforms)
	slices.Sort(out)
	return slices.Compact(out)
}

// importPath is what names one package: no pattern, no relative path, no flag.
var importPath = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.~+-]*(/[A-Za-z0-9_~+-][A-Za-z0-9_.~+-]*)*$`)

// faults are the inputs that no build can succeed with. Unknown inputs are
// not judged.
func faults(given property.Map, in ImageInputs) []p.CheckFailure {
	rules := []struct {
		property string
		broken   func() string // the reason and the mend; empty where all is well
	}{
		{"importPath", func() string { return badImportPath(in.ImportPath) }},
		{"repository", func() string { return badRepository(in.Repository) }},
		{"platforms", func() string { return badPlatforms(in.Platforms) }},
		{"base", func() string { return badBase(value(in.Base)) }},
		{"labels", func() string { return badLabels(in.Labels) }},
		{"digest", func() string { return notGiven(in.Digest) }},
		{"tag", func() string { return notGiven(in.Tag) }},
		{"goVersion", func() string { return notGiven(in.GoVersion) }},
		{"sources", func() string { return notGiven(in.Sources) }},
	}
	var out []p.CheckFailure
	for _, rule := range rules {
		if given.Get(rule.property).HasComputed() {
			continue
		}
		if reason := rule.broken(); reason != "" {
			out = append(out, p.CheckFailure{Property: rule.property, Reason: reason})
		}
	}
	return out
}

func badImportPath(path string) string {
	switch {
	case strings.HasPrefix(path, "."), strings.HasPrefix(path, "/"):
		return fmt.Sprintf("%q is a file path; give the import path, as in the package's import line: MODULE/folder", path)
	case !importPath.MatchString(path):
		return fmt.Sprintf("%q is not an import path of one package; give it in full, such as example.com/module/cmd/server", path)
	}
	return ""
}

func badRepository(repository string) string {
	_, err := name.NewRepository(repository, name.StrictValidation)
	if err == nil && strings.Contains(repository, "://") {
		err = errors.New("it has a scheme")
	}
	if err != nil {
		return fmt.Sprintf("%q is not a repository (%v); give REGISTRY/PATH without a tag or scheme, "+
			"such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/service", repository, err)
	}
	return ""
}

func badPlatforms(platforms []string) string {
	known := ociplatform.Platform("").Values()
	for _, given := range platforms {
		if !slices.Contains(known, given) {
			return fmt.Sprintf("%q is not a platform that images are built for; use %s", given, strings.Join(known, " or "))
		}
	}
	return ""
}

func badBase(base string) string {
	if base == "" {
		return ""
	}
	if _, err := name.NewDigest(base, name.StrictValidation); err != nil {
		return fmt.Sprintf("%q does not name an image by its digest (%v); give REGISTRY/PATH@sha256:DIGEST: "+
			"with a tag the result would depend on the day", base, err)
	}
	return ""
}

func badLabels(labels map[string]string) string {
	for key := range labels {
		if strings.TrimSpace(key) == "" {
			return "a label has no name; name it, such as org.opencontainers.image.source"
		}
	}
	return ""
}

func notGiven(value string) string {
	if value == "" {
		return ""
	}
	return "is set by the provider and cannot be given; remove it"
}

// claimDigits of the digest are enough to keep the tags of one image apart.
const claimDigits = 12

// notInTags are the characters that a tag cannot hold.
var notInTags = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// claim is the tag of a resource for a digest: STACK-NAME-DIGEST. Each stack
// and each resource tags for itself, so that one which is deleted leaves the
// manifest to the others; and the digest is part of it, so that no tag ever
// moves and repositories with immutable tags accept it.
func claim(urn resource.URN, hex string) string {
	owner := "image"
	if urn.IsValid() {
		owner = string(urn.Stack().Name()) + "-" + urn.Name()
	}
	owner = strings.TrimLeft(notInTags.ReplaceAllString(owner, "-"), ".-")
	const longest = 128 - 1 - claimDigits // a tag has at most 128 characters
	if len(owner) > longest {
		owner = owner[:longest]
	}
	return owner + "-" + hex[:claimDigits]
}
