package localaddons

import (
	"context"
	"fmt"
	"log"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/publish"
)

// buildTimeout bounds one image on a slow machine that has compiled nothing
// yet; on two cores it takes about two minutes.
const buildTimeout = 30 * time.Minute

// user is who the images run as: nobody whom the host knows.
const user = "65532:65532"

// howToBuild are the flags and the environment of `go build`. -trimpath and
// CGO_ENABLED=0 are those that the sandbox's own executable is built with, so
// that the compiler finds every package they share in its cache. Without stamps
// of the repository and of the build the same program is the same image.
var howToBuild = build.Config{
	Env:     []string{"CGO_ENABLED=0", "GOWORK=off"},
	Flags:   build.FlagArray{"-trimpath", "-buildvcs=false"},
	Ldflags: build.StringArray{"-s", "-w", "-buildid="},
}

// recipe is all that goes into an image beside its sources; to change how
// images are made is to change it.
var recipe = fmt.Sprint(howToBuild, user)

// build compiles an image, pushes it with its SBOM under tags, and returns its
// digest.
func (b *builder) build(ctx context.Context, img image, tags []string, detail func(string)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	defer relayLog(detail)()
	ko, err := build.NewGo(ctx, b.module,
		build.WithBaseImages(base),
		build.WithPlatforms("linux/"+runtime.GOARCH),
		build.WithConfig(map[string]build.Config{img.importPath(): howToBuild}),
	)
	if err != nil {
		return "", fmt.Errorf("ko: %w", err)
	}
	result, err := ko.Build(ctx, build.StrictScheme+img.importPath())
	if err != nil {
		return "", fmt.Errorf("image %s: %w", img.name, err)
	}
	to, err := publish.NewDefault(b.registry,
		publish.WithAuth(b.auth),
		publish.WithTags(tags),
		publish.WithNamer(func(base, _ string) string { return base + "/" + img.repository }),
	)
	if err != nil {
		return "", fmt.Errorf("ko: %w", err)
	}
	if _, err := to.Publish(ctx, result, img.importPath()); err != nil {
		return "", fmt.Errorf("push image %s to %s: %w", img.name, b.registry, err)
	}
	digest, err := result.Digest()
	if err != nil {
		return "", err
	}
	return digest.String(), nil
}

// base is the image below every one of ours: no file at all, and a user. The
// commands are static, and find the cluster's CA where the kubelet puts it.
func base(context.Context, string) (name.Reference, build.Result, error) {
	ref, err := name.ParseReference("empty.invalid/base:1") // .invalid says that no registry has it
	if err != nil {
		return nil, nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH,
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{User: user, WorkingDir: "/"},
	})
	return ref, img, err
}

// relayLog leads the standard logger to detail until the returned function is
// called. It is the only place where ko tells what it does.
func relayLog(detail func(string)) func() {
	was, flags := log.Writer(), log.Flags()
	log.SetFlags(0)
	log.SetOutput(lines(detail))
	return func() {
		log.SetOutput(was)
		log.SetFlags(flags)
	}
}

// lines hands every line that is written to it to a function; the standard
// logger writes one at a time.
type lines func(string)

func (l lines) Write(p []byte) (int, error) {
	l(strings.TrimSpace(string(p)))
	return len(p), nil
}
