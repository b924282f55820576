// Package image owns two Pulumi resources: Image, a container image that ko builds from a Go main
// package, and Promoted, an image that another stack has built. This package has the arguments, the
// outputs and the first checks of both. Package provider builds, copies and pushes the images, in
// the plugin pulumi-resource-ko. This package does not import ko, so that programs stay small.
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
	// Package is the name of the provider. Its plugin is pulumi-resource-ko.
	Package = "ko"
	// Token is the type of the resource.
	Token = "ko:index:Image"
	// Version is the version of the plugin. Increase it when images change without
	// a change of their sources, for example with a new base or a new ko.
	Version = "0.1.0"
)

// ImageArgs configure an Image. The arguments of the build are plain values and not
// outputs, so that they are known in every preview.
type ImageArgs struct {
	// ImportPath is the import path of the main package, such as
	// github.com/progressive-framework/platform/agents/mca. The go tool resolves
	// it in Dir.
	ImportPath string
	// Repository is the registry and the repository without a tag, such as
	// 123456789012.dkr.ecr.eu-west-1.amazonaws.com/progressive/mca. A change
	// of the repository replaces the image.
	Repository pulumi.StringInput
	// Platforms are the platforms to build for. Empty means ociplatform.Default.
	// With more than one the result is an index.
	Platforms []ociplatform.Platform
	// Base is the base image by digest (NAME@sha256:...). A tag is an error,
	// because the result would change with the tag. Empty means the provider's
	// base: CA certificates, time zones and the user 65532.
	Base string
	// Labels are labels of the image config, such as
	// org.opencontainers.image.source.
	Labels map[string]string
	// Dir is the folder in which the go tool runs: any folder of the module,
	// relative to the program. Empty means the program's folder.
	Dir string
	// SigningKey is the key that signs the image's provenance and SBOM. It is a key of AWS
	// KMS, awskms:///KEY, or a file with the private key (ECDSA P-256, PKCS #8 in PEM),
	// relative to the program. The content of the file is never in the stack's state. Empty
	// means that nothing is signed.
	SigningKey string
	// Login is the login at the ECR registry of the repository. nil means that of the
	// docker config.
	Login *ECRLogin
}

// ECRLogin says how the provider logs in to ECR. It has no password: the provider runs
// `aws ecr get-login-password` whenever it needs one. A new login alone does not change the
// image.
type ECRLogin struct {
	// Region is the region of the registry, such as us-east-1.
	Region string
	// Profile is a profile of AWS's config file. Empty means the credentials of the
	// environment.
	Profile string
	// RoleARN is the role that these credentials assume first. Empty means none.
	RoleARN string
}

// Image is a built and pushed image.
type Image struct {
	pulumi.CustomResourceState

	// Digest is the digest of the manifest or of the index. It is known in
	// previews.
	Digest pulumi.StringOutput `pulumi:"digest"`
	// Reference is REPOSITORY@DIGEST, for pods.
	Reference pulumi.StringOutput `pulumi:"reference"`
	// Tag is the tag of this resource: STACK-NAME-DIGEST, with the first twelve
	// digits of the digest. It never moves to another manifest.
	Tag pulumi.StringOutput `pulumi:"tag"`
	// SBOMReference is REPOSITORY@DIGEST of the manifest of the SPDX document.
	SBOMReference pulumi.StringOutput `pulumi:"sbomReference"`
	// Size is the number of bytes in the registry: compressed layers and configs
	// of all platforms.
	Size pulumi.IntOutput `pulumi:"size"`
	// GoVersion is the Go toolchain that built the image. A different
	// toolchain changes the digest.
	GoVersion pulumi.StringOutput `pulumi:"goVersion"`
}

// NewImage registers an image that is built from args.ImportPath and pushed to
// args.Repository. Its error lists all errors of args.
func NewImage(ctx *pulumi.Context, name string, args *ImageArgs, opts ...pulumi.ResourceOption) (*Image, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("image %q: %w", name, err)
	}
	img := &Image{}
	if err := ctx.RegisterResource(Token, name, args.inputs(), img, opts...); err != nil {
		return nil, fmt.Errorf("image %q: %w", name, err)
	}
	return img, nil
}

// validate reports all errors that are visible before outputs are resolved. The
// provider checks the rest.
func (a *ImageArgs) validate() error {
	if a == nil {
		return errors.New("args are nil: ImportPath and Repository are required")
	}
	var errs []error
	if strings.TrimSpace(a.ImportPath) == "" {
		errs = append(errs, errors.New("ImportPath is empty: set a Go main package, such as example.com/module/cmd/server"))
	}
	if a.Repository == nil {
		errs = append(errs, errors.New("Repository is nil: set the repository to push to, such as the URL of an ECR repository"))
	}
	for _, p := range a.Platforms {
		if !slices.Contains(p.Values(), string(p)) {
			errs = append(errs, fmt.Errorf("Platforms holds %q: use %s", p, strings.Join(p.Values(), " or ")))
		}
	}
	return errors.Join(append(errs, a.Login.validate())...)
}

// validate returns an error if Region is empty. A nil login is valid.
func (l *ECRLogin) validate() error {
	if l != nil && l.Region == "" {
		return errors.New("Login.Region is empty: set the region of the registry; leave Login nil to use the docker config")
	}
	return nil
}

// inputs converts the login to inputs of the provider. Unset fields are left out.
func (l *ECRLogin) inputs() pulumi.Map {
	inputs := pulumi.Map{"region": pulumi.String(l.Region)}
	if l.Profile != "" {
		inputs["profile"] = pulumi.String(l.Profile)
	}
	if l.RoleARN != "" {
		inputs["roleArn"] = pulumi.String(l.RoleARN)
	}
	return inputs
}

// inputs converts the args to the inputs of the provider. Unset args are left out,
// so that the provider's defaults apply.
func (a *ImageArgs) inputs() pulumi.Map {
	inputs := pulumi.Map{
		"importPath": pulumi.String(a.ImportPath),
		"repository": a.Repository,
	}
	if len(a.Platforms) > 0 {
		platforms := make(pulumi.StringArray, len(a.Platforms))
		for i, p := range a.Platforms {
			platforms[i] = pulumi.String(p)
		}
		inputs["platforms"] = platforms
	}
	if a.Base != "" {
		inputs["base"] = pulumi.String(a.Base)
	}
	if len(a.Labels) > 0 {
		inputs["labels"] = pulumi.ToStringMap(a.Labels)
	}
	if a.Dir != "" {
		inputs["dir"] = pulumi.String(a.Dir)
	}
	if a.SigningKey != "" {
		inputs["signingKey"] = pulumi.String(a.SigningKey)
	}
	if a.Login != nil {
		inputs["login"] = a.Login.inputs()
	}
	return inputs
}
