package promotion

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/record"
	"github.com/progressive-framework/platform/release/signkey"
)

const prodFile = `config:
  aws:region: us-east-1
  progressive-framework:environment: prod
  # why
  progressive-framework:images:
    trustedKeys: [keys/staging.pub]
`

// testProject is a project in git with two stacks, a registry, and a fake Pulumi that prints files.
type testProject struct {
	t        testing.TB
	dir      string
	registry string
	key      signkey.Key
	// images has the images of the stack staging, by short name.
	images map[string]string
	// shorts are the short names of the images that buildImages builds.
	shorts []string
	// layerBytes is the size of each layer of an image, and modules the number of modules in its
	// SBOM.
	layerBytes int64
	modules    int
	// builtFrom is the commit in the provenance of the images. If it is empty, each image has
	// another commit.
	builtFrom string
	modified  bool // the images are built from files that differ from the commit
}

// newTestProject returns a project. Its stack staging has run signed images for an hour.
func newTestProject(t testing.TB) *testProject {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	t.Cleanup(server.Close)
	p := &testProject{t: t, dir: t.TempDir(), registry: strings.TrimPrefix(server.URL, "http://"), shorts: []string{"web", "mca"}, layerBytes: 128, modules: 1}
	key := filepath.Join(p.dir, "signing.pem")
	require.NoError(t, signkey.Create(key))
	var err error
	p.key, err = signkey.Read(key)
	require.NoError(t, err)
	public, err := os.ReadFile(key + ".pub")
	require.NoError(t, err)
	p.write("keys/staging.pub", string(public))
	p.write("Pulumi.yaml", "name: p\nruntime: go\n")
	p.write("Pulumi.staging.yaml", "config:\n  aws:region: us-east-1\n  progressive-framework:environment: staging\n  progressive-framework:auth: {issuer: a, token: {secure: hidden}}\n  progressive-framework:images: {signingKey: signing.pem}\n")
	p.write(".gitignore", "signing.pem*\n")
	p.write("Pulumi.prod.yaml", prodFile)

	bin := t.TempDir()
	script := "#!/bin/sh\ncase \"$1 $2\" in\n\"stack output\") exec cat \"" + bin + "/output-$6\" ;;\n\"stack history\") exec cat \"" + bin + "/history-${10}\" ;;\n\"stack export\") exec cat \"" + bin + "/state-$5\" ;;\nesac\nexit 9\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "pulumi"), []byte(script), 0o700))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("DOCKER_CONFIG", bin)
	p.newRepository()
	p.commit("begin")

	p.setHistory("update", "succeeded", time.Now().Add(-time.Hour))
	p.writeHistory("prod")
	p.buildImages(signed)
	p.setOutputs("prod", map[string]string{})
	p.setState("staging", `{"deployment":{}}`)
	p.setState("prod", `{"deployment":{}}`)
	return p
}

// newRepository creates a git repository in the project's folder.
func (p *testProject) newRepository() {
	p.t.Helper()
	p.t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	for _, v := range []string{"GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"} {
		p.t.Setenv(v, "t")
	}
	for _, v := range []string{"GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"} {
		p.t.Setenv(v, "t@example.com")
	}
	p.git("init", "--quiet", "--initial-branch", "main")
}

// fakeBin returns the folder of the fake Pulumi.
func (p *testProject) fakeBin() string { return filepath.SplitList(os.Getenv("PATH"))[0] }

// write writes a file of the project.
func (p *testProject) write(file, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, file)
	require.NoError(p.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(p.t, os.WriteFile(path, []byte(text), 0o644))
}

// read returns the content of a file of the project.
func (p *testProject) read(file string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, file))
	require.NoError(p.t, err)
	return string(text)
}

