package provider

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/signkey"
)

// newGitRepository creates a git repository with a commit. It returns the repository's folder,
// and a function that runs git in a folder.
func newGitRepository(t *testing.T) (dir string, git func(dir string, args ...string) string) {
	t.Helper()
	git = func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return strings.TrimSpace(string(out))
	}
	dir = filepath.Join(t.TempDir(), "a checkout")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	git(dir, "init", "--quiet", "--initial-branch", "main")
	writeFile(t, dir, "main.go", helloSource)
	git(dir, "add", ".")
	git(dir, "commit", "--quiet", "--message", dir)
	return dir, git
}

// A promotion refuses an image of files that are in no commit. So such an image is not signed, and the
// next update after a commit signs it, although the image is the same.
func TestImageIsSignedWhenItsFilesAreCommitted(t *testing.T) {
	dir, git := newGitRepository(t)
	writeFile(t, dir, "go.mod", "module "+testImportPath(t)+"\n\ngo 1.26\n")
	git(dir, "add", ".")
	registry := newRegistry(t)
	keyPath, publicKey := newSigningKey(t)
	inputs := imageInputs(testImportPath(t), dir, registry.host+"/shop/tiny", map[string]property.Value{"signingKey": property.New(keyPath)})
	s := newStack(t, "tiny")
	require.True(t, s.up(inputs))
	ref, err := name.NewDigest(s.output("reference"))
	require.NoError(t, err)
	referrers, err := attest.Referrers(t.Context(), ref)
	require.NoError(t, err)
	require.Empty(t, referrers, "go.mod is in no commit")
	require.False(t, s.up(inputs), "an update can't sign the image yet")

	git(dir, "commit", "--quiet", "--message", "module")
	require.True(t, s.up(inputs))
	require.Equal(t, ref.String(), s.output("reference"))
	keys, err := signkey.ParseTrusted(publicKey)
	require.NoError(t, err)
	statements, err := attest.Verify(t.Context(), ref, keys, []string{attest.ProvenanceType})
	require.NoError(t, err)
	var provenance attest.Provenance
	require.NoError(t, json.Unmarshal(statements[0].Predicate, &provenance))
	require.Equal(t, git(dir, "rev-parse", "HEAD"), provenance.GitCommit())
	require.False(t, provenance.Modified())
	require.False(t, s.up(inputs), "the image is signed")
	writeFile(t, dir, "go.mod", "module "+testImportPath(t)+"\n\n// A comment changes no image.\ngo 1.26\n")
	require.False(t, s.up(inputs), "the image is still signed")
}

// The provenance names the commit of the sources for every kind of checkout, also if the shell has
// git's variables of another repository.
func TestProvenanceNamesTheCommitOfTheSources(t *testing.T) {
	dir, git := newGitRepository(t)
	commit := git(dir, "rev-parse", "HEAD")
	requireCommit := func(t *testing.T, dir string) {
		t.Helper()
		sources := readSourceCommit(t.Context(), dir)
		require.Len(t, sources, 1)
		require.Equal(t, commit, sources[0].Digest["gitCommit"])
		require.Equal(t, false, sources[0].Annotations["modified"])
	}
	t.Run("a worktree, detached", func(t *testing.T) {
		worktree := filepath.Join(t.TempDir(), "worktree")
		git(dir, "worktree", "add", "--quiet", "--detach", worktree)
		requireCommit(t, worktree)
	})
	t.Run("a shallow clone", func(t *testing.T) {
		clone := filepath.Join(t.TempDir(), "clone")
		git(dir, "clone", "--quiet", "--depth", "1", "file://"+dir, clone)
		requireCommit(t, clone)
	})
	t.Run("a link", func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "link")
		require.NoError(t, os.Symlink(dir, link))
		requireCommit(t, link)
	})
	t.Run("another repository in the environment", func(t *testing.T) {
		other, _ := newGitRepository(t)
		t.Setenv("GIT_DIR", filepath.Join(other, ".git"))
		t.Setenv("GIT_WORK_TREE", other)
		requireCommit(t, dir)
	})
	t.Run("a changed file", func(t *testing.T) {
		writeFile(t, dir, "main.go", probeSource)
		require.Equal(t, true, readSourceCommit(t.Context(), dir)[0].Annotations["modified"])
	})
	t.Run("no repository", func(t *testing.T) { require.Empty(t, readSourceCommit(t.Context(), t.TempDir())) })
}

// The stack's profile and region are those of the login. KMS must not be called with others.
func TestSigningKeyOfKMSIsOpenedAsTheLogin(t *testing.T) {
	var credential string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		credential = r.Header.Get("Authorization")
		w.WriteHeader(http.StatusBadRequest)
	}))
	t.Cleanup(server.Close)
	configFile := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(configFile, []byte("[profile platform]\naws_access_key_id = PROFILE\naws_secret_access_key = s\n"), 0o600))
	for name, value := range map[string]string{"AWS_ENDPOINT_URL_KMS": server.URL, "AWS_CONFIG_FILE": configFile, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "OTHER", "AWS_SECRET_ACCESS_KEY": "s"} {
		t.Setenv(name, value)
	}
	reference := "awskms:///alias/staging"
	in := ImageInputs{ImageSpec: ImageSpec{SigningKey: &reference}, Login: &ECRLogin{Region: "eu-west-1", Profile: "platform"}}
	require.ErrorContains(t, in.identifySigner(t.Context()), "alias/staging")
	require.Regexp(t, `Credential=PROFILE/\d+/eu-west-1/kms/`, credential)
}
