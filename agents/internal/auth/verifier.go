package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/maypok86/otter/v2"
)

// ErrNoKeys says that the issuer's keys can't be had, so that no token can be judged. It is
// our failure, not the client's.
var ErrNoKeys = errors.New("the issuer's keys are unavailable")

// algorithms are the signatures that are taken: RFC 8725, "JSON Web Token Best
// Current Practices", 3.1, asks for a list of one's own.
var algorithms = []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256, jose.RS256}

const (
	// MaxToken is the longest token that is looked at, in bytes.
	MaxToken = 8 << 10
	// remembered is how many verified tokens are kept, and for how long at
	// most. A signature takes some 50 µs to verify, more than the rest of a
	// cached answer; a hash takes one.
	remembered    = 10_000
	rememberedFor = time.Minute
	maxSubject    = 128
)

// Verifier checks tokens. It is safe for use by several goroutines.
type Verifier struct {
	cfg   Config
	keys  *keySet
	now   func() time.Time
	known *otter.Cache[[sha256.Size]byte, verified]
}

// verified is a token that was found good; until is when it ends to be, or has
// to be looked at again.
type verified struct {
	principal Principal
	until     time.Time
}

// New returns a Verifier. Keys are fetched when the first token comes.
func New(cfg Config) (*Verifier, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	fetch := fromFile(cfg.JWKSFile)
	if cfg.JWKSURL != "" {
		fetch = fromURL(cfg.JWKSURL)
	}
	known := otter.Must(&otter.Options[[sha256.Size]byte, verified]{MaximumSize: remembered})
	return &Verifier{cfg: cfg, keys: &keySet{fetch: fetch, now: time.Now}, now: time.Now, known: known}, nil
}

// Verify returns whose token this is. Its error is ErrNoKeys, or says in words
// that the client may read what is wrong with the token.
func (v *Verifier) Verify(ctx context.Context, token string) (Principal, error) {
	if len(token) > MaxToken {
		return Principal{}, fmt.Errorf("it has %d bytes; at most %d are taken", len(token), MaxToken)
	}
	hash := sha256.Sum256([]byte(token))
	if known, ok := v.known.GetIfPresent(hash); ok && v.now().Before(known.until) {
		return known.principal, nil
	}
	fresh, err := v.verify(ctx, token)
	if err != nil {
		return Principal{}, err
	}
	v.known.Set(hash, fresh)
	return fresh.principal, nil
}

func (v *Verifier) verify(ctx context.Context, token string) (verified, error) {
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		return verified{}, errors.New("it is not a JWT signed with EdDSA, ES256 or RS256")
	}
	header := parsed.Headers[0] // the compact form has exactly one
	key, err := v.keys.find(ctx, header.KeyID)
	if err != nil {
		return verified{}, err
	}
	if key.Algorithm != "" && key.Algorithm != header.Algorithm {
		return verified{}, errors.New("its algorithm is not its key's")
	}
	var (
		claims jwt.Claims
		scope  struct {
			Scope string `json:"scope"` // RFC 8693, 4.2: words between spaces
		}
	)
	if err := parsed.Claims(key, &claims, &scope); err != nil {
		return verified{}, errors.New("its signature or its claims are wrong")
	}
	if err := v.judge(claims); err != nil {
		return verified{}, err
	}
	until := claims.Expiry.Time().Add(v.cfg.Leeway)
	if again := v.now().Add(rememberedFor); again.Before(until) {
		until = again
	}
	return verified{Principal{Subject: claims.Subject, Scopes: strings.Fields(scope.Scope)}, until}, nil
}

// judge checks what the token says of itself.
func (v *Verifier) judge(claims jwt.Claims) error {
	if claims.Expiry == nil {
		return errors.New("it has no expiry")
	}
	odd := strings.ContainsFunc(claims.Subject, func(c rune) bool { return c <= ' ' || c > '~' })
	if claims.Subject == "" || len(claims.Subject) > maxSubject || odd {
		return fmt.Errorf("its subject is not 1 to %d printable characters", maxSubject)
	}
	err := claims.ValidateWithLeeway(jwt.Expected{
		Issuer: v.cfg.Issuer, AnyAudience: jwt.Audience{v.cfg.Audience}, Time: v.now(),
	}, v.cfg.Leeway)
	for _, known := range []struct {
		err  error
		says string
	}{
		{jwt.ErrInvalidIssuer, "it is from another issuer"},
		{jwt.ErrInvalidAudience, "it is for another audience"},
		{jwt.ErrExpired, "it has expired"},
		{jwt.ErrNotValidYet, "it is not valid yet"},
		{jwt.ErrIssuedInTheFuture, "it was issued in the future"},
	} {
		if errors.Is(err, known.err) {
			return errors.New(known.says)
		}
	}
	return err
}
