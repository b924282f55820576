package localaddons

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
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/registry"
)

const (
	corednsName       = "coredns"
	metricsServerName = "metrics-server"
)

// image is one image that is built from a command of this module.
type image struct {
	// name is the command's folder below this package.
	name string
	// repository is its repository in the registry.
	repository string
	// tags are the tags by which others pull it, in addition to its key.
	tags []string
}

// pause is the image without which no pod can start; its repository and tag
// are those of localcluster.PauseImage.
var pause = image{name: "pause", repository: "pause", tags: []string{"sandbox"}}

// images are all images, in the order in which they are needed.
var images = []image{
	pause,
	{name: corednsName, repository: "addons/coredns"},
	{name: metricsServerName, repository: "addons/metrics-server"},
}

// modulePath is the path of this Go module.
const modulePath = "github.com/progressive-framework/platform/sandbox"

func (i image) importPath() string { return modulePath + "/localaddons/" + i.name }

// builder builds the images of one sandbox.
type builder struct {
	module   string // folder of go.mod
	registry string // host and port
	auth     authn.Authenticator
}

func newBuilder(l *layout.Layout) (*builder, error) {
	password, err := registry.EnsurePassword(l)
	if err != nil {
		return nil, err
	}
	return &builder{
		module:   filepath.Join(l.Project, "sandbox"),
		registry: l.RegistryAddress(),
		auth:     &authn.Basic{Username: registry.User, Password: password},
	}, nil
}

// found is an image with its state in the registry.
type found struct {
	image
	tags   []string // all its tags, the key first
	digest string   // empty if not every tag points to the image
}

// find looks for an image in the registry.
func (b *builder) find(ctx context.Context, img image) (found, error) {
	key, err := b.key(img)
	if err != nil {
		return found{}, err
	}
	tags := append([]string{key}, img.tags...)
	digest, err := b.pushed(ctx, img, tags)
	return found{image: img, tags: tags, digest: digest}, err
}

// ensure returns the references by digest of images, by name. It builds and
// pushes those that are not in the registry, each as a step of the log.
func (b *builder) ensure(ctx context.Context, imgs []image, log *progress.Log) (map[string]string, error) {
	all := make([]found, len(imgs))
	missing := 0
	for i, img := range imgs {
		var err error
		if all[i], err = b.find(ctx, img); err != nil {
			return nil, fmt.Errorf("image %s: %w", img.name, err)
		}
		if all[i].digest == "" {
			missing++
		}
	}
	log.Expect(missing)
	refs := map[string]string{}
	for _, f := range all {
		if f.digest == "" {
			if err := log.Step("addons: image "+f.name, func(detail func(string)) (err error) {
				f.digest, err = b.build(ctx, f.image, f.tags, detail)
				return err
			}); err != nil {
				return nil, err
			}
		}
		refs[f.name] = b.registry + "/" + f.repository + "@" + f.digest
	}
	return refs, nil
}

// pushed returns the digest of the image to which all tags point; "" if a tag is
// missing or points to another image.
func (b *builder) pushed(ctx context.Context, img image, tags []string) (string, error) {
	refs := make([]name.Reference, len(tags))
	for i, tag := range tags {
		ref, err := name.NewTag(b.registry + "/" + img.repository + ":" + tag)
		if err != nil {
			return "", fmt.Errorf("tag: %w", err)
		}
		refs[i] = ref
	}
	return registry.CommonDigest(ctx, remote.WithAuth(b.auth), refs...)
}

// key is a tag with a hash of everything that determines the image: its sources,
// the versions of its modules, the Go release and the recipe. The release is that
// of this program, which is also built again with a new Go.
func (b *builder) key(img image) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH, recipe)
	files := []string{filepath.Join(b.module, "go.mod"), filepath.Join(b.module, "go.sum")}
	sources, err := filepath.Glob(filepath.Join(b.module, "localaddons", img.name, "*.go"))
	if err != nil {
		return "", err
	}
	if len(sources) == 0 {
		return "", fmt.Errorf("no sources of image %s in %s; is the sandbox's project the right folder?", img.name, filepath.Join(b.module, "localaddons", img.name))
	}
	slices.Sort(sources)
	for _, path := range append(files, sources...) {
		if err := hashFile(sum, b.module, path); err != nil {
			return "", fmt.Errorf("sources of image %s: %w", img.name, err)
		}
	}
	return "sources-" + hex.EncodeToString(sum.Sum(nil))[:32], nil
}

// hashFile adds a file's content, and its path relative to root, to a hash.
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
