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

// keychain returns a keychain that logs in to one registry with l. For other registries,
// such as the registry of a base image, it uses the docker config. If l is nil, it uses the
// docker config for all registries.
func (e *ecrPasswords) keychain(registry string, l *ECRLogin) authn.Keychain {
	if l == nil {
		return authn.DefaultKeychain
	}
	return scopedKeychain{registry, *l, e}
}

// scopedKeychain has a login for one registry only, so that no other registry gets the
// password. It logs in at the first request to this registry.
type scopedKeychain struct {
	registry  string
	login     ECRLogin
	passwords *ecrPasswords
}

// Resolve implements authn.Keychain.
func (s scopedKeychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	return s.ResolveContext(context.Background(), r)
}

// ResolveContext implements authn.ContextKeychain.
func (s scopedKeychain) ResolveContext(ctx context.Context, r authn.Resource) (authn.Authenticator, error) {
	if r.RegistryStr() == s.registry {
		return s.passwords.authenticator(ctx, s.login)
	}
	return authn.Resolve(ctx, authn.DefaultKeychain, r)
}

// keychain returns the keychain for the image's repository. It returns the keychain of
// the docker config if the repository is not known yet.
func (i *Image) keychain(in ImageInputs) authn.Keychain {
	repo, err := name.NewRepository(in.Repository, name.StrictValidation)
	if err != nil {
		return authn.DefaultKeychain
	}
	return i.passwords.keychain(repo.RegistryStr(), in.Login)
}

// login is a way to authenticate at a registry.
type login struct {
	name      string
	auth      authn.Authenticator
	err       error // the reason why there is no auth
	anonymous bool
}

// possibleLogins returns the logins to try for a repository, in this order: l, then the
// docker config or an anonymous login. So a refresh or a destroy also works after docker
// login, without the AWS CLI.
func (e *ecrPasswords) possibleLogins(ctx context.Context, repo name.Repository, l *ECRLogin) ([]login, error) {
	var logins []login
	if l != nil {
		auth, err := e.authenticator(ctx, *l)
		logins = append(logins, login{name: "the AWS CLI's password", auth: auth, err: err})
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
// the manifest, or nil if the manifest does not exist. It returns errDenied if all logins
// fail. After a failed login, authenticate ignores the status "not found" for
// an anonymous login, because many registries hide private manifests with this status.
func authenticate(ctx context.Context, ref name.Reference, logins []login) (*v1.Descriptor, login, error) {
	var refusals error
	for _, login := range logins {
		if login.err != nil {
			refusals = errors.Join(refusals, login.err)
			continue
		}
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

// errDenied means that no possible login has a password that the registry accepts.
var errDenied = errors.New("no login was accepted")
