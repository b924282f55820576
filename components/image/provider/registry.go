package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

const (
	// lookTimeout bounds what only reads a registry, or deletes in it.
	lookTimeout = 2 * time.Minute
	// pushTimeout bounds one upload; a slow line carries 20 MB in it.
	pushTimeout = 15 * time.Minute
)

// keychain is the given credentials for the registry that they are meant for,
// and the docker config for every other, such as that of a base image, and
// where none are given.
func keychain(registry string, c *Credentials) authn.Keychain {
	if c == nil {
		return authn.DefaultKeychain
	}
	return given{registry, authn.FromConfig(authn.AuthConfig{Username: c.Username, Password: c.Password})}
}

type given struct {
	registry string
	auth     authn.Authenticator
}

// Resolve implements authn.Keychain.
func (g given) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if r.RegistryStr() == g.registry {
		return g.auth, nil
	}
	return authn.DefaultKeychain.Resolve(r)
}

// keychain is the login for the image's repository. While the repository is
// unknown there is none to log in to.
func (in ImageInputs) keychain() authn.Keychain {
	repo, err := name.NewRepository(in.Repository, name.StrictValidation)
	if err != nil {
		return authn.DefaultKeychain
	}
	return keychain(repo.RegistryStr(), in.Credentials)
}

// identity is one way to log in.
type identity struct {
	name      string
	auth      authn.Authenticator
	anonymous bool
}

// identities are the ways to log in to a repository, best first: credentials
// of the inputs, then the docker config (which falls back to nobody). The
// first may have expired since the last update: those of ECR live 12 hours.
func identities(repo name.Repository, c *Credentials) ([]identity, error) {
	var out []identity
	if c != nil {
		auth, err := keychain(repo.RegistryStr(), c).Resolve(repo)
		if err != nil {
			return nil, err
		}
		out = append(out, identity{name: "the resource's credentials", auth: auth})
	}
	ambient, err := authn.DefaultKeychain.Resolve(repo)
	if err != nil {
		return nil, fmt.Errorf("docker config: %w", err)
	}
	if ambient == authn.Anonymous {
		return append(out, identity{name: "no login", auth: ambient, anonymous: true}), nil
	}
	return append(out, identity{name: "the docker config", auth: ambient}), nil
}

// answer is what a registry's error means.
type answer int

const (
	failed      answer = iota // unreachable, or broken
	absent                    // the manifest or the repository is not there
	denied                    // the login is missing, wrong or expired
	unsupported               // the registry does not offer the operation
)

// meaning classifies an error of a registry.
func meaning(err error) answer {
	var e *transport.Error
	if !errors.As(err, &e) {
		return failed
	}
	switch e.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return denied
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return unsupported
	case http.StatusNotFound:
		return absent
	}
	for _, d := range e.Errors {
		if d.Code == transport.UnsupportedErrorCode {
			return unsupported
		}
	}
	return failed
}

// login finds the identity that may see ref. It returns the manifest's
// descriptor, or nil where the manifest is gone, and the identity that was
// believed. That nobody in particular sees nothing proves nothing once a login
// was refused: then the error is errDenied.
func login(ctx context.Context, ref name.Reference, ids []identity) (*v1.Descriptor, identity, error) {
	var refused error
	for _, id := range ids {
		desc, err := remote.Head(ref, remote.WithContext(ctx), remote.WithAuth(id.auth))
		if err == nil {
			return desc, id, nil
		}
		switch meaning(err) {
		case absent:
			if id.anonymous && refused != nil {
				continue
			}
			return nil, id, nil
		case denied:
			refused = errors.Join(refused, fmt.Errorf("%s: %w", id.name, err))
		default:
			return nil, id, fmt.Errorf("registry %s does not answer: %w; is it up, and reachable from here?", ref.Context().RegistryStr(), err)
		}
	}
	return nil, identity{}, fmt.Errorf("%w: %w", errDenied, refused)
}

var errDenied = errors.New("the registry refuses the login")
