// Package auth authenticates and authorizes requests by JWT. A token must be signed with a key
// from the issuer's published set. It must be issued for this audience and be valid now. This
// package owns the verification of tokens, the cache of verified tokens, and the responses 401
// and 403. It also owns the issuer of the sandbox and of tests. Each service decides which route
// needs which scope.
//
// Only asymmetric signatures are accepted, so a token cannot select "none" or
// HMAC. A key is found by its id only. A key in the token's own header is
// ignored.
package auth

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

// The scopes of the platform's routes.
const (
	ScopeUsersRead  = "users:read"  // the user's own profile
	ScopeUsersWrite = "users:write" // the user's own preferences
	ScopeAgentsRead = "agents:read" // the agents' status, as a response or as a stream
	ScopeAgentsRun  = "agents:run"  // coordinate, plan, generate
)

// Principal is the user that sends a request. The token names the user.
type Principal struct {
	// Subject is the user's id: 1 to 128 printable ASCII characters.
	Subject string
	// Scopes are the granted scopes.
	Scopes []string
}

// HasScope reports whether the principal has the scope.
func (p Principal) HasScope(scope string) bool { return slices.Contains(p.Scopes, scope) }

type principalKey struct{}

// WithPrincipal returns a context with p.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalFromContext returns the principal that WithPrincipal has added to ctx. ok is false if the
// request did not pass this package's middleware.
func PrincipalFromContext(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// Config is the accepted issuer and audience, and the source of the issuer's keys.
type Config struct {
	// Issuer is JWT_ISSUER. It must be equal to the claim iss.
	Issuer string
	// Audience is JWT_AUDIENCE. It must be in the claim aud.
	Audience string
	// JWKSURL is JWT_JWKS_URL, the https URL of the issuer's keys. Exactly one
	// of JWKSURL and JWKSFile must be set.
	JWKSURL string
	// JWKSFile is JWT_JWKS_FILE, a mounted file with the keys. It is read again as often as a
	// URL, so that keys can be rotated.
	JWKSFile string
	// Leeway is JWT_LEEWAY: the allowed difference between the issuer's clock and this
	// machine's clock.
	Leeway time.Duration
}

// ReadConfig reads the variables of Config.
func ReadConfig(env *envconfig.Reader) Config {
	env.Require("JWT_ISSUER", "JWT_AUDIENCE")
	return Config{
		Issuer:   env.Word("JWT_ISSUER", ""),
		Audience: env.Word("JWT_AUDIENCE", ""),
		JWKSURL:  env.URL("JWT_JWKS_URL", "", "https"),
		JWKSFile: env.Path("JWT_JWKS_FILE", ""),
		Leeway:   env.Duration("JWT_LEEWAY", 30*time.Second, 0, 5*time.Minute),
	}
}

// validate returns the errors of all fields.
func (c Config) validate() error {
	var errs []error
	if c.Issuer == "" || c.Audience == "" {
		errs = append(errs, errors.New("auth: Issuer and Audience must both be set: set JWT_ISSUER and JWT_AUDIENCE"))
	}
	if (c.JWKSURL == "") == (c.JWKSFile == "") {
		errs = append(errs, errors.New("auth: exactly one of JWKSURL and JWKSFile must be set: set JWT_JWKS_URL or JWT_JWKS_FILE"))
	}
	return errors.Join(errs...)
}
