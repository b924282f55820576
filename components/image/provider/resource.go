package provider

import (
	"github.com/pulumi/pulumi-go-provider/infer"

	"github.com/progressive-framework/platform/components/image/ociplatform"
)

// ImageSpec is what inputs and state have in common. The last three are not
// the program's: Check computes them from the sources, so that Pulumi shows
// them in a preview and compares them with what was pushed before.
type ImageSpec struct {
	ImportPath string            `pulumi:"importPath"`
	Repository string            `pulumi:"repository"`
	Platforms  []string          `pulumi:"platforms,optional"`
	Base       *string           `pulumi:"base,optional"`
	Labels     map[string]string `pulumi:"labels,optional"`
	Dir        *string           `pulumi:"dir,optional"`

	Digest    string `pulumi:"digest,optional"`
	Tag       string `pulumi:"tag,optional"`
	GoVersion string `pulumi:"goVersion,optional"`
}

// Annotate documents the properties in the schema.
func (s *ImageSpec) Annotate(a infer.Annotator) {
	a.Describe(&s.ImportPath, "Go main package to build, as a full import path.")
	a.Describe(&s.Repository, "Where the image is pushed: REGISTRY/PATH without a tag. A change replaces the image.")
	a.Describe(&s.Platforms, "Platforms as OS/ARCH; "+string(ociplatform.Default)+" where none is given. More than one makes an index.")
	a.Describe(&s.Base, "Base image as NAME@sha256:DIGEST; the provider's own minimal base where not given.")
	a.Describe(&s.Labels, "Labels of the image's config.")
	a.Describe(&s.Dir, "Folder that the go tool runs in, relative to the program.")
	a.Describe(&s.Digest, "Set by the provider: the digest of what the sources build to.")
	a.Describe(&s.Tag, "Set by the provider: the tag that holds the manifest, STACK-NAME-DIGEST.")
	a.Describe(&s.GoVersion, "Set by the provider: the Go toolchain that builds.")
}

// ImageInputs are the resource's inputs.
type ImageInputs struct {
	ImageSpec
	Credentials *Credentials `pulumi:"credentials,optional"`
	// Sources is the provider's too. It makes no difference by itself: sources
	// that read otherwise may build to the same image.
	Sources string `pulumi:"sources,optional"`
}

// Annotate documents the inputs in the schema.
func (in *ImageInputs) Annotate(a infer.Annotator) {
	a.Describe(&in.Credentials, "Registry credentials; the docker config's where not given. A change alone changes nothing.")
	a.Describe(&in.Sources, "Set by the provider: a hash of all that the image is built from.")
}

// Credentials are a registry's user and password. They stay in the inputs,
// encrypted, and are no part of the outputs.
type Credentials struct {
	Username string `pulumi:"username"`
	Password string `pulumi:"password" provider:"secret"`
}

// Annotate documents the credentials in the schema.
func (c *Credentials) Annotate(a infer.Annotator) {
	a.Describe(&c.Username, "User name; AWS with ECR.")
	a.Describe(&c.Password, "Password or token.")
}

// ImageState is what the stack's state keeps of an image that was pushed.
type ImageState struct {
	ImageSpec
	Reference     string `pulumi:"reference"`
	SBOMReference string `pulumi:"sbomReference"`
	Size          int    `pulumi:"size"`
}

// Annotate documents the outputs in the schema.
func (s *ImageState) Annotate(a infer.Annotator) {
	a.Describe(&s.Reference, "REPOSITORY@DIGEST, what a pod runs.")
	a.Describe(&s.SBOMReference, "REPOSITORY@DIGEST of the SPDX document's manifest.")
	a.Describe(&s.Size, "Bytes in the registry: compressed layers and configs of all platforms.")
}

// Image is the resource's controller: Pulumi's operations on top of a builder.
type Image struct {
	builder *builder
}

// Annotate names the resource.
func (i *Image) Annotate(a infer.Annotator) {
	a.SetToken("index", "Image")
	a.Describe(&i, "A container image that ko builds from a Go main package and pushes with its SPDX SBOM.")
}

// WireDependencies tells previews which outputs they may show: the size as
// soon as the sources are built; the references once the repository is known
// as well, which a stack's first preview does not.
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
