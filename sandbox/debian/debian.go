// Package debian packs servers that Go cannot build into images, from the
// Debian packages that this machine has installed, and pushes them to the
// sandbox's registry. It is what stands in for a registry of official images,
// which a sandbox cannot reach.
//
// An image holds the packages' files, a shell with its tools, and the shared
// libraries that all of them need; nothing is downloaded.
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

// recipe says what one image is made of.
type recipe struct {
	// repository and tag are how the stack sandbox asks for it.
	repository, tag string
	// packages are those whose files go in; the first one's version is part of
	// the image's key with the others'.
	packages []string
	// without are beginnings of paths that stay out.
	without []string
	// user is whom the image runs as, with the id of the official image's.
	user string
	id   int
	// path is PATH.
	path string
}

// shell is what a start script and a probe need.
var shell = []string{"dash", "coreutils", "sed", "grep", "hostname"}

// documentation says nothing to a server.
var documentation = []string{"/usr/share/man", "/usr/share/doc", "/usr/share/info", "/usr/share/locale", "/usr/share/lintian", "/lib/systemd", "/etc/init.d", "/etc/logrotate.d"}

// recipes are the servers of the platform's in-cluster variants.
var recipes = []recipe{
	{
		repository: "debian/redis", tag: "7",
		packages: []string{"redis-server", "redis-tools"},
		user:     "redis", id: 999,
		path: "/usr/bin:/bin",
	},
	{
		repository: "debian/postgres", tag: "15",
		packages: []string{"postgresql-15", "postgresql-client-15"},
		// The compiler of queries would bring 100 MB of LLVM; without its module
		// PostgreSQL goes on with its interpreter.
		without: []string{"/usr/lib/postgresql/15/lib/bitcode", "/usr/lib/postgresql/15/lib/llvmjit"},
		user:    "postgres", id: 999,
		path: "/usr/lib/postgresql/15/bin:/usr/bin:/bin",
	},
}

// askTimeout bounds one question to dpkg, and packTimeout one image.
const (
	askTimeout  = 10 * time.Second
	packTimeout = 5 * time.Minute
)

// Ensure packs and pushes the images that the registry does not hold as this
// machine's packages are now, each as a step of the log, which it adds.
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
		key, err := r.key(ctx)
		if err != nil {
			return err
		}
		held, err := registry.Held(ctx, auth, repository.Tag(key), repository.Tag(r.tag))
		if err != nil {
			return err
		}
		if held != "" {
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
			for _, tag := range []string{r.tag, key} {
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

// form changes whenever images are packed otherwise from the same packages.
const form = "1"

// key is a tag that says of what the image is made: the recipe and the
// versions of its packages.
func (r recipe) key(ctx context.Context) (string, error) {
	versions, err := r.versions(ctx)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Append(nil, form, runtime.GOARCH, r, versions))
	return "packages-" + hex.EncodeToString(sum[:])[:32], nil
}

// versions asks dpkg for those of the packages, one a line.
func (r recipe) versions(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	args := append([]string{"-f", "${Package} ${Version}\n", "-W"}, append(shell, r.packages...)...)
	out, err := exec.CommandContext(ctx, "dpkg-query", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("image %s is packed from Debian's packages, which must be installed: %w: %s", r.repository, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}
