package provider

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/ko/pkg/build"
	p "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
)

const (
	// koVersion is the version of the tool in the SBOM.
	koVersion = "v0.19.1"
	// buildTimeout limits one build. A cold build of a large service takes a few
	// minutes on two cores.
	buildTimeout = 20 * time.Minute
	// maxBuilds limits concurrent builds. One go tool already uses all cores most
	// of the time, so more than two builds are not faster.
	maxBuilds = 2
)

// builder builds images, at most maxBuilds at the same time. Concurrent requests for
// equal recipes share one build. The builder keeps the last result of each recipe,
// so that Create and Update do not repeat the build of Check.
type builder struct {
	isolate func() (toolchain string, err error) // see New
	slots   *semaphore.Weighted
	running singleflight.Group // callers share the first caller's context; that is safe, because Pulumi cancels all calls together

	mu         sync.Mutex
	lastImages map[string]*builtImage // by recipe
	lastDirs   map[string]string      // import path to the folder of the last build
}

// newBuilder returns a builder without results.
func newBuilder(isolate func() (string, error)) *builder {
	return &builder{
		isolate:    isolate,
		slots:      semaphore.NewWeighted(int64(min(maxBuilds, runtime.GOMAXPROCS(0)))),
		lastImages: map[string]*builtImage{},
		lastDirs:   map[string]string{},
	}
}

// build builds an image from the current sources. It waits for a free slot, and shares a running
// build of an equal recipe.
func (b *builder) build(ctx context.Context, r recipe, keys authn.Keychain) (*builtImage, error) {
	if _, err := b.isolate(); err != nil {
		return nil, fmt.Errorf("building %s: %w", r.ImportPath, err)
	}
	key, err := r.cacheKey()
	if err != nil {
		return nil, err
	}
	shared, err, _ := b.running.Do(key, func() (any, error) {
		if err := b.slots.Acquire(ctx, 1); err != nil {
			return nil, fmt.Errorf("waiting to build %s: %w", r.ImportPath, err)
		}
		defer b.slots.Release(1)
		return b.runKo(ctx, r, keys)
	})
	if err != nil {
		return nil, err
	}
	image := shared.(*builtImage)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lastImages[key], b.lastDirs[r.ImportPath] = image, r.Dir
	return image, nil
}

// buildDigest returns the image with the digest that Check computed. It returns the
// image that Check built, or builds again if this process does not have that image. It
// returns an error if the sources have changed since Check, because the user confirmed a
// different digest.
func (b *builder) buildDigest(ctx context.Context, r recipe, digest string, keys authn.Keychain) (*builtImage, error) {
	key, err := r.cacheKey()
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	image := b.lastImages[key]
	// ko reads the linked binary again for the upload. A build of the same import
	// path in another folder may have replaced it.
	sameDir := b.lastDirs[r.ImportPath] == r.Dir
	b.mu.Unlock()
	if image == nil || !sameDir || image.digest.String() != digest {
		if image, err = b.build(ctx, r, keys); err != nil {
			return nil, err
		}
	}
	if newDigest := image.digest.String(); newDigest != digest {
		return nil, fmt.Errorf("the sources of %s changed while Pulumi ran: planned %s, now %s; run it again", r.ImportPath, digest, newDigest)
	}
	return image, nil
}

