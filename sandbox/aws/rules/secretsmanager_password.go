package rules

import (
	"fmt"
	"strings"
)

// maxPassword is the maximum length of a generated password:
// secretsmanager/latest/apireference/API_GetRandomPassword.html, which also has the
// characters below.
const maxPassword = 4096

const (
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digitsAll   = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// getRandomPassword generates a new password at every call. The id is the password too.
// As in pulumi-aws, neither is marked as a secret, so a program must mark both.
func getRandomPassword(_ *Call, in Object) (Object, error) {
	size := 32
	if in.Has("passwordLength") {
		size = in.Int("passwordLength")
	}
	if size < 1 || size > maxPassword {
		return nil, refuse("InvalidParameterException", "Password length must be 1 to %d, is %d", maxPassword, size)
	}
	var kinds []string // the characters of each kind
	for _, kind := range []struct {
		letters  string
		included bool
	}{
		{lowercase, !in.Bool("excludeLowercase")}, {uppercase, !in.Bool("excludeUppercase")}, {digitsAll, !in.Bool("excludeNumbers")},
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

// drawPassword selects random characters of all kinds and shuffles them. If requireEach
// is true, there is a character of each kind.
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
	for i := len(out) - 1; i > 0; i-- {
		j, err := randomBelow(int64(i + 1))
		if err != nil {
			return "", fmt.Errorf("generating a password: %w", err)
		}
		out[i], out[j] = out[j], out[i]
	}
	return string(out), nil
}
