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

// ErrNoKeys means that the issuer's keys are unavailable, so no token can be verified. The
// token may be valid, so the response is a 5xx.
var ErrNoKeys = errors.New("the issuer's keys are unavailable")

// algorithms are the accepted signature algorithms. RFC 8725, "JSON Web Token Best Current
// Practices", 3.1, requires an explicit list.
var algorithms = []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256, jose.RS256}

const (
	// MaxToken is the longest accepted token in bytes.
	MaxToken = 8 << 10
	// cacheSize and cacheTTL bound the cache of verified tokens. Its keys are the
	// tokens' hashes. The verification of a signature takes about 50 µs, longer than all
	// other work for a cached response. The hash of a token takes 1 µs.
	cacheSize = 10_000
	cacheTTL  = time.Minute
	// maxSubject is the maximum length of a user's id, as in the table users.
	maxSubject = 128
)

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	cfg   Config
	keys  *keySet
	now   func() time.Time
	cache *otter.Cache[[sha256.Size]byte, verifiedToken]
}

// verifiedToken is a cache entry for a token that has passed all checks. validUntil is the
// earlier of two times: the end of cacheTTL, and the token's expiry plus the leeway.
type verifiedToken struct {
	principal  Principal
	validUntil time.Time
}

// New returns a Verifier. It fetches the keys when it verifies the first token.
func New(cfg Config) (*Verifier, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	fetch := newFileFetcher(cfg.JWKSFile)
	if cfg.JWKSURL != "" {
		fetch = newURLFetcher(cfg.JWKSURL)
	}
	cache := otter.Must(&otter.Options[[sha256.Size]byte, verifiedToken]{MaximumSize: cacheSize})
	return &Verifier{cfg: cfg, keys: &keySet{fetch: fetch, now: time.Now}, now: time.Now, cache: cache}, nil
}

// Verify returns the principal of the token. The error is ErrNoKeys, or it tells the client
// why the token is invalid.
func (v *Verifier) Verify(ctx context.Context, token string) (Principal, error) {
	if len(token) > MaxToken {
		return Principal{}, fmt.Errorf("the token has %d bytes, must have at most %d", len(token), MaxToken)
	}
	hash := sha256.Sum256([]byte(token))
	if cached, ok := v.cache.GetIfPresent(hash); ok && v.now().Before(cached.validUntil) {
		return cached.principal, nil
	}
	verified, err := v.verify(ctx, token)
	if err != nil {
		return Principal{}, err
	}
	v.cache.Set(hash, verified)
	return verified.principal, nil
}

// verify verifies a token without the cache.
func (v *Verifier) verify(ctx context.Context, token string) (verifiedToken, error) {
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		return verifiedToken{}, errors.New("not a JWT signed with EdDSA, ES256 or RS256")
	}
	header := parsed.Headers[0] // the compact serialization has exactly one
	key, err := v.keys.find(ctx, header.KeyID)
	if err != nil {
		return verifiedToken{}, err
	}
	if key.Algorithm != "" && key.Algorithm != header.Algorithm {
		return verifiedToken{}, errors.New("the algorithm of the token is not the algorithm of the key")
	}
	var (
		claims     jwt.Claims
		scopeClaim struct {
			Scope string `json:"scope"` // RFC 8693, 4.2: separated by spaces
		}
	)
	if err := parsed.Claims(key, &claims, &scopeClaim); err != nil {
		return verifiedToken{}, errors.New("wrong signature or claims")
	}
	if err := v.checkClaims(claims); err != nil {
		return verifiedToken{}, err
	}
	validUntil := claims.Expiry.Time().Add(v.cfg.Leeway)
	if cacheEnd := v.now().Add(cacheTTL); cacheEnd.Before(validUntil) {
		validUntil = cacheEnd
	}
	return verifiedToken{Principal{Subject: claims.Subject, Scopes: strings.Fields(scopeClaim.Scope)}, validUntil}, nil
}

// checkClaims checks issuer, audience, subject and times.
func (v *Verifier) checkClaims(claims jwt.Claims) error {
	if claims.Expiry == nil {
		return errors.New("no expiry")
	}
	hasInvalidCharacter := strings.ContainsFunc(claims.Subject, func(c rune) bool { return c <= ' ' || c > '~' })
	if claims.Subject == "" || len(claims.Subject) > maxSubject || hasInvalidCharacter {
		return fmt.Errorf("the subject is not 1 to %d printable characters", maxSubject)
	}
	err := claims.ValidateWithLeeway(jwt.Expected{
		Issuer: v.cfg.Issuer, AnyAudience: jwt.Audience{v.cfg.Audience}, Time: v.now(),
	}, v.cfg.Leeway)
	for _, row := range []struct {
		err     error
		message string
	}{
		{jwt.ErrInvalidIssuer, "issued by another issuer"},
		{jwt.ErrInvalidAudience, "issued for another audience"},
		{jwt.ErrExpired, "expired"},
		{jwt.ErrNotValidYet, "not valid yet"},
		{jwt.ErrIssuedInTheFuture, "issued in the future"},
	} {
		if errors.Is(err, row.err) {
			return errors.New(row.message)
		}
	}
	return err
}
