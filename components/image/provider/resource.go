package provider

import (
	"github.com/pulumi/pulumi-go-provider/infer"

	"github.com/progressive-framework/platform/components/image/ociplatform"
)

// ImageSpec has the properties that inputs and state share. Check computes the last four
// from the sources and the signing key. So Pulumi shows them in a preview, and compares
// them with the pushed image.
type ImageSpec struct {
	ImportPath string            `pulumi:"importPath"`
	Repository string            `pulumi:"repository"`
	Platforms  []string          `pulumi:"platforms,optional"`
	Base       *string           `pulumi:"base,optional"`
	Labels     map[string]string `pulumi:"labels,optional"`
	Dir        *string           `pulumi:"dir,optional"`
	SigningKey *string           `pulumi:"signingKey,optional"`

	Digest    string `pulumi:"digest,optional"`
	Tag       string `pulumi:"tag,optional"`
	GoVersion string `pulumi:"goVersion,optional"`
	SignedBy  string `pulumi:"signedBy,optional"`
}

// Annotate documents the properties in the schema.
func (s *ImageSpec) Annotate(a infer.Annotator) {
	a.Describe(&s.ImportPath, "Go main package to build, as a full import path.")
	a.Describe(&s.Repository, "Repository to push to: REGISTRY/PATH without a tag. A change replaces the image.")
	a.Describe(&s.Platforms, "Platforms as OS/ARCH; "+string(ociplatform.Default)+" if empty. More than one makes an index.")
	a.Describe(&s.Base, "Base image as NAME@sha256:DIGEST; the provider's minimal base if empty.")
	a.Describe(&s.Labels, "Labels of the image config.")
	a.Describe(&s.Dir, "Folder in which the go tool runs, relative to the program.")
	a.Describe(&s.SigningKey, "Key that signs the image's provenance and SBOM: a file, relative to the program, or awskms:///KEY of AWS KMS; nothing is signed if empty.")
	a.Describe(&s.Digest, "Set by the provider: the digest of the image that the sources give.")
	a.Describe(&s.Tag, "Set by the provider: the tag of the manifest, STACK-NAME-DIGEST.")
	a.Describe(&s.GoVersion, "Set by the provider: the Go toolchain of the build.")
	a.Describe(&s.SignedBy, "Set by the provider: the ID of the signing key.")
}

// ImageInputs are the inputs of the resource ko:index:Image.
type ImageInputs struct {
	ImageSpec
	Login *ECRLogin `pulumi:"login,optional"`
	// The provider also sets Sources. Diff does not compare it, because different sources may give
	// the same image.
	Sources string `pulumi:"sources,optional"`
}

// Annotate documents the inputs in the schema.
func (in *ImageInputs) Annotate(a infer.Annotator) {
	a.Describe(&in.Login, "How to log in to the repository's ECR registry; with the docker config if empty. A new login alone changes nothing.")
	a.Describe(&in.Sources, "Set by the provider: a hash of all inputs of the build.")
}

// ImageState has the properties of a pushed image in the stack's state.
type ImageState struct {
	ImageSpec
	Reference     string `pulumi:"reference"`
	SBOMReference string `pulumi:"sbomReference"`
	Size          int    `pulumi:"size"`
}

// Annotate documents the outputs in the schema.
func (s *ImageState) Annotate(a infer.Annotator) {
	a.Describe(&s.Reference, "REPOSITORY@DIGEST, for pods.")
	a.Describe(&s.SBOMReference, "REPOSITORY@DIGEST of the SPDX document's manifest.")
	a.Describe(&s.Size, "Bytes in the registry: compressed layers and configs of all platforms.")
}

// Image implements Pulumi's operations with a builder and the passwords of the registries.
type Image struct {
	builder   *builder
	passwords *ecrPasswords
}

// Annotate names the resource.
func (i *Image) Annotate(a infer.Annotator) {
	a.SetToken("index", "Image")
	a.Describe(&i, "A container image that ko builds from a Go main package and pushes with its SPDX SBOM.")
}

// WireDependencies declares which outputs a preview can show. The size is known after
// the build. The references also need the repository, which is unknown in the first
// preview of a stack.
func (i *Image) WireDependencies(f infer.FieldSelector, in *ImageInputs, out *ImageState) {
	if out.Size != 0 {
		f.OutputField(&out.Size).AlwaysKnown()
	}
	for _, ref := range []*string{&out.Reference, &out.SBOMReference} {
		f.OutputField(ref).DependsOn(f.InputField(&in.Repository).Computed(), f.InputField(&in.Digest).Computed())
		if *ref != "" {
			f.OutputField(ref).AlwaysKnown()
		}
	}
}
