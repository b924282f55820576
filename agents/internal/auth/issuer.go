package auth

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

// Names of the files that InitSigningKey creates.
const (
	KeyFile  = "key.json"  // private, mode 0600
	JWKSFile = "jwks.json" // public: the file for JWT_JWKS_FILE
)

// SigningKey signs the tokens of the sandbox and of tests. Production has its
// own issuer. The key's id is its thumbprint (RFC 7638).
type SigningKey struct{ jwk jose.JSONWebKey }

// NewSigningKey creates an Ed25519 key.
func NewSigningKey() (SigningKey, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return SigningKey{}, err
	}
	return SigningKeyFromPrivate(private, jose.EdDSA)
}

// SigningKeyFromPrivate creates a SigningKey from a private key and its algorithm.
func SigningKeyFromPrivate(private crypto.PrivateKey, algorithm jose.SignatureAlgorithm) (SigningKey, error) {
	jwk := jose.JSONWebKey{Key: private, Algorithm: string(algorithm), Use: "sig"}
	public := jwk.Public()
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return SigningKey{}, fmt.Errorf("compute the key's thumbprint: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return SigningKey{jwk}, nil
}

// LoadSigningKey reads a key that InitSigningKey created.
func LoadSigningKey(file string) (SigningKey, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return SigningKey{}, err
	}
	var key SigningKey
	if err := json.Unmarshal(content, &key.jwk); err != nil {
		return SigningKey{}, fmt.Errorf("%s is not a signing key: create one with -init: %w", file, err)
	}
	if key.jwk.IsPublic() || !key.jwk.Valid() {
		return SigningKey{}, fmt.Errorf("%s is not a private key: use the file %s that -init creates", file, KeyFile)
	}
	return key, nil
}

// InitSigningKey creates a key and the JWKS with its public key in a folder. It keeps
// an existing key, and always rewrites the JWKS.
func InitSigningKey(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file := filepath.Join(dir, KeyFile)
	key, err := LoadSigningKey(file)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = createKey(file)
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

// createKey creates a key and saves it in the file, which must not exist.
func createKey(file string) (SigningKey, error) {
	key, err := NewSigningKey()
	if err != nil {
		return SigningKey{}, err
	}
	encoded, err := json.Marshal(key.jwk)
	if err != nil {
		return SigningKey{}, err
	}
	// O_EXCL: of two concurrent processes only one creates the key.
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return SigningKey{}, err
	}
	_, err = out.Write(encoded)
	return key, errors.Join(err, out.Close())
}

// JWKS returns the JSON Web Key Set of the public keys, as JSON.
func JWKS(keys ...SigningKey) ([]byte, error) {
	var set jose.JSONWebKeySet
	for _, key := range keys {
		set.Keys = append(set.Keys, key.jwk.Public())
	}
	return json.Marshal(set)
}

// Claims are the claims of a token.
type Claims struct {
	Issuer    string
	Audience  string
	Subject   string
	Scopes    []string
	NotBefore time.Time
	Expiry    time.Time // zero means no expiry, which verifiers reject
}

// Token returns a signed JWT with the claims.
func (k SigningKey) Token(c Claims) (string, error) {
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
	scopeClaim := map[string]any{"scope": strings.Join(c.Scopes, " ")}
	return jwt.Signed(signer).Claims(claims).Claims(scopeClaim).Serialize()
}