// git runs a git command in the project, and returns its output.
func (p *testProject) git(args ...string) string {
	p.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	require.NoError(p.t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// commit commits all changes of the project.
func (p *testProject) commit(message string) {
	p.t.Helper()
	p.git("add", "--all")
	p.git("commit", "--quiet", "--message", message)
}

// setHistory sets the history of the stack staging. The newest entry is a failed refresh. The entry
// before it has the kind and the result.
func (p *testProject) setHistory(kind, result string, ended time.Time) {
	p.t.Helper()
	p.writeHistory("staging", stackoutput.Update{Kind: "refresh", Result: "failed"}, stackoutput.Update{Kind: kind, Result: result, Ended: ended})
}

// writeHistory sets the output of pulumi stack history of a stack. Without an entry the stack was
// never updated.
func (p *testProject) writeHistory(stack string, history ...stackoutput.Update) {
	p.t.Helper()
	text, err := json.Marshal(append([]stackoutput.Update{}, history...))
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(filepath.Join(p.fakeBin(), "history-"+stack), text, 0o600))
}

// setOutputs sets the output of pulumi stack output.
func (p *testProject) setOutputs(stack string, images map[string]string) {
	p.t.Helper()
	text, err := json.Marshal(map[string]any{"url": "https://" + stack + ".example.com", "namespace": "progressive-framework-" + stack, "images": images})
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(filepath.Join(p.fakeBin(), "output-"+stack), text, 0o600))
}

// setState sets the output of pulumi stack export.
func (p *testProject) setState(stack, text string) {
	p.t.Helper()
	require.NoError(p.t, os.WriteFile(filepath.Join(p.fakeBin(), "state-"+stack), []byte(text), 0o600))
}

// withoutEvidence accepts missing evidence for the gates that need more than the registry, git and
// Pulumi.
const withoutEvidence = "--without=alarms,pods,load-test,preview,cost"

// Arguments of buildImages.
const (
	signed   = true
	unsigned = false
)

// buildImages builds new images for the stack staging, with or without signed attestations. It sets
// the outputs of staging to the images.
func (p *testProject) buildImages(sign bool) {
	p.t.Helper()
	p.images = map[string]string{}
	for _, short := range p.shorts {
		image, err := random.Image(p.layerBytes, 1)
		require.NoError(p.t, err)
		digest, err := image.Digest()
		require.NoError(p.t, err)
		repo, err := name.NewRepository(p.registry + "/staging/" + short)
		require.NoError(p.t, err)
		ref := repo.Digest(digest.String())
		require.NoError(p.t, remote.Write(ref, image))
		p.images[short] = ref.String()
		if sign {
			p.sign(ref, digest)
		}
	}
	p.setOutputs("staging", p.images)
}

// sign attaches a signed provenance and a signed SBOM to an image.
func (p *testProject) sign(ref name.Digest, digest v1.Hash) {
	p.t.Helper()
	provenance, err := attest.NewStatement("x", digest, attest.ProvenanceType, attest.Provenance{BuildDefinition: attest.BuildDefinition{
		ResolvedDependencies: []attest.Dependency{{
			Name: "sources", Digest: map[string]string{"gitCommit": cmp.Or(p.builtFrom, digest.Hex[:40])},
			Annotations: map[string]any{"modified": p.modified},
		}},
	}})
	require.NoError(p.t, err)
	packages := []map[string]string{{"name": "example.com/m", "versionInfo": "v1." + digest.Hex[:2]}}
	for i := 1; i < p.modules; i++ {
		packages = append(packages, map[string]string{"name": fmt.Sprintf("example.com/m%d", i), "versionInfo": "v1.2.3"})
	}
	sbom, err := attest.NewStatement("x", digest, attest.SPDXType, map[string]any{"packages": packages})
	require.NoError(p.t, err)
	require.NoError(p.t, attest.Attach(p.t.Context(), ref, []*attest.Statement{provenance, sbom}, p.key))
}

// run runs a subcommand of pf, and returns its output and its exit code.
func (p *testProject) run(args ...string) (string, int) {
	p.t.Helper()
	stack := stackoutput.Stack{}
	root := &cobra.Command{Use: "pf", SilenceErrors: true, SilenceUsage: true}
	stack.AddFlags(root.PersistentFlags())
	root.AddCommand(PromoteCommand(&stack), RollbackCommand(&stack), DiffCommand(&stack))
	var out strings.Builder
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append(args, "--cwd", p.dir))
	err := root.ExecuteContext(p.t.Context())
	code, _ := exitcode.FromError(err)
	if err != nil {
		fmt.Fprintln(&out, "error:", err)
	}
	return out.String(), code
}

// readRelease returns the release in a stack's file.
func (p *testProject) readRelease(stack string) *record.Record {
	p.t.Helper()
	f, err := record.Parse([]byte(p.read("Pulumi." + stack + ".yaml")))
	require.NoError(p.t, err)
	return f.Release
}
