// Package issuer makes the sandbox's and the tests' tokens: a key, its public
// set, and tokens signed with it. It owns no check; production has an issuer
// of its own.
package issuer

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The names of the files that Init makes.
const (
	KeyFile  = "key.json"  // private, mode 0600
	JWKSFile = "jwks.json" // public: what JWT_JWKS_FILE leads to
)

// Key signs tokens with Ed25519; its id is its thumbprint (RFC 7638).
type Key struct{ jwk jose.JSONWebKey }

// NewKey makes a key.
func NewKey() (Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, err
	}
	return Wrap(private, jose.EdDSA)
}

// Wrap makes a Key of a private key and its algorithm.
func Wrap(private crypto.PrivateKey, algorithm jose.SignatureAlgorithm) (Key, error) {
	jwk := jose.JSONWebKey{Key: private, Algorithm: string(algorithm), Use: "sig"}
	public := jwk.Public()
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, fmt.Errorf("take the key's thumbprint: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return Key{jwk}, nil
}

// Load reads a key that Init has made.
func Load(file string) (Key, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Key{}, err
	}
	var key Key
	if err := json.Unmarshal(text, &key.jwk); err != nil {
		return Key{}, fmt.Errorf("%s is not a key of Init's: %w", file, err)
	}
	if key.jwk.IsPublic() || !key.jwk.Valid() {
		return Key{}, fmt.Errorf("%s is not a private key: use the file %s that -init makes", file, KeyFile)
	}
	return key, nil
}

// Init makes a key and its public set in a folder, and leaves a key that is
// there as it is. The set is written again either way.
func Init(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file := filepath.Join(dir, KeyFile)
	key, err := Load(file)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = create(file)
	}
	if err != nil {
		return err
	}
	set, err := JWKS(key)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, JWKSFile), set, 0o644)
}

func create(file string) (Key, error) {
	key, err := NewKey()
	if err != nil {
		return Key{}, err
	}
	text, err := json.Marshal(key.jwk)
	if err != nil {
		return Key{}, err
	}
	// O_EXCL: of two that run at once only one makes the key.
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Key{}, err
	}
	_, err = out.Write(text)
	return key, errors.Join(err, out.Close())
}

// JWKS is the public set of these keys.
func JWKS(keys ...Key) ([]byte, error) {
	var set jose.JSONWebKeySet
	for _, key := range keys {
		set.Keys = append(set.Keys, key.jwk.Public())
	}
	return json.Marshal(set)
}

// Claims is what a token says.
type Claims struct {
	Issuer    string
	Audience  string
	Subject   string
	Scopes    []string
	NotBefore time.Time
	Expiry    time.Time // zero: the token never ends, which no verifier takes
}

// Token signs a token.
func (k Key) Token(c Claims) (string, error) {
	options := (&jose.SignerOptions{}).WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.jwk.Algorithm), Key: k.jwk}, options)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	claims := jwt.Claims{Issuer: c.Issuer, Audience: jwt.Audience{c.Audience}, Subject: c.Subject}
	if !c.NotBefore.IsZero() {
		claims.NotBefore, claims.IssuedAt = jwt.NewNumericDate(c.NotBefore), jwt.NewNumericDate(c.NotBefore)
	}
	if !c.Expiry.IsZero() {
		claims.Expiry = jwt.NewNumericDate(c.Expiry)
	}
	scope := map[string]any{"scope": strings.Join(c.Scopes, " ")}
	return jwt.Signed(signer).Claims(claims).Claims(scope).Serialize()
}
