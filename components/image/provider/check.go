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
	for _, f := range checkImageInputs(req.NewInputs, in) {
		hasSameProperty := func(other p.CheckFailure) bool { return other.Property == f.Property }
		if !slices.ContainsFunc(failures, hasSameProperty) {
			failures = append(failures, f)
		}
	}
	if len(failures) > 0 {
		resp.Failures = failures
		return resp, nil
	}
	in.Platforms = canonicalPlatforms(in.Platforms)
	if err := in.identifySigner(ctx); err != nil {
		resp.Failures, err = toCheckFailures(err)
		return resp, err
	}
	for _, name := range buildInputs {
		if req.NewInputs.Get(name).HasComputed() {
			resp.Inputs = in
			return resp, nil
		}
	}
	if err := i.computeInputs(ctx, &in, req.OldInputs); err != nil {
		resp.Failures, err = toCheckFailures(err)
		return resp, err
	}
	resp.Inputs = in
	return resp, nil
}

// computeInputs computes the inputs that are properties of the image. oldInputs are the inputs of
// the last update. If all inputs of the build are unchanged, computeInputs copies the properties
// from oldInputs. Otherwise it builds the image.
func (i *Image) computeInputs(ctx context.Context, in *ImageInputs, oldInputs property.Map) error {
	toolchain, err := i.builder.isolate()
	if err != nil {
		return fmt.Errorf("building %s: %w", in.ImportPath, err)
	}
	fingerprint, err := in.recipe().fingerprint(toolchain)
	if err != nil {
		return err
	}
	oldInput := func(name string) string {
		v := oldInputs.Get(name)
		if !v.IsString() {
			return ""
		}
		return v.AsString()
	}
	isUnchanged := fingerprint != "" && fingerprint == oldInput("sources")
	if hex, ok := strings.CutPrefix(oldInput("digest"), "sha256:"); ok && isUnchanged {
		in.Digest, in.GoVersion, in.Sources = oldInput("digest"), oldInput("goVersion"), fingerprint
		in.Tag = resourceTag(urnFromContext(ctx), "", hex)
		return nil
	}
	image, err := i.builder.build(ctx, in.recipe(), i.keychain(*in))
	if err != nil {
		return err
	}
	in.Digest, in.GoVersion = image.digest.String(), image.goVersion
	in.Tag = resourceTag(urnFromContext(ctx), "", image.digest.Hex)
	// If the sources changed during the build, the fingerprint does not describe the image.
	if newFingerprint, err := in.recipe().fingerprint(toolchain); err == nil && newFingerprint == fingerprint {
		in.Sources = fingerprint
	}
	return nil
}

// canonicalPlatforms returns the platforms sorted and without duplicates, so that neither
// order nor duplicates change the digest. An empty list means the default platform.
func canonicalPlatforms(platforms []string) []string {
	if len(platforms) == 0 {
		return []string{string(ociplatform.Default)}
	}
	sorted := slices.Clone(platforms)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// importPathPattern matches the import path of one package: no pattern, relative path or
// flag.
var importPathPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.~+-]*(/[A-Za-z0-9_~+-][A-Za-z0-9_.~+-]*)*$`)

// checkImageInputs returns a failure for each invalid input. Unknown inputs are not checked.
func checkImageInputs(newInputs property.Map, in ImageInputs) []p.CheckFailure {
	return checkInputs(newInputs, []inputRule{
		{"importPath", func() string { return importPathProblem(in.ImportPath) }},
		{"repository", func() string { return repositoryProblem(in.Repository) }},
		{"platforms", func() string { return platformsProblem(in.Platforms) }},
		{"base", func() string { return baseProblem(stringOrEmpty(in.Base)) }},
		{"labels", func() string { return labelsProblem(in.Labels) }},
		{"login", func() string { return loginProblem(in.Login) }},
		{"digest", func() string { return computedInputProblem(in.Digest) }},
		{"tag", func() string { return computedInputProblem(in.Tag) }},
		{"goVersion", func() string { return computedInputProblem(in.GoVersion) }},
		{"sources", func() string { return computedInputProblem(in.Sources) }},
		{"signedBy", func() string { return computedInputProblem(in.SignedBy) }},
	})
}

// inputRule checks one input.
type inputRule struct {
	property    string
	findProblem func() string // returns the reason and the fix, or an empty string
}

// checkInputs returns a failure for each rule that a known input breaks.
func checkInputs(newInputs property.Map, rules []inputRule) []p.CheckFailure {
	var failures []p.CheckFailure
	for _, rule := range rules {
		if newInputs.Get(rule.property).HasComputed() {
			continue
		}
		if reason := rule.findProblem(); reason != "" {
			failures = append(failures, p.CheckFailure{Property: rule.property, Reason: reason})
		}
	}
	return failures
}

// importPathProblem returns the reason why an import path is invalid, with the fix, or "".
func importPathProblem(path string) string {
	switch {
	case strings.HasPrefix(path, "."), strings.HasPrefix(path, "/"):
		return fmt.Sprintf("%q is a file path: use the import path of the package, MODULE/FOLDER", path)
	case !importPathPattern.MatchString(path):
		return fmt.Sprintf("%q is not an import path of one package: use a full path such as example.com/module/cmd/server", path)
	}
	return ""
}

// repositoryProblem returns the reason why a repository is invalid, with the fix, or "".
func repositoryProblem(repository string) string {
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

// platformsProblem returns the reason why a list of platforms is invalid, with the fix, or "".
func platformsProblem(platforms []string) string {
	supported := ociplatform.Platform("").Values()
	for _, platform := range platforms {
		if !slices.Contains(supported, platform) {
			return fmt.Sprintf("%q is not a supported platform: use %s", platform, strings.Join(supported, " or "))
		}
	}
	return ""
}

// baseProblem returns the reason why a base image is invalid, with the fix, or "".
func baseProblem(base string) string {
	if base == "" {
		return ""
	}
	if _, err := name.NewDigest(base, name.StrictValidation); err != nil {
		return fmt.Sprintf("%q does not name an image by its digest (%v): use REGISTRY/PATH@sha256:DIGEST, "+
			"because the image of a tag can change", base, err)
	}
	return ""
}

// labelsProblem returns the reason why a map of labels is invalid, with the fix, or "".
func labelsProblem(labels map[string]string) string {
	for key := range labels {
		if strings.TrimSpace(key) == "" {
			return "a label has no name: set one such as org.opencontainers.image.source"
		}
	}
	return ""
}

// computedInputProblem returns the reason why a program must not set an input that Check
// computes, or "".
func computedInputProblem(value string) string {
	if value == "" {
		return ""
	}
	return "is set by the provider: remove it from the program"
}

// invalidTagCharacters matches characters that a tag can't have.
var invalidTagCharacters = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// resourceTag returns the tag of a resource for a digest: STACK-NAME-DIGEST. Each
// resource of each stack has its own tag. So the deletion of a resource keeps a manifest that
// another resource uses. The tag includes the digest, so it never moves to another manifest.
// Repositories with immutable tags require that.
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
	owner = strings.TrimLeft(invalidTagCharacters.ReplaceAllString(owner, "-"), ".-")
	const maxOwner = 128 - 1 - imagetag.Digits // a tag has at most 128 characters
	if len(owner) > maxOwner {
		owner = owner[:maxOwner]
	}
	return owner + "-" + hex[:imagetag.Digits]
}
