package rules

import (
	"fmt"
	"strings"
)

// maxPassword is the maximum length of a generated password. Its source, and the source of
// the characters below, is
// secretsmanager/latest/apireference/API_GetRandomPassword.html.
const maxPassword = 4096

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
	if size < 1 || size > maxPassword {
		return nil, refuse("InvalidParameterException", "Password length must be 1 to %d, is %d", maxPassword, size)
	}
	var kinds []string // the allowed characters of each kind
	for _, kind := range []struct {
		letters  string
		included bool
	}{
		{lowercase, !in.Bool("excludeLowercase")}, {uppercase, !in.Bool("excludeUppercase")}, {numerals, !in.Bool("excludeNumbers")},
		{punctuation, !in.Bool("excludePunctuation")}, {" ", in.Bool("includeSpace")},
	} {
		letters := strings.Map(func(r rune) rune {
			if strings.ContainsRune(in.String("excludeCharacters"), r) {
				return -1
			}
			return r
		}, kind.letters)
		if kind.included && letters != "" {
			kinds = append(kinds, letters)
		}
	}
	requireEach := in.Bool("requireEachIncludedType")
	if len(kinds) == 0 || (requireEach && len(kinds) > size) {
		return nil, refuse("InvalidParameterException", "The password can't be generated: %d kinds of characters, %d characters", len(kinds), size)
	}
	password, err := drawPassword(kinds, size, requireEach)
	if err != nil {
		return nil, err
	}
	return Object{"id": password, "randomPassword": password, "passwordLength": float64(size)}, nil
}

// drawPassword returns a password of random characters of the kinds. If requireEach is
// true, the password has at least one character of each kind.
func drawPassword(kinds []string, size int, requireEach bool) (string, error) {
	allKinds := strings.Join(kinds, "")
	out := make([]byte, size)
	for i := range out {
		letters := allKinds
		if requireEach && i < len(kinds) {
			letters = kinds[i]
		}
		n, err := randomBelow(int64(len(letters)))
		if err != nil {
			return "", fmt.Errorf("generating a password: %w", err)
		}
		out[i] = letters[n]
	}
	// The characters are shuffled. Otherwise the first ones would always have the same kinds.
	for i := len(out) - 1; i > 0; i-- {
		j, err := randomBelow(int64(i + 1))
		if err != nil {
			return "", fmt.Errorf("generating a password: %w", err)
		}
		out[i], out[j] = out[j], out[i]
	}
	return string(out), nil
}