// runKo builds an image with ko.
func (b *builder) runKo(ctx context.Context, r recipe, keys authn.Keychain) (*builtImage, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, buildTimeout,
		fmt.Errorf("building %s took longer than %s", r.ImportPath, buildTimeout))
	defer cancel()
	unlock, err := lock(ctx, r.ImportPath)
	if err != nil {
		return nil, err
	}
	defer unlock()
	// A build of an unchanged image takes less than a second and needs no message.
	defer time.AfterFunc(time.Second, func() {
		p.GetLogger(ctx).InfoStatusf("building %s for %s", r.ImportPath, strings.Join(r.Platforms, ", "))
	}).Stop()

	// checkMainPackage runs first, because it has better errors for a wrong import path.
	if err := r.checkMainPackage(ctx); err != nil {
		return nil, err
	}
	ko, err := r.newKo(ctx, keys)
	if err != nil {
		return nil, err
	}
	var goVersion string
	var result build.Result
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		goVersion, err = readGoVersion(groupCtx, r.Dir)
		return err
	})
	group.Go(func() (err error) {
		result, err = ko.Build(groupCtx, build.StrictScheme+r.ImportPath)
		return err
	})
	if err := group.Wait(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, fmt.Errorf("building %s: %w", r.ImportPath, cause)
		}
		return nil, r.explainError(err)
	}
	return newBuiltImage(ctx, result, goVersion)
}

// newKo returns a ko builder for the recipe. The built image does not depend on the time,
// the machine or git.
func (r recipe) newKo(ctx context.Context, keys authn.Keychain) (build.Interface, error) {
	env, err := pinnedEnv(r.Dir)
	if err != nil {
		return nil, err
	}
	options := []build.Option{
		build.WithBaseImages(r.baseGetter(keys)),
		build.WithPlatforms(r.Platforms...),
		build.WithTrimpath(true),
		build.WithDefaultEnv(env),
		build.WithDefaultLdflags([]string{"-s", "-w"}),
		build.WithCreationTime(epoch),
		build.WithKoDataCreationTime(epoch),
		build.WithSPDX(koVersion),
	}
	for k, v := range r.Labels {
		options = append(options, build.WithLabel(k, v))
	}
	// The push reads the layers of the base after the context of the build has
	// ended. So this context must not end.
	ko, err := build.NewGo(context.WithoutCancel(ctx), r.Dir, options...)
	if err != nil {
		return nil, fmt.Errorf("ko: %w", err)
	}
	return ko, nil
}

// baseGetter returns the function with which ko gets the base image.
func (r recipe) baseGetter(keys authn.Keychain) build.GetBase {
	return func(ctx context.Context, _ string) (name.Reference, build.Result, error) {
		if r.Base == "" {
			platforms, err := r.parsePlatforms()
			if err != nil {
				return nil, nil, err
			}
			index, err := baseIndex(platforms)
			return baseName, index, err
		}
		ref, image, err := fetchBase(ctx, r.Base, keys)
		if err != nil {
			return nil, nil, &inputError{"base", fmt.Sprintf("%s cannot be read: %v; check the digest and the login", r.Base, err)}
		}
		return ref, image, nil
	}
}

// fetchBase reads a base image from a registry. It also returns the reference of the image.
func fetchBase(ctx context.Context, base string, keys authn.Keychain) (name.Reference, build.Result, error) {
	ref, err := name.NewDigest(base, name.StrictValidation)
	if err != nil {
		return nil, nil, err
	}
	desc, err := remote.Get(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(keys))
	if err != nil {
		return nil, nil, err
	}
	var image build.Result
	if desc.MediaType.IsIndex() {
		image, err = desc.ImageIndex()
	} else {
		image, err = desc.Image()
	}
	return ref, image, err
}

// explainError converts ko's error of a failed compilation to an inputError with only the
// compiler's messages. It returns every other error with the import path.
func (r recipe) explainError(err error) error {
	var invalid *inputError
	if errors.As(err, &invalid) {
		return err
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("building %s: %w", r.ImportPath, err)
	}
	_, output, found := strings.Cut(err.Error(), exit.Error()+": ")
	if !found {
		return fmt.Errorf("building %s: %w", r.ImportPath, err)
	}
	var lines []string
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "go: downloading ") {
			lines = append(lines, line)
		}
	}
	return &inputError{"importPath", fmt.Sprintf("%s does not build; nothing was pushed:\n%s",
		r.ImportPath, strings.TrimSpace(strings.Join(lines, "")))}
}
