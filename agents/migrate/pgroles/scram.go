package pgroles

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

const (
	// iterations and saltLength are PostgreSQL's own (src/include/common/scram-common.h,
	// SCRAM_SHA_256_DEFAULT_ITERATIONS and SCRAM_DEFAULT_SALT_LEN).
	iterations, saltLength = 4096, 16

	verifierPrefix = "SCRAM-SHA-256$"
)

var base = base64.StdEncoding

// newVerifier returns what the server stores of a password (PostgreSQL manual,
// "pg_authid"). The server gets no password, so that it can't log one.
func newVerifier(password string) (string, error) {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails
	return verifierWithSalt(password, salt, iterations)
}

// verifierWithSalt returns the SCRAM-SHA-256 verifier of a password with a given salt. The
// password must be ASCII, because SASLprep is not applied.
func verifierWithSalt(password string, salt []byte, rounds int) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("SCRAM verifier: %w", err)
	}
	stored := sha256.Sum256(hmacSHA256(salted, "Client Key"))
	return fmt.Sprintf("%s%d:%s$%s:%s", verifierPrefix, rounds, base.EncodeToString(salt),
		base.EncodeToString(stored[:]), base.EncodeToString(hmacSHA256(salted, "Server Key"))), nil
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// verifies reports whether a stored verifier is that of the password.
func verifies(stored, password string) bool {
	parameters, ok := strings.CutPrefix(stored, verifierPrefix)
	if !ok {
		return false
	}
	parameters, _, _ = strings.Cut(parameters, "$")
	rounds, encoded, _ := strings.Cut(parameters, ":")
	count, err := strconv.Atoi(rounds)
	if err != nil || count < 1 || count > 1_000_000 {
		return false
	}
	salt, err := base.DecodeString(encoded)
	if err != nil {
		return false
	}
	own, err := verifierWithSalt(password, salt, count)
	return err == nil && hmac.Equal([]byte(own), []byte(stored))
}
