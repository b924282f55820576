// Package goimage builds images of Go programs with ko, for the sandbox's own
// registry. The modules of the programs are folders of the repository.
//
// The package stores no state. The tag of an image is a hash of the image's inputs. If the
// tag exists, the image is not built again.
package goimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/registry"
)

// Image is one image, built from a main package.
type Image struct {
	// Name is for messages.
	Name string
	// ImportPath is the main package.
	ImportPath string
	// Module is the folder of the go.mod with which the image is built, relative to the
	// project.
	Module string
	// Sources is the folder of the main package, relative to Module. It is empty if the package
	// belongs to a required module, because go.sum has the hash of that module.
	Sources string
	// Flags are additional flags of `go build` for this image. Ldflags are flags of the
	// linker.
	Flags, Ldflags []string
	// Repository is the repository of the image in the registry.
	Repository string
	// Tags are the tags of the image, in addition to its content tag.
	Tags []string
}

// Builder builds the images of one sandbox.
type Builder struct {
	project  string // folder of the repository
	registry string // host and port
	auth     authn.Authenticator
}

// NewBuilder returns the builder of a sandbox.
func NewBuilder(l *layout.Layout) (*Builder, error) {
	password, err := registry.EnsurePassword(l)
	if err != nil {
		return nil, err
	}
	return &Builder{
		project:  l.Project,
		registry: l.RegistryAddress(),
		auth:     &authn.Basic{Username: registry.User, Password: password},
	}, nil
}

// imageState is an image with its state in the registry.
type imageState struct {
	Image
	tags   []string // the content tag, and then Image.Tags
	digest string   // empty if one of the tags is missing or points to another image
}

// find returns the state of an image in the registry.
func (b *Builder) find(ctx context.Context, img Image) (imageState, error) {
	contentTag, err := b.contentTag(img)
	if err != nil {
		return imageState{}, err
	}
	tags := append([]string{contentTag}, img.Tags...)
	digest, err := b.commonDigest(ctx, img, tags)
	return imageState{Image: img, tags: tags, digest: digest}, err
}

// findAll looks for images in the registry. It also returns how many of them are missing.
func (b *Builder) findAll(ctx context.Context, imgs []Image) (states []imageState, missing int, err error) {
	states = make([]imageState, len(imgs))
	for i, img := range imgs {
		if states[i], err = b.find(ctx, img); err != nil {
			return nil, 0, fmt.Errorf("image %s: %w", img.Name, err)
		}
		if states[i].digest == "" {
			missing++
		}
	}
	return states, missing, nil
}

// CountMissing returns how many of the images are not in the registry.
func (b *Builder) CountMissing(ctx context.Context, imgs []Image) (int, error) {
	_, missing, err := b.findAll(ctx, imgs)
	return missing, err
}

// Ensure builds and pushes the images that are not in the registry, each as a step of the
// log. The text of such a step begins with group. Ensure returns the references of all
// images: their names are the keys, and the references contain the digests.
func (b *Builder) Ensure(ctx context.Context, group string, imgs []Image, log *progress.Log) (map[string]string, error) {
	states, missing, err := b.findAll(ctx, imgs)
	if err != nil {
		return nil, err
	}
	log.Expect(missing)
	refs := map[string]string{}
	for _, img := range states {
		if img.digest == "" {
			if err := log.Step(group+": image "+img.Name, func(detail func(string)) (err error) {
				img.digest, err = b.build(ctx, img.Image, img.tags, detail)
				return err
			}); err != nil {
				return nil, err
			}
		}
		refs[img.Name] = b.registry + "/" + img.Repository + "@" + img.digest
	}
	return refs, nil
}

// EnsureEmpty pushes an image without files under the tags, unless all tags point to one image
// already.
func (b *Builder) EnsureEmpty(ctx context.Context, repository string, tags ...string) error {
	if digest, err := b.commonDigest(ctx, Image{Repository: repository}, tags); err != nil || digest != "" {
		return err
	}
	_, img, err := newBaseImage(ctx, "")
	if err != nil {
		return err
	}
	for _, tag := range tags {
		ref, err := name.NewTag(b.registry + "/" + repository + ":" + tag)
		if err != nil {
			return fmt.Errorf("tag: %w", err)
		}
		if err := remote.Write(ref, img.(v1.Image), remote.WithAuth(b.auth), remote.WithContext(ctx)); err != nil {
			return fmt.Errorf("push: %w", err)
		}
	}
	return nil
}

// EnsureQuietly builds and pushes one image if it is not in the registry. Unlike Ensure it
// adds no step to a log.
func (b *Builder) EnsureQuietly(ctx context.Context, img Image) error {
	state, err := b.find(ctx, img)
	if err == nil && state.digest == "" {
		_, err = b.build(ctx, img, state.tags, func(string) {})
	}
	if err != nil {
		return fmt.Errorf("image %s: %w", img.Name, err)
	}
	return nil
}

// commonDigest returns the digest of the image to which all tags point. It returns "" if a
// tag is missing, or if the tags point to different images.
func (b *Builder) commonDigest(ctx context.Context, img Image, tags []string) (string, error) {
	refs := make([]name.Reference, len(tags))
	for i, tag := range tags {
		ref, err := name.NewTag(b.registry + "/" + img.Repository + ":" + tag)
		if err != nil {
			return "", fmt.Errorf("tag: %w", err)
		}
		refs[i] = ref
	}
	return registry.CommonDigest(ctx, remote.WithAuth(b.auth), refs...)
}

// contentTag returns a tag with a hash of the image's inputs: its sources, the versions of its
// modules, the Go release and the build settings. The Go release is that of the running executable,
// because the bootstrap builds this executable with the same Go release.
func (b *Builder) contentTag(img Image) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH, buildSettings, img.ImportPath, img.Flags, img.Ldflags)
	module := filepath.Join(b.project, img.Module)
	files := []string{filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum")}
	if img.Sources != "" {
		sources, err := filepath.Glob(filepath.Join(module, img.Sources, "*.go"))
		if err != nil {
			return "", err
		}
		if len(sources) == 0 {
			return "", fmt.Errorf("no sources of image %s in %s; is the sandbox's project the right folder?", img.Name, filepath.Join(module, img.Sources))
		}
		slices.Sort(sources)
		files = append(files, sources...)
	}
	for _, path := range files {
		if err := hashFile(sum, module, path); err != nil {
			return "", fmt.Errorf("sources of image %s: %w", img.Name, err)
		}
	}
	return "sources-" + hex.EncodeToString(sum.Sum(nil))[:32], nil
}

// hashFile writes a file's path in root, its size and its content to sum.
func hashFile(sum io.Writer, root, path string) error {
	relative, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(sum, "%s %d\n%s\n", filepath.ToSlash(relative), len(content), content)
	return err
}
