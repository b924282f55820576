package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/progressive-framework/platform/agents/internal/auth/issuer"
)

// token is the user's token and what it says of itself; the services judge it.
type token struct {
	text  string
	says  jwt.Claims
	scope string
}

// readToken's errors hold nothing of the token.
func readToken(text string, now time.Time) (token, error) {
	t := token{text: text}
	if text == "" {
		return t, errors.New("there is no token: set TOKEN or give -token-file; make token prints one")
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return t, errors.New("the token is no JWT, which has three parts with dots between")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return t, errors.New("the token's second part is not base64")
	}
	var scope struct{ Scope string }
	if errors.Join(json.Unmarshal(payload, &t.says), json.Unmarshal(payload, &scope)) != nil || t.says.Subject == "" {
		return t, errors.New("the token's second part has no claims with a sub")
	}
	if end := t.says.Expiry.Time(); !end.IsZero() && end.Before(now) {
		return t, fmt.Errorf("the token ended at %s: make token prints a new one", end)
	}
	t.scope = scope.Scope
	return t, nil
}

// foreign is a token that says the same, signed by a key that nobody trusts.
func (t token) foreign(now time.Time) (string, error) {
	key, err := issuer.NewKey()
	if err != nil {
		return "", err
	}
	says := issuer.Claims{
		Issuer: t.says.Issuer, Subject: t.says.Subject, Scopes: strings.Fields(t.scope), NotBefore: now, Expiry: now.Add(time.Hour),
	}
	if len(t.says.Audience) > 0 {
		says.Audience = t.says.Audience[0]
	}
	return key.Token(says)
}
