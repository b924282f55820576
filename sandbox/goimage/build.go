package goimage

import (
	"context"
	"fmt"
	"log"
	"path/filepath"
	"runtime"
	"slices"
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

// buildTimeout limits the build of one image. A build takes about two minutes on two cores;
// the limit allows for a slow machine with empty caches.
const buildTimeout = 30 * time.Minute

// userAndGroup is the user id and the group id of the images' processes. No user of the host has this
// id.
const userAndGroup = "65532:65532"

// buildConfig has the flags and the environment of `go build`. The sandbox's own
// executable is also built with -trimpath and CGO_ENABLED=0, so both share compiled
// packages. The other flags keep the commit and the build id out of the binary, so that
// the same sources give the same image.
var buildConfig = build.Config{
	Env:     []string{"CGO_ENABLED=0", "GOWORK=off"},
	Flags:   build.FlagArray{"-trimpath", "-buildvcs=false"},
	Ldflags: build.StringArray{"-s", "-w", "-buildid="},
}

// buildSettings is the text of all settings of a build. It is part of each image's content tag, so
// that images are built again after a setting changes.
var buildSettings = fmt.Sprint(buildConfig, userAndGroup)

// config returns the flags with which an image is built.
func (i Image) config() build.Config {
	c := buildConfig
	c.Flags = append(slices.Clone(c.Flags), i.Flags...)
	c.Ldflags = append(slices.Clone(c.Ldflags), i.Ldflags...)
	return c
}

// build compiles an image, pushes it with its SBOM under tags, and returns its
// digest.
func (b *Builder) build(ctx context.Context, img Image, tags []string, detail func(string)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	restoreLog := relayLog(detail)
	defer restoreLog()
	builder, err := build.NewGo(ctx, filepath.Join(b.project, img.Module),
		build.WithBaseImages(newBaseImage),
		build.WithPlatforms("linux/"+runtime.GOARCH),
		build.WithConfig(map[string]build.Config{img.ImportPath: img.config()}),
	)
	if err != nil {
		return "", fmt.Errorf("ko: %w", err)
	}
	image, err := builder.Build(ctx, build.StrictScheme+img.ImportPath)
	if err != nil {
		return "", fmt.Errorf("image %s: %w", img.Name, err)
	}
	publisher, err := publish.NewDefault(b.registry,
		publish.WithAuth(b.auth),
		publish.WithTags(tags),
		publish.WithNamer(func(base, _ string) string { return base + "/" + img.Repository }),
	)
	if err != nil {
		return "", fmt.Errorf("ko: %w", err)
	}
	if _, err := publisher.Publish(ctx, image, img.ImportPath); err != nil {
		return "", fmt.Errorf("push image %s to %s: %w", img.Name, b.registry, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return "", err
	}
	return digest.String(), nil
}

// newBaseImage returns the base image of all images. It sets a user and has no files. The
// programs need no files, because they are linked statically. They read the certificate of the
// cluster's CA from the volume of the service account.
func newBaseImage(context.Context, string) (name.Reference, build.Result, error) {
	ref, err := name.ParseReference("empty.invalid/base:1") // a name that no registry can have (RFC 2606)
	if err != nil {
		return nil, nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH,
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{User: userAndGroup, WorkingDir: "/"},
	})
	return ref, img, err
}

// relayLog sends the standard logger's lines to detail until the returned
// function is called. ko reports its progress only to that logger.
func relayLog(detail func(string)) func() {
	oldWriter, oldFlags := log.Writer(), log.Flags()
	log.SetFlags(0)
	log.SetOutput(lineWriter(detail))
	return func() {
		log.SetOutput(oldWriter)
		log.SetFlags(oldFlags)
	}
}

// lineWriter is a writer that calls a function with each line. The standard logger
// writes one line at a time.
type lineWriter func(string)

func (l lineWriter) Write(p []byte) (int, error) {
	l(strings.TrimSpace(string(p)))
	return len(p), nil
}
