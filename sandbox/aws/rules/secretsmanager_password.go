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

// randomPassword implements getRandomPassword: it generates a new password at every call.
// Neither the password nor the id, which contains it, is a secret for Pulumi: the source
// of pulumi-aws does not mark them. A program must mark them itself.
func randomPassword(_ *Call, in Object) (Object, error) {
	size := 32
	if in.Has("passwordLength") {
		size = in.Int("passwordLength")
	}
	if size < 1 || size > maxPassword {
		return nil, refuse("InvalidParameterException", "Password length must be 1 to %d, is %d", maxPassword, size)
	}
	var kinds []string
	for _, kind := range []struct {
		letters string
		use     bool
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
		if kind.use && letters != "" {
			kinds = append(kinds, letters)
		}
	}
	each := in.Bool("requireEachIncludedType")
	if len(kinds) == 0 || (each && len(kinds) > size) {
		return nil, refuse("InvalidParameterException", "The password can't be generated: %d kinds of characters, %d characters", len(kinds), size)
	}
	password, err := drawPassword(kinds, size, each)
	if err != nil {
		return nil, err
	}
	return Object{"id": password, "randomPassword": password, "passwordLength": float64(size)}, nil
}

// drawPassword selects random characters of all kinds, with one of each kind if each is
// set, and shuffles them.
func drawPassword(kinds []string, size int, each bool) (string, error) {
	every := strings.Join(kinds, "")
	out := make([]byte, size)
	for i := range out {
		from := every
		if each && i < len(kinds) {
			from = kinds[i]
		}
		n, err := randomBelow(int64(len(from)))
		if err != nil {
			return "", fmt.Errorf("generating a password: %w", err)
		}
		out[i] = from[n]
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
