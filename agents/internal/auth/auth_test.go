package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"
)

const (
	testIssuer   = "https://issuer.test"
	testAudience = "progressive-framework"
)

// newKey returns a new signing key.
func newKey(t *testing.T) SigningKey {
	t.Helper()
	key, err := NewSigningKey()
	require.NoError(t, err)
	return key
}

// newVerifier returns a verifier with these keys in a file.
func newVerifier(t *testing.T, keys ...SigningKey) *Verifier {
	t.Helper()
	set, err := JWKS(keys...)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "jwks.json")
	require.NoError(t, os.WriteFile(file, set, 0o600))
	v, err := New(Config{Issuer: testIssuer, Audience: testAudience, JWKSFile: file, Leeway: 30 * time.Second})
	require.NoError(t, err)
	return v
}

// validClaims returns the claims of a valid token that was issued a minute ago and expires
// in an hour. change may then change the claims.
func validClaims(change ...func(*Claims)) Claims {
	claims := Claims{
		Issuer: testIssuer, Audience: testAudience, Subject: "test-user-123", Scopes: []string{ScopeUsersRead, ScopeAgentsRun},
		NotBefore: time.Now().Add(-time.Minute), Expiry: time.Now().Add(time.Hour),
	}
	for _, c := range change {
		c(&claims)
	}
	return claims
}

// newToken returns a token that is signed with the key. Its claims are valid unless change
// makes them invalid.
func newToken(t *testing.T, key SigningKey, change ...func(*Claims)) string {
	t.Helper()
	token, err := key.Token(validClaims(change...))
	require.NoError(t, err)
	return token
}

func TestEverySupportedAlgorithmIsAccepted(t *testing.T) {
	_, ed25519Key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p256Key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for algorithm, private := range map[jose.SignatureAlgorithm]any{jose.EdDSA: ed25519Key, jose.ES256: p256Key, jose.RS256: rsaKey} {
		t.Run(string(algorithm), func(t *testing.T) {
			key, err := SigningKeyFromPrivate(private, algorithm)
			require.NoError(t, err)
			v := newVerifier(t, key)
			for range 2 { // the second result is from the cache
				principal, err := v.Verify(t.Context(), newToken(t, key))
				require.NoError(t, err)
				require.Equal(t, Principal{"test-user-123", []string{"users:read", "agents:run"}}, principal)
			}
		})
	}
}

func TestVerifyChecksTheClaims(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	now := time.Now()
	for _, row := range []struct {
		reason  string
		change  func(*Claims)
		message string // empty: valid
	}{
		{"valid", func(*Claims) {}, ""},
		{"the issuer's clock is a little ahead", func(c *Claims) { c.NotBefore = now.Add(25 * time.Second) }, ""},
		{"the issuer's clock is a little behind", func(c *Claims) { c.Expiry = now.Add(-25 * time.Second) }, ""},
		{"no scope is not an error here", func(c *Claims) { c.Scopes = nil }, ""},
		{"not valid yet", func(c *Claims) { c.NotBefore = now.Add(time.Minute) }, "not valid yet"},
		{"expired", func(c *Claims) { c.Expiry = now.Add(-time.Minute) }, "expired"},
		{"no expiry", func(c *Claims) { c.Expiry = time.Time{} }, "no expiry"},
		{"wrong audience", func(c *Claims) { c.Audience = "another" }, "another audience"},
		{"wrong issuer", func(c *Claims) { c.Issuer = testIssuer + "/" }, "another issuer"},
		{"no subject", func(c *Claims) { c.Subject = "" }, "subject"},
		{"a subject that would forge log lines and break PostgreSQL", func(c *Claims) { c.Subject = "a\x00\nb" }, "subject"},
		{"a subject that is too long", func(c *Claims) { c.Subject = strings.Repeat("a", maxSubject+1) }, "subject"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			_, err := v.Verify(t.Context(), newToken(t, key, row.change))
			if row.message == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.message)
		})
	}
}

