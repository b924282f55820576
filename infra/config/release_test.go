package config

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/release/signkey"
)

// releaseJSON returns the value of the key release for the stack of validValues, with changes. A
// change to nil removes the key.
func releaseJSON(t *testing.T, changes map[string]any) string {
	t.Helper()
	digest := "sha256:" + strings.Repeat("0a", 32)
	images := map[string]any{}
	for _, name := range (&Stack{}).imageNames() {
		images[name] = digest
	}
	object := map[string]any{
		"commit": strings.Repeat("0a", 20), "at": "2026-12-01T10:00:00Z", "from": "staging",
		"repository": "123456789012.dkr.ecr.us-east-1.amazonaws.com/progressive-framework-staging", "images": images,
	}
	for path, value := range changes {
		target, member := object, path
		if parent, child, nested := strings.Cut(path, "."); nested {
			target, member = object[parent].(map[string]any), child
		}
		target[member] = value
		if value == nil {
			delete(target, member)
		}
	}
	text, err := json.Marshal(object)
	require.NoError(t, err)
	return string(text)
}

func TestLoadChecksReleaseAndSigning(t *testing.T) {
	keyFile := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, signkey.Create(keyFile))
	public, err := os.ReadFile(keyFile + ".pub")
	require.NoError(t, err)
	project := WithFiles(fstest.MapFS{"keys/staging.pub": {Data: public}, "keys/none.pub": {Data: []byte("text")}, "signing.pem": {Data: []byte("secret")}})
	const trusted = `{"trustedKeys":["keys/staging.pub"]}`
	for _, tc := range []struct {
		reason, images string
		changes        map[string]any
		want           string
	}{
		{"what a promotion writes", trusted, nil, ""},
		{"an image that this stack does not run", trusted, map[string]any{"images.other": "sha256:" + strings.Repeat("0", 64)}, ""},
		{"no keys", `{}`, nil, "images.trustedKeys: Required value"},
		{"a file of trusted keys without a key", `{"trustedKeys":["keys/none.pub"]}`, nil, "images.trustedKeys[0]: Invalid value: \"keys/none.pub\": trusted key 1: has no public key"},
		{"a file of trusted keys that does not exist", `{"trustedKeys":["keys/gone.pub"]}`, nil, "the project has no such file"},
		{"a signing key, although nothing is built", `{"trustedKeys":["keys/staging.pub"],"signingKey":"signing.pem"}`, nil, "images.signingKey: Forbidden: has no effect with release"},
		{"a commit by its short name", trusted, map[string]any{"commit": "0a0a0a0"}, "release.commit: Invalid value"},
		{"no time", trusted, map[string]any{"at": "yesterday"}, "release.at: Invalid value"},
		{"no stack", trusted, map[string]any{"from": nil}, "release.from: Required value"},
		{"a repository with a tag", trusted, map[string]any{"repository": "registry.example.com/a:1"}, "release.repository: Invalid value"},
		{"a tag in the place of a digest", trusted, map[string]any{"images.web": "v1"}, "release.images.web: Invalid value"},
		{"a service without an image", trusted, map[string]any{"images.mca": nil}, "release.images.mca: Required value: the stack runs this image"},
		{"no images", trusted, map[string]any{"images": map[string]any{}}, "release.images.web: Required value"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			values := maps.Clone(validValuesWith(map[string]string{Project + ":images": tc.images, Project + ":release": releaseJSON(t, tc.changes)}))
			s, err := Load("prod", values, project)
			if tc.want != "" {
				require.ErrorContains(t, err, tc.want)
				return
			}
			require.NoError(t, err)
			require.True(t, s.Promoted())
			require.Equal(t, []string{string(public)}, s.Images.TrustedPEM)
			require.Equal(t, s.Release.Repository+"/web@"+s.Release.Images["web"], s.Release.Source("web"))
		})
	}
	s, err := Load("staging", validValuesWith(map[string]string{Project + ":images": `{"signingKey":"signing.pem"}`}), project)
	require.NoError(t, err)
	require.False(t, s.Promoted())
	for why, tc := range map[string]struct{ images, want string }{
		"a key of KMS, which is not a file":  {`{"signingKey":"awskms:///alias/progressive-framework-staging-signing"}`, ""},
		"no key of KMS":                      {`{"signingKey":"awskms:///alias/aws/ebs"}`, "images.signingKey: Invalid value"},
		"required gates":                     {`{"requiredGates":["pods","load-test"]}`, ""},
		"a gate that does not exist":         {`{"requiredGates":["pod"]}`, "images.requiredGates[0]: Unsupported value"},
		"signers":                            {`{"kmsSigners":["arn:aws:iam::123456789012:role/ci/deployer"]}`, ""},
		"a signer that is the whole account": {`{"kmsSigners":["arn:aws:iam::123456789012:root"]}`, "images.kmsSigners[0]: Invalid value"},
		"everybody signs":                    {`{"kmsSigners":["*"]}`, "images.kmsSigners[0]: Invalid value"},
		"a signer of another partition":      {`{"kmsSigners":["arn:aws-cn:iam::123456789012:role/deployer"]}`, "nothing crosses partitions"},
	} {
		_, err := Load("staging", validValuesWith(map[string]string{Project + ":images": tc.images}), project)
		if tc.want == "" {
			require.NoError(t, err, why)
			continue
		}
		require.ErrorContains(t, err, tc.want, why)
	}
	_, err = Load("staging", validValuesWith(map[string]string{Project + ":images": `{"signingKey":"gone.pem"}`}), project)
	require.ErrorContains(t, err, "images.signingKey: Invalid value: \"gone.pem\": the project has no such file")
}
