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
	// koVersion is written into the SBOM as the tool that made it.
	koVersion = "v0.19.1"
	// buildTimeout bounds one build: a cold build of a large service on two
	// cores takes a few minutes.
	buildTimeout = 20 * time.Minute
	// maxBuilds bounds the builds under way: the go tool uses every core by
	// itself, so that a second one only fills the gaps.
	maxBuilds = 2
)

// builder builds images. It builds no more than maxBuilds at once, equal
// recipes that are under way only once, and remembers the last result of each
// recipe, so that what Check built is not built again by Create or Update.
type builder struct {
	isolated func() (toolchain string, err error) // an error is why this process cannot build
	slots    *semaphore.Weighted
	flight   singleflight.Group // callers share the first one's context: Pulumi cancels all at once

	mu   sync.Mutex
	last map[string]*built // by recipe
	from map[string]string // import path: the folder its linked binary was built in
}

func newBuilder(isolated func() (string, error)) *builder {
	return &builder{
		isolated: isolated,
		slots:    semaphore.NewWeighted(int64(min(maxBuilds, runtime.GOMAXPROCS(0)))),
		last:     map[string]*built{},
		from:     map[string]string{},
	}
}

// build builds from the sources as they are now.
func (b *builder) build(ctx context.Context, r recipe, keys authn.Keychain) (*built, error) {
	if _, err := b.isolated(); err != nil {
		return nil, fmt.Errorf("building %s: %w", r.ImportPath, err)
	}
	key, err := r.key()
	if err != nil {
		return nil, err
	}
	out, err, _ := b.flight.Do(key, func() (any, error) {
		if err := b.slots.Acquire(ctx, 1); err != nil {
			return nil, fmt.Errorf("waiting to build %s: %w", r.ImportPath, err)
		}
		defer b.slots.Release(1)
		return b.make(ctx, r, keys)
	})
	if err != nil {
		return nil, err
	}
	result := out.(*built)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last[key], b.from[r.ImportPath] = result, r.Dir
	return result, nil
}

// planned returns the image of the digest that Check announced: the one that
// Check built, or, in a process that has not built it, a new build. Sources
// that have changed since are an error, because what would be pushed is not
// what the person was shown.
func (b *builder) planned(ctx context.Context, r recipe, digest string, keys authn.Keychain) (*built, error) {
	key, err := r.key()
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	result := b.last[key]
	// ko reads the linked binary again when it uploads; another folder's build
	// of this import path may have replaced it.
	fresh := b.from[r.ImportPath] == r.Dir
	b.mu.Unlock()
	if result == nil || !fresh || result.digest.String() != digest {
		if result, err = b.build(ctx, r, keys); err != nil {
			return nil, err
		}
	}
	if got := result.digest.String(); got != digest {
		return nil, fmt.Errorf("the sources of %s changed while Pulumi ran: planned %s, now %s; run it again", r.ImportPath, digest, got)
	}
	return result, nil
}

// make runs ko.
func (b *builder) make(ctx context.Context, r recipe, keys authn.Keychain) (*built, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, buildTimeout,
		fmt.Errorf("building %s took longer than %s", r.ImportPath, buildTimeout))
	defer cancel()
	unlock, err := lock(ctx, r.ImportPath)
	if err != nil {
		return nil, err
	}
	defer unlock()
	// An unchanged image is built in less than a second, and needs no word.
	defer time.AfterFunc(time.Second, func() {
		p.GetLogger(ctx).InfoStatusf("building %s for %s", r.ImportPath, strings.Join(r.Platforms, ", "))
	}).Stop()

	// First, so that a wrong path is named as such and not by what follows.
	if err := r.inspect(ctx); err != nil {
		return nil, err
	}
	ko, err := r.ko(ctx, keys)
	if err != nil {
		return nil, err
	}
	var version string
	var result build.Result
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		version, err = goVersion(gctx, r.Dir)
		return err
	})
	group.Go(func() (err error) {
		result, err = ko.Build(gctx, build.StrictScheme+r.ImportPath)
		return err
	})
	if err := group.Wait(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, fmt.Errorf("building %s: %w", r.ImportPath, cause)
		}
		return nil, r.explain(err)
	}
	return newBuilt(ctx, result, version)
}

// ko is ko, set up for the recipe: nothing in it depends on the clock, the
// machine or git.
func (r recipe) ko(ctx context.Context, keys authn.Keychain) (build.Interface, error) {
	options := []build.Option{
		build.WithBaseImages(r.base(keys)),
		build.WithPlatforms(r.Platforms...),
		build.WithTrimpath(true),
		build.WithDefaultEnv(buildEnv),
		build.WithDefaultLdflags([]string{"-s", "-w"}),
		build.WithCreationTime(epoch),
		build.WithKoDataCreationTime(epoch),
		build.WithSPDX(koVersion),
	}
	for k, v := range r.Labels {
		options = append(options, build.WithLabel(k, v))
	}
	// The base's layers are read when the image is pushed, after the build and
	// its context have ended.
	ko, err := build.NewGo(context.WithoutCancel(ctx), r.Dir, options...)
	if err != nil {
		return nil, fmt.Errorf("ko: %w", err)
	}
	return ko, nil
}

// base is where ko gets the base image from.
func (r recipe) base(keys authn.Keychain) build.GetBase {
	return func(ctx context.Context, _ string) (name.Reference, build.Result, error) {
		if r.Base == "" {
			platforms, err := r.platforms()
			if err != nil {
				return nil, nil, err
			}
			index, err := baseIndex(platforms)
			return baseName, index, err
		}
		ref, image, err := remoteBase(ctx, r.Base, keys)
		if err != nil {
			return nil, nil, &inputError{"base", fmt.Sprintf("%s cannot be read: %v; is the digest right, and the login?", r.Base, err)}
		}
		return ref, image, nil
	}
}

func remoteBase(ctx context.Context, base string, keys authn.Keychain) (name.Reference, build.Result, error) {
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

// explain keeps of ko's error what the compiler said.
func (r recipe) explain(err error) error {
	var bad *inputError
	if errors.As(err, &bad) {
		return err
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("building %s: %w", r.ImportPath, err)
	}
	_, said, found := strings.Cut(err.Error(), exit.Error()+": ")
	if !found {
		return fmt.Errorf("building %s: %w", r.ImportPath, err)
	}
	var lines []string
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(line, "go: downloading ") {
			lines = append(lines, line)
		}
	}
	return &inputError{"importPath", fmt.Sprintf("%s does not build; nothing was pushed:\n%s",
		r.ImportPath, strings.TrimSpace(strings.Join(lines, "")))}
}
