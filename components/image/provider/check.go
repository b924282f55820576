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

	"github.com/progressive-framework/platform/components/image/imagetag"
	"github.com/progressive-framework/platform/components/image/ociplatform"
)

var (
	// buildInputs are the inputs of a build. If one is unknown, nothing is built.
	buildInputs = []string{"importPath", "platforms", "base", "labels", "dir"}
	// computedInputs are the inputs that Check computes.
	computedInputs = []string{"digest", "tag", "goVersion"}
)

// Check validates the inputs, reports all errors together, and builds the image.
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
	if err := in.identifySigner(ctx); err != nil {
		resp.Failures, err = checkFailure(err)
		return resp, err
	}
	for _, name := range buildInputs {
		if req.NewInputs.Get(name).HasComputed() {
			resp.Inputs = in
			return resp, nil
		}
	}
	if err := i.computeInputs(ctx, &in, req.OldInputs); err != nil {
		resp.Failures, err = checkFailure(err)
		return resp, err
	}
	resp.Inputs = in
	return resp, nil
}

// computeInputs computes the inputs that are properties of the image. before are the inputs of the
// last update. If all inputs of the build are unchanged, computeInputs copies the properties from
// before. Otherwise it builds the image.
func (i *Image) computeInputs(ctx context.Context, in *ImageInputs, before property.Map) error {
	toolchain, err := i.builder.isolated()
	if err != nil {
		return fmt.Errorf("building %s: %w", in.ImportPath, err)
	}
	sources, err := in.recipe().fingerprint(toolchain)
	if err != nil {
		return err
	}
	previous := func(name string) string {
		v := before.Get(name)
		if !v.IsString() {
			return ""
		}
		return v.AsString()
	}
	if hex, ok := strings.CutPrefix(previous("digest"), "sha256:"); ok && sources != "" && sources == previous("sources") {
		in.Digest, in.GoVersion, in.Sources = previous("digest"), previous("goVersion"), sources
		in.Tag = resourceTag(urnOf(ctx), "", hex)
		return nil
	}
	result, err := i.builder.build(ctx, in.recipe(), in.keychain())
	if err != nil {
		return err
	}
	in.Digest, in.GoVersion = result.digest.String(), result.goVersion
	in.Tag = resourceTag(urnOf(ctx), "", result.digest.Hex)
	// If the sources changed during the build, their hash says nothing about the
	// image.
	if after, err := in.recipe().fingerprint(toolchain); err == nil && after == sources {
		in.Sources = sources
	}
	return nil
}

// canonical returns the platforms sorted and without duplicates, so that neither
// order nor duplicates change the digest.
func canonical(platforms []string) []string {
	if len(platforms) == 0 {
		return []string{string(ociplatform.Default)}
	}
	out := slices.Clone(platforms)
	slices.Sort(out)
	return slices.Compact(out)
}

