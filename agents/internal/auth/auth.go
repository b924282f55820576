// Package auth decides who sent a request and what they may do: a JWT, signed
// with a key of the issuer's published set, for this audience, at this time.
// It owns the check, its cache and the two refusals, 401 and 403, and the issuer of
// the sandbox and of tests; which route needs which scope is each service's table.
//
// Only asymmetric signatures are known: "none" and HMAC can't be asked for by a
// token. A key is found by its id alone; one that travels in the token's own
// header is never looked at.
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
	ScopeUsersRead  = "users:read"  // one's own profile
	ScopeUsersWrite = "users:write" // one's own preferences
	ScopeAgentsRead = "agents:read" // status, also live
	ScopeAgentsRun  = "agents:run"  // coordinate, plan, generate
)

// Principal is who sent a request, as their token says.
type Principal struct {
	// Subject is the user's id: 1 to 128 printable ASCII characters.
	Subject string
	// Scopes is what they may do.
	Scopes []string
}

// May reports whether the principal has the scope.
func (p Principal) May(scope string) bool { return slices.Contains(p.Scopes, scope) }

type principalKey struct{}

// WithPrincipal returns a context that carries p.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalOf returns who sent the request that ctx belongs to; ok is false
// where no middleware of this package stood before.
func PrincipalOf(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// Config says whose tokens are taken.
type Config struct {
	// Issuer is JWT_ISSUER, compared letter by letter with the claim iss.
	Issuer string
	// Audience is JWT_AUDIENCE, which must be among the claim aud.
	Audience string
	// JWKSURL is JWT_JWKS_URL, where the issuer publishes its keys; https. One
	// of it and JWKSFile is needed.
	JWKSURL string
	// JWKSFile is JWT_JWKS_FILE, a mounted file with the keys. It is read again
	// as a URL is, so that keys can be rotated.
	JWKSFile string
	// Leeway is JWT_LEEWAY: how far the issuer's clock may be from ours.
	Leeway time.Duration
}

// ReadConfig reads the variables that the fields name.
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

func (c Config) validate() error {
	var errs []error
	if c.Issuer == "" || c.Audience == "" {
		errs = append(errs, errors.New("auth: Issuer and Audience must both be set: JWT_ISSUER, JWT_AUDIENCE"))
	}
	if (c.JWKSURL == "") == (c.JWKSFile == "") {
		errs = append(errs, errors.New("auth: exactly one of JWKSURL and JWKSFile must be set: JWT_JWKS_URL or JWT_JWKS_FILE"))
	}
	return errors.Join(errs...)
}
