package stack

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/progressive-framework/platform/sandbox/home"
)

// Passphrase is the public one of a sandbox's stacks; Pulumi.sandbox.yaml
// carries a salt for it.
const Passphrase = "sandbox"

// EnsurePassphrase writes the passphrase's file, mode 0600, where there is
// none.
func EnsurePassphrase(h *home.Home) error {
	if _, err := os.Lstat(h.Passphrase()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(h.Passphrase(), []byte(Passphrase), 0o600); err != nil {
		return fmt.Errorf("passphrase of the sandbox: %w", err)
	}
	return nil
}

// PassphraseError says that a stack was made with another passphrase.
type PassphraseError struct {
	File   string // holds the passphrase
	Config string // holds the salt that it does not fit
	Err    error  // what failed for it
}

func (e *PassphraseError) Error() string {
	return fmt.Sprintf("wrong passphrase: the one in %s does not fit the encryptionsalt of %s. "+
		"The sandbox's is %q; where the stack has another, write that into the first file, or restore the second: %v",
		e.File, e.Config, Passphrase, e.Err)
}

// Unwrap returns what failed.
func (e *PassphraseError) Unwrap() error { return e.Err }

// Explain adds to the failure of a Pulumi command what Pulumi cannot know:
// that the passphrase is wrong, by a *PassphraseError. Other errors stay as
// they are.
func (s *Stack) Explain(ctx context.Context, err error) error {
	var tool *ToolError
	if !errors.As(err, &tool) || ctx.Err() != nil {
		return err
	}
	config := filepath.Join(s.dir, "Pulumi."+s.name+".yaml")
	if fits, checkErr := passphraseFits(s.home.Passphrase(), config); checkErr != nil || fits {
		return err
	}
	return &PassphraseError{File: s.home.Passphrase(), Config: config, Err: err}
}

// passphraseFits says whether the passphrase in a file opens the salt in a
// stack's configuration. A stack without a salt takes any passphrase.
//
// The salt is v1:SALT:v1:NONCE:TEXT; what follows SALT is a word that was
// encrypted with the passphrase, so that a wrong one is noticed.
func passphraseFits(passphraseFile, stackFile string) (bool, error) {
	phrase, err := os.ReadFile(passphraseFile)
	if err != nil {
		return false, err
	}
	raw, err := os.ReadFile(stackFile)
	if err != nil {
		return false, err
	}
	var stack struct {
		Salt string `yaml:"encryptionsalt"`
	}
	if err := yaml.Unmarshal(raw, &stack); err != nil {
		return false, fmt.Errorf("%s: %w", stackFile, err)
	}
	if stack.Salt == "" {
		return true, nil
	}
	parts := strings.Split(stack.Salt, ":")
	if len(parts) != 5 || parts[0] != "v1" || parts[2] != "v1" {
		return false, fmt.Errorf("%s: encryptionsalt has an unknown form", stackFile)
	}
	var decoded [3][]byte
	for i, part := range []string{parts[1], parts[3], parts[4]} {
		if decoded[i], err = base64.StdEncoding.DecodeString(part); err != nil {
			return false, fmt.Errorf("%s: encryptionsalt: %w", stackFile, err)
		}
	}
	return opens(strings.TrimSpace(string(phrase)), decoded[0], decoded[1], decoded[2])
}

// rounds is what Pulumi derives the key of a stack with (PBKDF2, SHA-256).
const rounds = 1_000_000

// opens says whether the key of a passphrase and a salt opens an AES-256-GCM
// text.
func opens(phrase string, salt, nonce, text []byte) (bool, error) {
	key, err := pbkdf2.Key(sha256.New, phrase, salt, rounds, 32)
	if err != nil {
		return false, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return false, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return false, err
	}
	if len(nonce) != gcm.NonceSize() {
		return false, fmt.Errorf("encryptionsalt: a nonce has %d bytes, not %d", gcm.NonceSize(), len(nonce))
	}
	_, err = gcm.Open(nil, nonce, text, nil)
	return err == nil, nil
}
