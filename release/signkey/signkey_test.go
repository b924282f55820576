package signkey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadRefusesInvalidKeyFiles(t *testing.T) {
	p384Key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(p384Key)
	require.NoError(t, err)
	p384PEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for reason, test := range map[string]struct{ content, want string }{
		"no PEM":        {"hunter2", "must be PKCS #8 in PEM"},
		"encrypted":     {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "without a passphrase"},
		"another curve": {p384PEM, "of the curve P-256"},
		"broken":        {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not a valid PKCS #8 key"},
		"huge":          {strings.Repeat("x", maxKeyFile+1), "is larger than"},
	} {
		t.Run(reason, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key.pem")
			require.NoError(t, os.WriteFile(path, []byte(test.content), 0o600))
			_, err := Read(path)
			require.ErrorContains(t, err, test.want)
			for line := range strings.Lines(test.content) {
				require.NotContains(t, err.Error(), line, "an error must not have the content of a key file")
			}
		})
	}
}

func TestCreateOverwritesNoKeyAndOnlyItsOwnerCanReadIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "key.pem")
	require.NoError(t, Create(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.ErrorIs(t, Create(path), os.ErrExist)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestParseTrustedRefusesInvalidKeys(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	validPEM, err := PublicPEM(&key.PublicKey)
	require.NoError(t, err)
	for reason, test := range map[string]struct {
		texts []string
		want  string
	}{
		"none":                   {nil, "no trusted key"},
		"one text without a key": {[]string{validPEM, "text"}, "trusted key 2: has no public key"},
		"a private key":          {[]string{"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}, "must be the public key"},
	} {
		t.Run(reason, func(t *testing.T) {
			_, err := ParseTrusted(test.texts...)
			require.ErrorContains(t, err, test.want)
		})
	}
	keys, err := ParseTrusted(validPEM + validPEM)
	require.NoError(t, err)
	require.Len(t, keys, 1)
}

func TestCheckKMSAcceptsOnlyValidReferences(t *testing.T) {
	for reference, valid := range map[string]bool{
		"awskms:///alias/progressive-framework-staging-signing":                                 true,
		"awskms:///arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab": true,
		"awskms:///arn:aws:kms:us-east-1:123456789012:alias/signing":                            true,
		"awskms:///1234abcd-12ab-34cd-56ef-1234567890ab":                                        true,
		"awskms:///alias/aws/ebs":                                                               false,
		"awskms:///":                                                                            false,
		"awskms://alias/signing":                                                                false,
		"awskms:///../key.pem":                                                                  false,
		"signing.pem":                                                                           false,
	} {
		require.Equal(t, valid, CheckKMS(reference) == nil, reference)
	}
	require.True(t, IsKMS("awskms:///alias/a"))
	require.False(t, IsKMS("signing.pem"))
}
