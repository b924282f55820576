package loadtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// token is the user's token with its claims. pf does not verify it, because only the services have
// the keys.
type token struct {
	text   string
	claims jwt.Claims
	scope  string
}

// parseToken parses the token. Its errors never contain the token.
func parseToken(text string, now time.Time) (token, error) {
	t := token{text: text}
	if text == "" {
		return t, errors.New("no token: set TOKEN or --token-file; make token prints a token")
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return t, errors.New("the token is not a JWT: it must have three parts, separated by dots")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return t, errors.New("the token's second part is not base64")
	}
	var scope struct{ Scope string }
	if errors.Join(json.Unmarshal(payload, &t.claims), json.Unmarshal(payload, &scope)) != nil || t.claims.Subject == "" {
		return t, errors.New("the token's second part has no claims with a sub")
	}
	if expiry := t.claims.Expiry.Time(); !expiry.IsZero() && expiry.Before(now) {
		return t, fmt.Errorf("the token expired at %s: make token prints a new one", expiry)
	}
	t.scope = scope.Scope
	return t, nil
}

// signWithOtherKey returns a token with the same claims and new times. The key of its signature
// belongs to no issuer that a service accepts.
func (t token) signWithOtherKey(now time.Time) (string, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	signing := jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: key, KeyID: "other-issuer"}}
	signer, err := jose.NewSigner(signing, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	claims := t.claims
	claims.NotBefore, claims.IssuedAt, claims.Expiry = jwt.NewNumericDate(now), jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(time.Hour))
	return jwt.Signed(signer).Claims(claims).Claims(map[string]any{"scope": t.scope}).Serialize()
}
