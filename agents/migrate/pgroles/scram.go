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
	// defaultIterations and saltLength are PostgreSQL's own values:
	// SCRAM_SHA_256_DEFAULT_ITERATIONS and SCRAM_DEFAULT_SALT_LEN in the file
	// src/include/common/scram-common.h of PostgreSQL's repository.
	defaultIterations, saltLength = 4096, 16

	verifierPrefix = "SCRAM-SHA-256$"
)

var encoding = base64.StdEncoding

// newVerifier returns the SCRAM verifier of a password with a new salt, in the format that
// the server stores (PostgreSQL manual, "pg_authid"). The server gets only the verifier,
// so it can't log the password.
func newVerifier(password string) (string, error) {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails
	return computeVerifier(password, salt, defaultIterations)
}

// computeVerifier computes the SCRAM-SHA-256 verifier of a password with a salt and a number
// of iterations (RFC 5802 and RFC 7677). The password must be ASCII, which SCRAM's
// normalization (SASLprep) does not change.
func computeVerifier(password string, salt []byte, iterations int) (string, error) {
	saltedPassword, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("compute the SCRAM verifier: %w", err)
	}
	storedKey := sha256.Sum256(hmacSHA256(saltedPassword, "Client Key"))
	return fmt.Sprintf("%s%d:%s$%s:%s", verifierPrefix, iterations, encoding.EncodeToString(salt),
		encoding.EncodeToString(storedKey[:]), encoding.EncodeToString(hmacSHA256(saltedPassword, "Server Key"))), nil
}

// hmacSHA256 returns the HMAC-SHA-256 of the text.
func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// verifiesPassword reports whether a verifier belongs to the password. It is false for an empty or
// malformed verifier.
func verifiesPassword(verifier, password string) bool {
	parameters, ok := strings.CutPrefix(verifier, verifierPrefix)
	if !ok {
		return false
	}
	parameters, _, _ = strings.Cut(parameters, "$")
	iterationsText, encodedSalt, _ := strings.Cut(parameters, ":")
	iterations, err := strconv.Atoi(iterationsText)
	if err != nil || iterations < 1 || iterations > 1_000_000 { // the upper bound limits the time of the computation
		return false
	}
	salt, err := encoding.DecodeString(encodedSalt)
	if err != nil {
		return false
	}
	computed, err := computeVerifier(password, salt, iterations)
	return err == nil && hmac.Equal([]byte(computed), []byte(verifier))
}
