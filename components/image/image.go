// Package image is the Pulumi resource for a container image that ko builds
// from a Go main package inside the stack. It owns the resource as programs
// see it: arguments, outputs and their first checks. The provider that builds
// and pushes is package provider, and runs as the plugin pulumi-resource-ko;
// nothing here imports ko, so that programs stay small.
package image

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/image/ociplatform"
)

const (
	// Package is the name of the provider; its plugin is pulumi-resource-ko.
	Package = "ko"
	// Token is the type of the resource.
	Token = "ko:index:Image"
	// Version is the version of the plugin. It is raised when the bytes of an
	// image change with its sources unchanged: a new base, a new ko.
	Version = "0.1.0"
)

// ImageArgs say what to build and where to push it. What a build needs is
// plain, so that it is known in every preview.
type ImageArgs struct {
	// ImportPath of the main package, as in
	// github.com/progressive-framework/platform/agents/mca; resolved by the go
	// tool in Dir.
	ImportPath string
	// Repository is where the image goes, with its registry and without a tag:
	// 123456789012.dkr.ecr.eu-west-1.amazonaws.com/progressive/mca. Another
	// repository replaces the image.
	Repository pulumi.StringInput
	// Platforms to build for; ociplatform.Default where empty.
	// With more than one the result is an index.
	Platforms []ociplatform.Platform
	// Base is an image to build upon, by digest (NAME@sha256:...): a tag would
	// make the result depend on the day. Empty means the provider's own base:
	// CA certificates, time zones and the user 65532.
	Base string
	// Labels of the image's config, as org.opencontainers.image.source.
	Labels map[string]string
	// Dir is the folder that the go tool runs in: any inside the module.
	// Relative to the program; the program's own folder where empty.
	Dir string
	// Credentials for the repository; those of the docker config where nil.
	Credentials *Credentials
}

// Credentials are a registry's user and password. The password is kept
// encrypted in the stack's state, as every Pulumi secret is; new credentials
// alone change nothing.
type Credentials struct {
	Username pulumi.StringInput
	Password pulumi.StringInput
}

// Image is a built and pushed image.
type Image struct {
	pulumi.CustomResourceState

	// Digest of the manifest, or of the index; known in previews.
	Digest pulumi.StringOutput `pulumi:"digest"`
	// Reference is REPOSITORY@DIGEST: what a pod runs.
	Reference pulumi.StringOutput `pulumi:"reference"`
	// Tag is this resource's claim on the manifest, STACK-NAME-DIGEST (its first
	// twelve digits). It never moves.
	Tag pulumi.StringOutput `pulumi:"tag"`
	// SBOMReference is REPOSITORY@DIGEST of the SPDX document's manifest.
	SBOMReference pulumi.StringOutput `pulumi:"sbomReference"`
	// Size is what a registry stores: bytes of the compressed layers and
	// configs, all platforms together.
	Size pulumi.IntOutput `pulumi:"size"`
	// GoVersion is the toolchain that built the image; a change of it changes
	// the digest.
	GoVersion pulumi.StringOutput `pulumi:"goVersion"`
}

// NewImage registers an image that is built from args.ImportPath and pushed to
// args.Repository. It returns an error that names every fault of args.
func NewImage(ctx *pulumi.Context, name string, args *ImageArgs, opts ...pulumi.ResourceOption) (*Image, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("image %q: %w", name, err)
	}
	opts = append(opts, pulumi.AdditionalSecretOutputs([]string{"credentials"}))
	img := &Image{}
	if err := ctx.RegisterResource(Token, name, args.inputs(), img, opts...); err != nil {
		return nil, fmt.Errorf("image %q: %w", name, err)
	}
	return img, nil
}

// validate reports every fault that is visible before anything is resolved;
// the provider checks the rest.
func (a *ImageArgs) validate() error {
	if a == nil {
		return errors.New("args are nil: ImportPath and Repository are required")
	}
	var faults []error
	if strings.TrimSpace(a.ImportPath) == "" {
		faults = append(faults, errors.New("ImportPath is empty: name a Go main package, such as example.com/module/cmd/server"))
	}
	if a.Repository == nil {
		faults = append(faults, errors.New("Repository is nil: give the repository to push to, such as the URL of an ECR repository"))
	}
	for _, p := range a.Platforms {
		if !slices.Contains(p.Values(), string(p)) {
			faults = append(faults, fmt.Errorf("Platforms holds %q: use %s", p, strings.Join(p.Values(), " or ")))
		}
	}
	if c := a.Credentials; c != nil && (c.Username == nil || c.Password == nil) {
		faults = append(faults, errors.New("Credentials need both Username and Password; leave Credentials nil to use the docker config"))
	}
	return errors.Join(faults...)
}

// inputs renders the args as the provider reads them; what is not set is left
// out, so that the provider's defaults hold.
func (a *ImageArgs) inputs() pulumi.Map {
	in := pulumi.Map{
		"importPath": pulumi.String(a.ImportPath),
		"repository": a.Repository,
	}
	if len(a.Platforms) > 0 {
		platforms := make(pulumi.StringArray, len(a.Platforms))
		for i, p := range a.Platforms {
			platforms[i] = pulumi.String(p)
		}
		in["platforms"] = platforms
	}
	if a.Base != "" {
		in["base"] = pulumi.String(a.Base)
	}
	if len(a.Labels) > 0 {
		in["labels"] = pulumi.ToStringMap(a.Labels)
	}
	if a.Dir != "" {
		in["dir"] = pulumi.String(a.Dir)
	}
	if a.Credentials != nil {
		in["credentials"] = pulumi.Map{
			"username": a.Credentials.Username,
			"password": pulumi.ToSecret(a.Credentials.Password),
		}
	}
	return in
}
