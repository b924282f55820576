//go:build cosign

package attest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/release/signkey"
)

// cosign's own command accepts every statement that this package signs. It refuses a statement with
// another key, of another type, about another image, and a changed one. `make cosign` builds
// cosign, sets COSIGN to its path, and runs this test.
func TestCosignVerifiesWhatIsSigned(t *testing.T) {
	r := newTestRegistry(t, true)
	changesBundles := false
	// cosign finds bundles by artifactType. In the list of referrers, ECR and the sandbox's
	// registry put the type of the manifest into this field. testRegistry puts the type of the
	// config there.
	r.tamper = func(path string, content []byte) []byte {
		switch {
		case strings.Contains(path, "/referrers/"):
			return bytes.ReplaceAll(content, []byte(`"artifactType":"`+string(emptyType)+`"`), []byte(`"artifactType":"`+BundleType+`"`))
		case changesBundles && strings.Contains(path, "/blobs/"):
			return bytes.Replace(content, []byte(`"sig"`), []byte(`"sog"`), 1)
		}
		return content
	}
	files := t.TempDir()
	createKeyPair := func(file string) (signkey.Key, string) {
		path := filepath.Join(files, file)
		require.NoError(t, signkey.Create(path))
		key, err := signkey.Read(path)
		require.NoError(t, err)
		return key, path + ".pub"
	}
	key, public := createKeyPair("staging.pem")
	_, otherPublic := createKeyPair("other.pem")
	const gateType = "https://github.com/progressive-framework/platform/release/gate/pods/prod/v1"
	flags := map[string]string{ProvenanceType: "slsaprovenance1", SPDXType: "spdxjson", gateType: gateType}
	image := pushImage(t, r.repository(t, "prod/web"))
	var statements []*Statement
	for predicateType := range flags {
		statements = append(statements, newTestStatement(t, image, predicateType))
	}
	require.NoError(t, Attach(t.Context(), image, statements, key))
	for predicateType, flag := range flags {
		out, err := runCosign(t, public, flag, image)
		require.NoError(t, err, "%s: %s", predicateType, out)
		require.Contains(t, out, "Verification for "+image.String())
	}

	for reason, tc := range map[string]struct{ key, flag string }{
		"another key":               {otherPublic, "slsaprovenance1"},
		"a type that nobody signed": {public, "cyclonedx"},
	} {
		out, err := runCosign(t, tc.key, tc.flag, image)
		require.Error(t, err, "%s: %s", reason, out)
	}
	second := pushImage(t, r.repository(t, "prod/web"))
	require.NoError(t, Add(t.Context(), second, statements, key))
	out, err := runCosign(t, public, "slsaprovenance1", second)
	require.Error(t, err, "statements of another image: %s", out)
	changesBundles = true
	out, err = runCosign(t, public, "slsaprovenance1", image)
	require.Error(t, err, "a changed bundle: %s", out)
}

// runCosign runs `cosign verify-attestation` without a transparency log, as docs/promotion.md says.
// It returns the output.
func runCosign(t *testing.T, key, predicateType string, image name.Digest) (string, error) {
	t.Helper()
	path := os.Getenv("COSIGN")
	require.NotEmpty(t, path, "COSIGN is not set: run make cosign")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "verify-attestation", "--key", key, "--insecure-ignore-tlog=true", "--type", predicateType, image.String())
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "DOCKER_CONFIG="+t.TempDir())
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
