package registry

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// User is the user name for pushes, the same as in ECR.
const User = "AWS"

var passwordPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// EnsurePassword returns the password for pushes. The first call writes 32 random bytes in
// hex to the file layout.RegistryPassword, with mode 0600. Later calls, also of other
// processes, return the same password. A file with malformed content is an error, which
// names the file.
func EnsurePassword(l *layout.Layout) (string, error) {
	path := l.RegistryPassword()
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createPassword(path); err != nil {
			return "", fmt.Errorf("create the registry password %s: %w", path, err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the registry password: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return "", fmt.Errorf("set the mode of the registry password: %w", err)
	}
	password := strings.TrimSpace(string(raw))
	if !passwordPattern.MatchString(password) {
		return "", fmt.Errorf("registry password %s: the content is not 64 hex digits (it has %d characters); remove the file, and the next command creates a new one", path, len(password))
	}
	return password, nil
}

// createPassword writes a new password to path, unless another process has done so at the
// same time. It uses a hard link, because a rename would replace the file of that process.
func createPassword(path string) error {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".registry-password-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(hex.EncodeToString(secret) + "\n")
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