// importPath matches the import path of one package: no pattern, relative path or
// flag.
var importPath = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.~+-]*(/[A-Za-z0-9_~+-][A-Za-z0-9_.~+-]*)*$`)

// faults returns a failure for each invalid input. Unknown inputs are not checked.
func faults(given property.Map, in ImageInputs) []p.CheckFailure {
	return failures(given, []inputRule{
		{"importPath", func() string { return badImportPath(in.ImportPath) }},
		{"repository", func() string { return badRepository(in.Repository) }},
		{"platforms", func() string { return badPlatforms(in.Platforms) }},
		{"base", func() string { return badBase(value(in.Base)) }},
		{"labels", func() string { return badLabels(in.Labels) }},
		{"digest", func() string { return mustBeUnset(in.Digest) }},
		{"tag", func() string { return mustBeUnset(in.Tag) }},
		{"goVersion", func() string { return mustBeUnset(in.GoVersion) }},
		{"sources", func() string { return mustBeUnset(in.Sources) }},
		{"signedBy", func() string { return mustBeUnset(in.SignedBy) }},
	})
}

// inputRule checks one input.
type inputRule struct {
	property string
	check    func() string // returns the reason and the fix, or an empty string
}

// failures returns a failure for each rule that a known input breaks.
func failures(given property.Map, rules []inputRule) []p.CheckFailure {
	var out []p.CheckFailure
	for _, rule := range rules {
		if given.Get(rule.property).HasComputed() {
			continue
		}
		if reason := rule.check(); reason != "" {
			out = append(out, p.CheckFailure{Property: rule.property, Reason: reason})
		}
	}
	return out
}

// badImportPath returns the reason why an import path is invalid, with the fix, or "".
func badImportPath(path string) string {
	switch {
	case strings.HasPrefix(path, "."), strings.HasPrefix(path, "/"):
		return fmt.Sprintf("%q is a file path: use the import path of the package, MODULE/FOLDER", path)
	case !importPath.MatchString(path):
		return fmt.Sprintf("%q is not an import path of one package: use a full path such as example.com/module/cmd/server", path)
	}
	return ""
}

// badRepository returns the reason why a repository is invalid, with the fix, or "".
func badRepository(repository string) string {
	_, err := name.NewRepository(repository, name.StrictValidation)
	if err == nil && strings.Contains(repository, "://") {
		err = errors.New("it has a scheme")
	}
	if err != nil {
		return fmt.Sprintf("%q is not a repository (%v): use REGISTRY/PATH without a tag or scheme, "+
			"such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/service", repository, err)
	}
	return ""
}

// badPlatforms returns the reason why a list of platforms is invalid, with the fix, or "".
func badPlatforms(platforms []string) string {
	supported := ociplatform.Platform("").Values()
	for _, platform := range platforms {
		if !slices.Contains(supported, platform) {
			return fmt.Sprintf("%q is not a supported platform: use %s", platform, strings.Join(supported, " or "))
		}
	}
	return ""
}

// badBase returns the reason why a base image is invalid, with the fix, or "".
func badBase(base string) string {
	if base == "" {
		return ""
	}
	if _, err := name.NewDigest(base, name.StrictValidation); err != nil {
		return fmt.Sprintf("%q does not name an image by its digest (%v): use REGISTRY/PATH@sha256:DIGEST, "+
			"because the image of a tag can change", base, err)
	}
	return ""
}

// badLabels returns the reason why a map of labels is invalid, with the fix, or "".
func badLabels(labels map[string]string) string {
	for key := range labels {
		if strings.TrimSpace(key) == "" {
			return "a label has no name: set one such as org.opencontainers.image.source"
		}
	}
	return ""
}

// mustBeUnset returns the reason why a program must not set an input that Check computes, or "".
func mustBeUnset(value string) string {
	if value == "" {
		return ""
	}
	return "is set by the provider: remove it from the program"
}

// invalidInTags matches characters that a tag can't have.
var invalidInTags = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// resourceTag returns the tag of a resource for a digest: STACK-NAME-DIGEST. Each
// resource of each stack has its own tag, so that its deletion keeps a manifest that
// others use. The tag has the digest, so that it never moves, as repositories with
// immutable tags require.
//
// The tag of a promoted image has a prefix. A promoted image can replace an Image with the
// same name and digest. Their tags differ, so that the deletion of the old Image keeps the
// manifest.
func resourceTag(urn resource.URN, prefix, hex string) string {
	owner := "image"
	if urn.IsValid() {
		owner = string(urn.Stack().Name()) + "-" + urn.Name()
	}
	owner = prefix + owner
	owner = strings.TrimLeft(invalidInTags.ReplaceAllString(owner, "-"), ".-")
	const maxOwner = 128 - 1 - imagetag.Digits // a tag has at most 128 characters
	if len(owner) > maxOwner {
		owner = owner[:maxOwner]
	}
	return owner + "-" + hex[:imagetag.Digits]
}