func TestForgedTokensAreRejected(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	valid := newToken(t, key)
	parts := strings.Split(valid, ".")
	set, err := JWKS(key)
	require.NoError(t, err)
	var keys jose.JSONWebKeySet
	require.NoError(t, json.Unmarshal(set, &keys))
	kid, publicKey := keys.Keys[0].KeyID, keys.Keys[0].Key.(ed25519.PublicKey)
	encodeSegment := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	sign := func(algorithm jose.SignatureAlgorithm, secret any, options *jose.SignerOptions) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: secret}, options)
		require.NoError(t, err)
		token, err := jwt.Signed(signer).Claims(jwt.Claims{
			Issuer: testIssuer, Audience: jwt.Audience{testAudience}, Subject: "admin", Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour)),
		}).Serialize()
		require.NoError(t, err)
		return token
	}
	_, foreignKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	withKid := (&jose.SignerOptions{}).WithHeader("kid", kid)

	for reason, forged := range map[string]string{
		"alg none": encodeSegment(`{"alg":"none","kid":"`+kid+`"}`) + "." + parts[1] + ".",
		"alg nOnE": encodeSegment(`{"alg":"nOnE","kid":"`+kid+`"}`) + "." + parts[1] + ".",
		"HS256 with the public key as the secret":     sign(jose.HS256, []byte(publicKey), withKid),
		"an unknown key with a known key's id":        sign(jose.EdDSA, foreignKey, withKid),
		"an unknown key in the token's header":        sign(jose.EdDSA, foreignKey, &jose.SignerOptions{EmbedJWK: true}),
		"an unknown key id":                           newToken(t, newKey(t)),
		"no key id":                                   sign(jose.EdDSA, foreignKey, nil),
		"another key's algorithm":                     encodeSegment(`{"alg":"ES256","kid":"`+kid+`"}`) + "." + parts[1] + "." + parts[2],
		"no signature":                                parts[0] + "." + parts[1] + ".",
		"changed claims with the old signature":       parts[0] + "." + encodeSegment(`{"sub":"admin"}`) + "." + parts[2],
		"a critical header extension that is unknown": encodeSegment(`{"alg":"EdDSA","kid":"`+kid+`","crit":["x"],"x":1}`) + "." + parts[1] + "." + parts[2],
		"the general JSON form":                       `{"payload":"` + parts[1] + `","signatures":[]}`,
		"the design document's test token":            "test-token",
		"empty":                                       "",
		"too long":                                    valid + strings.Repeat("A", MaxToken),
	} {
		t.Run(reason, func(t *testing.T) {
			for range 2 { // a failure is not cached as a success
				principal, err := v.Verify(t.Context(), forged)
				require.Error(t, err)
				require.Zero(t, principal)
				require.NotErrorIs(t, err, ErrNoKeys)
			}
		})
	}
	_, err = v.Verify(t.Context(), valid)
	require.NoError(t, err, "the valid token is still accepted")
}

// TestCachedTokenExpires checks that the cache does not accept an expired token.
func TestCachedTokenExpires(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	token := newToken(t, key)
	_, err := v.Verify(t.Context(), token)
	require.NoError(t, err)
	v.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	_, err = v.Verify(t.Context(), token)
	require.ErrorContains(t, err, "expired")
}

func TestInvalidConfigIsRejected(t *testing.T) {
	for reason, cfg := range map[string]Config{
		"no source":   {Issuer: "i", Audience: "a"},
		"two sources": {Issuer: "i", Audience: "a", JWKSFile: "/f", JWKSURL: "https://h"},
		"no issuer: tokens of any issuer would be accepted": {Audience: "a", JWKSFile: "/f"},
		"no audience": {Issuer: "i", JWKSFile: "/f"},
	} {
		t.Run(reason, func(t *testing.T) {
			_, err := New(cfg)
			require.Error(t, err)
		})
	}
}
