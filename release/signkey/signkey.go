// Package signkey has the keys that sign and verify statements about images: ECDSA keys of the
// curve P-256. It owns the interface of a private key, the format of its file, and the set of
// trusted public keys. It uses only the standard library, so that package infra/config can check
// keys with it.
package signkey

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Key is a private key that signs. Read reads a key from a file. Package signer has the
// implementation for AWS KMS.
type Key interface {
	// SignData returns the ECDSA signature, in ASN.1, of the SHA-256 of data.
	SignData(ctx context.Context, data []byte) ([]byte, error)
	// Public returns the public key.
	Public() *ecdsa.PublicKey
}

// KMSScheme is the beginning of a reference to a key of AWS KMS. cosign uses the same form.
const KMSScheme = "awskms:///"

// kmsID matches the names of a key that KMS accepts: its id, an alias, or the ARN of one of them (KMS
// API, Sign, KeyId).
var kmsID = regexp.MustCompile(`^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:)?(key/)?(alias/[a-zA-Z0-9/_-]{1,250}|(mrk-)?[0-9a-f-]{32,36})$`)

// IsKMS reports whether a reference names a key of KMS. Otherwise the reference is the path of a
// file.
func IsKMS(reference string) bool { return strings.HasPrefix(reference, KMSScheme) }

// CheckKMS returns an error unless the reference is a valid reference to a key of KMS. Aliases that
// begin with alias/aws/ are not valid, because AWS's own keys do not sign.
func CheckKMS(reference string) error {
	if id, ok := strings.CutPrefix(reference, KMSScheme); !ok || !kmsID.MatchString(id) || strings.HasPrefix(id, "alias/aws/") {
		return fmt.Errorf("%q: must be awskms:/// and the ARN, the alias or the id of a key of KMS, such as awskms:///alias/progressive-framework-staging-signing", reference)
	}
	return nil
}

// maxKeyFile is the largest key file in bytes. A P-256 key in PEM has about 250.
const maxKeyFile = 16 << 10

// fileKey is a private key that was read from a file.
type fileKey struct{ private *ecdsa.PrivateKey }

// SignData implements Key.
func (k fileKey) SignData(_ context.Context, data []byte) ([]byte, error) {
	hash := sha256.Sum256(data)
	return ecdsa.SignASN1(rand.Reader, k.private, hash[:])
}

// Public implements Key.
func (k fileKey) Public() *ecdsa.PublicKey { return &k.private.PublicKey }

// Read reads a private key of the curve P-256 from a file. The file must be PKCS #8 in PEM, without
// a passphrase. No error contains the content of the file.
func Read(path string) (Key, error) {
	content, err := readKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("signing key %s: must be PKCS #8 in PEM (BEGIN PRIVATE KEY), without a passphrase; go run ./release/keygen writes one", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: it is not a valid PKCS #8 key", path)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, fmt.Errorf("signing key %s: must be an ECDSA key of the curve P-256, not %T", path, parsed)
	}
	return fileKey{private}, nil
}

// Create generates a key pair. It writes the private key to path, readable only by the file's
// owner, and the public key to path + ".pub". It returns an error if one of the files exists.
func Create(path string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("signing key: %w", err)
	}
	public, err := PublicPEM(&private.PublicKey)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("signing key: %w", err)
	}
	for _, file := range []struct {
		path    string
		content []byte
		mode    os.FileMode
	}{
		{path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600},
		{path + ".pub", []byte(public), 0o644},
	} {
		if err := writeNewFile(file.path, file.content, file.mode); err != nil {
			return fmt.Errorf("signing key: %w", err)
		}
	}
	return nil
}

// WritePublic writes the public part of a key to path, which must not exist.
func WritePublic(path string, key Key) error {
	public, err := PublicPEM(key.Public())
	if err != nil {
		return err
	}
	if err := writeNewFile(path, []byte(public), 0o644); err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	return nil
}

// writeNewFile writes a file that must not exist.
func writeNewFile(path string, content []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// readKeyFile reads a file of at most maxKeyFile bytes.
func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxKeyFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxKeyFile)
	}
	return content, nil
}

// PublicPEM returns a public key as PEM (BEGIN PUBLIC KEY). ParseTrusted reads this form.
func PublicPEM(key *ecdsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("public key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// ID returns the id of a public key: the SHA-256 of its DER form, in base64. cosign writes the same
// id into a bundle, as its hint.
func ID(key *ecdsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("public key: %w", err)
	}
	hash := sha256.Sum256(der)
	return base64.StdEncoding.EncodeToString(hash[:]), nil
}

// Trusted has the trusted public keys by their ID. During a rotation there are several.
type Trusted map[string]*ecdsa.PublicKey

// ParseTrusted parses public keys in PEM. Each text must have one or more keys.
func ParseTrusted(texts ...string) (Trusted, error) {
	keys := Trusted{}
	for i, text := range texts {
		remaining, found := []byte(text), false
		for {
			var block *pem.Block
			if block, remaining = pem.Decode(remaining); block == nil {
				break
			}
			parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
			public, ok := parsed.(*ecdsa.PublicKey)
			if block.Type != "PUBLIC KEY" || err != nil || !ok || public.Curve != elliptic.P256() {
				return nil, fmt.Errorf("trusted key %d: must be the public key of an ECDSA key of the curve P-256 in PEM (BEGIN PUBLIC KEY)", i+1)
			}
			id, err := ID(public)
			if err != nil {
				return nil, err
			}
			keys[id], found = public, true
		}
		if !found {
			return nil, fmt.Errorf("trusted key %d: has no public key in PEM (BEGIN PUBLIC KEY)", i+1)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("no trusted key: nothing could be verified")
	}
	return keys, nil
}
