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
	// readTimeout limits requests that read from a registry or delete in it.
	readTimeout = 2 * time.Minute
	// pushTimeout limits one upload. It is enough for 20 MB at 200 kbit/s.
	pushTimeout = 15 * time.Minute
)

// keychain returns a keychain that has the credentials for one registry. For other
// registries, such as the registry of a base image, it uses the docker config. If the
// credentials are nil, it uses the docker config for all registries.
func keychain(registry string, c *Credentials) authn.Keychain {
	if c == nil {
		return authn.DefaultKeychain
	}
	return scopedKeychain{registry, authn.FromConfig(authn.AuthConfig{Username: c.Username, Password: c.Password})}
}

// scopedKeychain has credentials for one registry only, so that no other registry
// gets the password.
type scopedKeychain struct {
	registry string
	auth     authn.Authenticator
}

// Resolve implements authn.Keychain.
func (s scopedKeychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if r.RegistryStr() == s.registry {
		return s.auth, nil
	}
	return authn.DefaultKeychain.Resolve(r)
}

// keychain returns the keychain for the image's repository. It returns the keychain of
// the docker config if the repository is not known yet.
func (in ImageInputs) keychain() authn.Keychain {
	repo, err := name.NewRepository(in.Repository, name.StrictValidation)
	if err != nil {
		return authn.DefaultKeychain
	}
	return keychain(repo.RegistryStr(), in.Credentials)
}

// login is a way to authenticate at a registry.
type login struct {
	name      string
	auth      authn.Authenticator
	anonymous bool
}

// possibleLogins returns the logins to try for a repository, in this order:
// the credentials of the inputs, then the docker config or an anonymous login. The
// credentials may have expired since the last update. Those of ECR expire after 12 hours.
func possibleLogins(repo name.Repository, c *Credentials) ([]login, error) {
	var logins []login
	if c != nil {
		auth, err := keychain(repo.RegistryStr(), c).Resolve(repo)
		if err != nil {
			return nil, err
		}
		logins = append(logins, login{name: "the resource's credentials", auth: auth})
	}
	dockerAuth, err := authn.DefaultKeychain.Resolve(repo)
	if err != nil {
		return nil, fmt.Errorf("docker config: %w", err)
	}
	if dockerAuth == authn.Anonymous {
		return append(logins, login{name: "no login", auth: dockerAuth, anonymous: true}), nil
	}
	return append(logins, login{name: "the docker config", auth: dockerAuth}), nil
}

// errorKind is the meaning of a registry's error.
type errorKind int

const (
	failed      errorKind = iota // the registry is unreachable or broken
	absent                       // the manifest or the repository does not exist
	denied                       // the login is missing, wrong or expired
	unsupported                  // the registry does not support the operation
)

// classify returns the kind of a registry's error.
func classify(err error) errorKind {
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

// authenticate finds a login that may read ref. It returns the login, and the descriptor of
// the manifest, or nil if the manifest does not exist. It returns errDenied if the registry
// refuses all logins. After a refused login, authenticate ignores the status "not found" for
// an anonymous login, because many registries hide private manifests with this status.
func authenticate(ctx context.Context, ref name.Reference, logins []login) (*v1.Descriptor, login, error) {
	var refusals error
	for _, login := range logins {
		desc, err := remote.Head(ref, remote.WithContext(ctx), remote.WithAuth(login.auth))
		if err == nil {
			return desc, login, nil
		}
		switch classify(err) {
		case absent:
			if login.anonymous && refusals != nil {
				continue
			}
			return nil, login, nil
		case denied:
			refusals = errors.Join(refusals, fmt.Errorf("%s: %w", login.name, err))
		default:
			return nil, login, fmt.Errorf("registry %s does not answer: %w; check that it runs and that this machine can reach it", ref.Context().RegistryStr(), err)
		}
	}
	return nil, login{}, fmt.Errorf("%w: %w", errDenied, refusals)
}

// errDenied means that the registry refused every possible login.
var errDenied = errors.New("the registry refuses the login")
