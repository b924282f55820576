// Package debian builds images of servers that are not written in Go and pushes
// them to the sandbox's registry. It builds them from the Debian packages that
// are installed on this machine. It replaces a registry of official images, which
// a sandbox cannot reach.
//
// An image contains the packages' files, a shell with its tools, and the shared
// libraries that they need. Nothing is downloaded.
package debian

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/registry"
)

// recipe defines the content of one image.
type recipe struct {
	// repository and tag are the image's name in the configuration of the stack
	// sandbox.
	repository, tag string
	// packages are the Debian packages of the files in the image.
	packages []string
	// excludedPrefixes are the prefixes of the paths that the image leaves out.
	excludedPrefixes []string
	// user is the name of the user that runs the image's processes. userID is the id of this
	// user in the official image.
	user   string
	userID int
	// path is the value of the image's variable PATH.
	path string
}

// shellPackages are the packages that the pods' start scripts and probes need.
var shellPackages = []string{"dash", "coreutils", "sed", "grep", "hostname"}

// documentationPrefixes are prefixes of paths that a server does not need.
var documentationPrefixes = []string{"/usr/share/man", "/usr/share/doc", "/usr/share/info", "/usr/share/locale", "/usr/share/lintian", "/lib/systemd", "/etc/init.d", "/etc/logrotate.d"}

// recipes are the recipes of the images of the platform's in-cluster stores.
var recipes = []recipe{
	{
		repository: "debian/redis", tag: "7",
		packages: []string{"redis-server", "redis-tools"},
		user:     "redis", userID: 999,
		path: "/usr/bin:/bin",
	},
	{
		repository: "debian/postgres", tag: "15",
		packages: []string{"postgresql-15", "postgresql-client-15"},
		// PostgreSQL's just-in-time compiler of queries (JIT) needs 100 MB of LLVM. Without
		// the module llvmjit, PostgreSQL interprets queries.
		excludedPrefixes: []string{"/usr/lib/postgresql/15/lib/bitcode", "/usr/lib/postgresql/15/lib/llvmjit"},
		user:             "postgres", userID: 999,
		path: "/usr/lib/postgresql/15/bin:/usr/bin:/bin",
	},
}

// queryTimeout limits one call of dpkg-query. packTimeout limits the build of one image.
const (
	queryTimeout = 10 * time.Second
	packTimeout  = 5 * time.Minute
)

// Ensure builds and pushes each image that is missing in the registry, or that was built from
// other versions of its packages. It adds a step to the log for each such image.
func Ensure(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	password, err := registry.EnsurePassword(l)
	if err != nil {
		return err
	}
	auth := remote.WithAuth(&authn.Basic{Username: registry.User, Password: password})
	for _, r := range recipes {
		repository, err := name.NewRepository(l.RegistryAddress() + "/" + r.repository)
		if err != nil {
			return fmt.Errorf("image %s: %w", r.repository, err)
		}
		contentTag, err := r.contentTag(ctx)
		if err != nil {
			return err
		}
		pushedDigest, err := registry.CommonDigest(ctx, auth, repository.Tag(contentTag), repository.Tag(r.tag))
		if err != nil {
			return err
		}
		if pushedDigest != "" {
			continue
		}
		log.Expect(1)
		if err := log.Step("image "+r.repository+":"+r.tag+" of "+strings.Join(r.packages, ", "), func(func(string)) error {
			ctx, cancel := context.WithTimeout(ctx, packTimeout)
			defer cancel()
			img, err := r.pack(ctx)
			if err != nil {
				return err
			}
			for _, tag := range []string{r.tag, contentTag} {
				if err := remote.Write(repository.Tag(tag), img, auth, remote.WithContext(ctx)); err != nil {
					return fmt.Errorf("push: %w", err)
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("image %s: %w", r.repository, err)
		}
	}
	return nil
}

// formatVersion must change when the code packs the same packages differently.
// Then the images are built again.
const formatVersion = "2"

// contentTag returns a tag with a hash of the recipe and of the versions of its packages. If the
// recipe or a version changes, the registry has no image with the new tag, so the image is built
// again.
func (r recipe) contentTag(ctx context.Context) (string, error) {
	versions, err := r.installedVersions(ctx)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Append(nil, formatVersion, runtime.GOARCH, r, versions))
	return "packages-" + hex.EncodeToString(sum[:])[:32], nil
}

// installedVersions returns the versions of the installed packages, one per line.
func (r recipe) installedVersions(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	args := append([]string{"-f", "${Package} ${Version}\n", "-W"}, append(shellPackages, r.packages...)...)
	out, err := exec.CommandContext(ctx, "dpkg-query", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("image %s is packed from Debian's packages, which must be installed: %w: %s", r.repository, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}
