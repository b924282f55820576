package signer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/release/signkey"
)

const keyARN = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

// fakeKMS handles GetPublicKey and Sign requests for one key, in KMS's protocol (AWS JSON 1.1).
type fakeKMS struct {
	t       *testing.T
	private *ecdsa.PrivateKey
	usage   types.KeyUsageType
	spec    types.KeySpec
	// fault, if it is not empty, is the exception in every response.
	fault string
	// signatureKey is the key that signs. It is private, or a different key in a test with wrong
	// signatures.
	signatureKey *ecdsa.PrivateKey
	// regions and accessKeys have the AWS region and the access key ID of each request, read from its
	// signature.
	regions, accessKeys []string
}

func (f *fakeKMS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	// The header has the credential: access key ID/date/region/service/…
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(credential, "/")
	f.accessKeys, f.regions = append(f.accessKeys, parts[0]), append(f.regions, parts[2])
	writeResponse := func(status int, body any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	if f.fault != "" {
		writeResponse(http.StatusBadRequest, map[string]string{"__type": f.fault, "message": "no"})
		return
	}
	switch r.Header.Get("X-Amz-Target") {
	case "TrentService.GetPublicKey":
		der, err := x509.MarshalPKIXPublicKey(&f.private.PublicKey)
		require.NoError(f.t, err)
		writeResponse(http.StatusOK, map[string]any{"KeyId": keyARN, "PublicKey": der, "KeyUsage": f.usage, "KeySpec": f.spec})
	case "TrentService.Sign":
		var request struct {
			KeyID                         string `json:"KeyId"`
			MessageType, SigningAlgorithm string
			Message                       []byte
		}
		require.NoError(f.t, json.NewDecoder(r.Body).Decode(&request))
		if request.KeyID != keyARN || request.MessageType != "DIGEST" || request.SigningAlgorithm != "ECDSA_SHA_256" || len(request.Message) != sha256.Size {
			writeResponse(http.StatusBadRequest, map[string]string{"__type": "ValidationException", "message": "unexpected request"})
			return
		}
		signature, err := ecdsa.SignASN1(rand.Reader, f.signatureKey, request.Message)
		require.NoError(f.t, err)
		writeResponse(http.StatusOK, map[string]any{"KeyId": keyARN, "Signature": signature})
	default:
		writeResponse(http.StatusBadRequest, map[string]string{"__type": "UnknownOperationException"})
	}
}

// newFakeKMS starts a fakeKMS and sets the environment variables by which the AWS SDK finds it.
func newFakeKMS(t *testing.T) *fakeKMS {
	t.Helper()
	f := &fakeKMS{t: t, private: newP256(t), usage: types.KeyUsageTypeSignVerify, spec: types.KeySpecEccNistP256}
	f.signatureKey = f.private
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_KMS": server.URL, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	return f
}

// newP256 returns a new key of the curve P-256.
func newP256(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return private
}

func TestKeyOfKMSSignsTheHash(t *testing.T) {
	f := newFakeKMS(t)
	key, err := Open(t.Context(), signkey.KMSScheme+keyARN, Credentials{})
	require.NoError(t, err)
	require.Equal(t, &f.private.PublicKey, key.Public())
	data := []byte(strings.Repeat("long", 4096)) // longer than 4,096 bytes, the largest message that KMS signs
	signature, err := key.SignData(t.Context(), data)
	require.NoError(t, err)
	hash := sha256.Sum256(data)
	require.True(t, ecdsa.VerifyASN1(key.Public(), hash[:], signature))
	require.Equal(t, []string{"eu-central-1", "eu-central-1"}, f.regions, "the ARN's region, not that of the environment")
}

// fakeSTS handles AssumeRole requests. It returns the access key ROLE, and records the role and the
// access key of the last request.
type fakeSTS struct{ roleARN, accessKey string }

func (f *fakeSTS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	f.accessKey, _, _ = strings.Cut(credential, "/")
	f.roleARN = r.FormValue("RoleArn")
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// A provider that reads the stack's profile or role must not sign as somebody else.
func TestKMSIsCalledWithTheCredentials(t *testing.T) {
	const role, alias = "arn:aws:iam::123456789012:role/deployer", "awskms:///alias/staging"
	for _, c := range []struct {
		reason, reference string
		credentials       Credentials
		region, accessKey string
		assumes           string // the access key that assumes the role
	}{
		{"the environment", alias, Credentials{}, "us-east-1", "AKIDEXAMPLE", ""},
		{"the region of the stack", alias, Credentials{Region: "eu-west-1"}, "eu-west-1", "AKIDEXAMPLE", ""},
		{"the region of the ARN is that of the key", signkey.KMSScheme + keyARN, Credentials{Region: "eu-west-1"}, "eu-central-1", "AKIDEXAMPLE", ""},
		{"a profile, which the environment does not override", alias, Credentials{Region: "eu-west-1", Profile: "platform"}, "eu-west-1", "PROFILE", ""},
		{"a role of the environment's credentials", alias, Credentials{RoleARN: role}, "us-east-1", "ROLE", "AKIDEXAMPLE"},
		{"a role of a profile", alias, Credentials{Profile: "platform", RoleARN: role}, "us-east-1", "ROLE", "PROFILE"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			f, roles := newFakeKMS(t), &fakeSTS{}
			server := httptest.NewServer(roles)
			t.Cleanup(server.Close)
			t.Setenv("AWS_ENDPOINT_URL_STS", server.URL)
			configFile := filepath.Join(t.TempDir(), "config")
			require.NoError(t, os.WriteFile(configFile, []byte("[profile platform]\naws_access_key_id = PROFILE\naws_secret_access_key = s\n"), 0o600))
			t.Setenv("AWS_CONFIG_FILE", configFile)
			_, err := Open(t.Context(), c.reference, c.credentials)
			require.NoError(t, err)
			require.Equal(t, []string{c.region}, f.regions)
			require.Equal(t, []string{c.accessKey}, f.accessKeys)
			require.Equal(t, c.assumes, roles.accessKey)
			if c.assumes != "" {
				require.Equal(t, role, roles.roleARN)
			}
		})
	}
	newFakeKMS(t)
	_, err := Open(t.Context(), alias, Credentials{Profile: "absent"})
	require.ErrorContains(t, err, "absent")
}

func TestOpenRefusesUnusableKeysOfKMS(t *testing.T) {
	for reason, tc := range map[string]struct {
		prepare func(*fakeKMS)
		want    string
	}{
		"a key for encryption":        {func(f *fakeKMS) { f.usage = types.KeyUsageTypeEncryptDecrypt }, "for ENCRYPT_DECRYPT: must be ECC_NIST_P256 for SIGN_VERIFY"},
		"another curve":               {func(f *fakeKMS) { f.spec = types.KeySpecEccNistP384 }, "has the spec ECC_NIST_P384"},
		"an absent key":               {func(f *fakeKMS) { f.fault = "NotFoundException" }, "create it with images.kmsSigners"},
		"a caller without permission": {func(f *fakeKMS) { f.fault = "AccessDeniedException" }, "the caller needs kms:GetPublicKey and kms:Sign"},
		"no public key of P-256":      {func(f *fakeKMS) { f.private = newP384(t) }, "no public key of the curve P-256"},
	} {
		t.Run(reason, func(t *testing.T) {
			tc.prepare(newFakeKMS(t))
			_, err := Open(t.Context(), signkey.KMSScheme+keyARN, Credentials{})
			require.ErrorContains(t, err, tc.want)
			require.ErrorContains(t, err, keyARN)
		})
	}
}

// newP384 returns a new key of the curve P-384, which the signer refuses.
func newP384(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	return private
}

func TestWrongSignatureOfKMSIsNotUsed(t *testing.T) {
	f := newFakeKMS(t)
	key, err := Open(t.Context(), signkey.KMSScheme+keyARN, Credentials{})
	require.NoError(t, err)
	f.signatureKey = newP256(t)
	_, err = key.SignData(t.Context(), []byte("a"))
	require.ErrorContains(t, err, "does not match the public key")
	f.fault = "DisabledException"
	_, err = key.SignData(t.Context(), []byte("a"))
	require.ErrorContains(t, err, "DisabledException")
}

// WritePublic writes the public key in the format of the files that images.trustedKeys lists. It
// does not overwrite an existing file.
func TestPublicKeyIsExported(t *testing.T) {
	f := newFakeKMS(t)
	key, err := Open(t.Context(), signkey.KMSScheme+keyARN, Credentials{})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "staging.pub")
	require.NoError(t, signkey.WritePublic(path, key))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	trusted, err := signkey.ParseTrusted(string(text))
	require.NoError(t, err)
	id, err := signkey.ID(&f.private.PublicKey)
	require.NoError(t, err)
	require.NotNil(t, trusted[id])
	require.ErrorIs(t, signkey.WritePublic(path, key), os.ErrExist)
}

func TestOpenReadsAFileOrRefusesAnInvalidReference(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, signkey.Create(path))
	key, err := Open(t.Context(), path, Credentials{})
	require.NoError(t, err)
	require.NotNil(t, key.Public())
	_, err = Open(t.Context(), "awskms:///no key", Credentials{})
	require.ErrorContains(t, err, "must be awskms:///")
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	_, err = Open(t.Context(), "awskms:///alias/staging", Credentials{})
	require.ErrorContains(t, err, "no region: set AWS_REGION")
	var _ client = (*kms.Client)(nil)
}
