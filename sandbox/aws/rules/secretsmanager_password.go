package rules

import (
	"fmt"
	"strings"
)

// maxPasswordLength is the maximum length of a generated password. Its source, and the source of
// the characters below, is
// secretsmanager/latest/apireference/API_GetRandomPassword.html.
const maxPasswordLength = 4096

const (
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numerals    = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// getRandomPassword implements the Pulumi function
// aws:secretsmanager/getRandomPassword. It generates a new password at every call. As in
// pulumi-aws, the id is the password too, and neither is marked as a secret. So a program
// must mark both.
func getRandomPassword(_ *Call, in Object) (Object, error) {
	size := 32 // AWS's default
	if in.Has("passwordLength") {
		size = in.Int("passwordLength")
	}
	if size < 1 || size > maxPasswordLength {
		return nil, refuse("InvalidParameterException", "Password length must be 1 to %d, is %d", maxPasswordLength, size)
	}
	var kinds []string // the allowed characters of each kind
	for _, kind := range []struct {
		characters string
		included   bool
	}{
		{lowercase, !in.Bool("excludeLowercase")}, {uppercase, !in.Bool("excludeUppercase")}, {numerals, !in.Bool("excludeNumbers")},
		{punctuation, !in.Bool("excludePunctuation")}, {" ", in.Bool("includeSpace")},
	} {
		characters := strings.Map(func(r rune) rune {
			if strings.ContainsRune(in.String("excludeCharacters"), r) {
				return -1
			}
			return r
		}, kind.characters)
		if kind.included && characters != "" {
			kinds = append(kinds, characters)
		}
	}
	requireEach := in.Bool("requireEachIncludedType")
	if len(kinds) == 0 || (requireEach && len(kinds) > size) {
		return nil, refuse("InvalidParameterException", "The password can't be generated: %d kinds of characters, %d characters", len(kinds), size)
	}
	password, err := generatePassword(kinds, size, requireEach)
	if err != nil {
		return nil, err
	}
	return Object{"id": password, "randomPassword": password, "passwordLength": float64(size)}, nil
}

// generatePassword returns a password of size random characters. Each string in kinds has the
// characters of one kind, such as digits. If requireEach is true, the password has at least one
// character of each kind.
func generatePassword(kinds []string, size int, requireEach bool) (string, error) {
	allCharacters := strings.Join(kinds, "")
	out := make([]byte, size)
	for i := range out {
		characters := allCharacters
		if requireEach && i < len(kinds) {
			characters = kinds[i]
		}
		n, err := randomBelow(int64(len(characters)))
		if err != nil {
			return "", fmt.Errorf("generating a password: %w", err)
		}
		out[i] = characters[n]
	}
	// The characters are shuffled. Otherwise the first characters would always have the same
	// kinds.
	for i := len(out) - 1; i > 0; i-- {
		j, err := randomBelow(int64(i + 1))
		if err != nil {
			return "", fmt.Errorf("generating a password: %w", err)
		}
		out[i], out[j] = out[j], out[i]
	}
	return string(out), nil
}
