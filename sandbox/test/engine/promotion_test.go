package engine

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/registry"
	"github.com/progressive-framework/platform/sandbox/test/testenv"
)

// smallStack is the configuration of a stack with one store, so that two stacks fit into one
// sandbox. The values for %s are the environment, the CIDR block, the role of the
// administrator, and the key images.
const smallStack = `config:
  aws:region: us-east-1
  progressive-framework:environment: %s
  progressive-framework:account: "123456789012"
  progressive-framework:network: {cidr: %s, zones: [us-east-1a, us-east-1b], natGateways: single, endpoints: none}
  progressive-framework:cluster:
    nodes: own
    publicAccessCidrs: [203.0.113.0/24]
    admins: [arn:aws:iam::123456789012:role/%s]
    requestPercent: 10
  progressive-framework:storageClass: sandbox-local
  progressive-framework:postgres: {kind: inCluster, image: "ecr://debian/postgres:15", memoryMiB: 1024, connections: 50, storageGiB: 1}
  progressive-framework:redis: {kind: none}
  progressive-framework:mongo: {kind: none}
  progressive-framework:auth: {issuer: progressive-sandbox, audience: progressive-framework, jwksFile: .sandbox/issuer/jwks.json}
  progressive-framework:deletionProtection: false
  progressive-framework:services: {web: {min: 1, max: 1}, mca: {min: 1, max: 1}, npa: {min: 1, max: 1}, wpa: {min: 1, max: 1}}
  progressive-framework:policy: {cost: {monthlyBudget: 5000}}
  # The images, and what they are verified with.
  progressive-framework:images: %s
`

// The first stack builds and signs images, pf promotes them, and the second stack runs the
// same digests. After that the second stack needs neither the first stack nor its
// repositories. A preview refuses an image without a signature.
func TestPromotedStackRunsTheSignedDigests(t *testing.T) {
	e := copyProject(t, newEnvironment(t).withDocumentedZones(t))
	e.variables = []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
	}
	dockerConfig := t.TempDir()
	require.NoError(t, testenv.WriteDockerConfig(e.layout, dockerConfig))
	e.variables = append(e.variables, "DOCKER_CONFIG="+dockerConfig)
	root := e.layout.Project
	writeSigningKey(t, filepath.Join(root, "signing.pem"))
	// The stacks have different administrators. When an access entry of one cluster is
	// deleted, the stand-in deletes the permissions of its principal in every cluster.
	for stack, content := range map[string]string{
		"built":    fmt.Sprintf(smallStack, "built", "10.40.0.0/16", "platform-deployer", "{signingKey: signing.pem}"),
		"promoted": fmt.Sprintf(smallStack, "promoted", "10.50.0.0/16", "platform-operators", "{trustedKeys: [signing.pem.pub], requiredGates: [signatures, pods, migrations]}"),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(root, "Pulumi."+stack+".yaml"), []byte(content), 0o600))
	}
	e.git(t, "init", "--quiet")
	require.NoError(t, os.WriteFile(filepath.Join(root, ".git", "info", "exclude"), []byte("*\n"), 0o600)) // the copy has most of the project
	e.git(t, "add", "--force", "Pulumi.yaml", "Pulumi.built.yaml", "Pulumi.promoted.yaml", "signing.pem.pub", "agents/migrate/pgschema/migrations")
	e.git(t, "commit", "--quiet", "--message", "begin")

	built := newStack(t, e, "built")
	built.pulumi(t, "up", "--yes", "--skip-preview")
	// pf reads the history of the other stack, so that stack must exist. The stack that is deployed
	// below begins with the file that the promotion has written.
	empty := newStack(t, e, "promoted")
	out := e.runPF(t, "promote", "--from", "built", "--to", "promoted", "--bake", "0s", "--without", "alarms,load-test,preview,cost", "--commit")
	for _, gate := range []string{"signatures", "bake-time", "pods", "migrations"} {
		require.Regexp(t, `(?m)^`+gate+` +passed`, out)
	}
	require.Equal(t, "Pulumi.promoted.yaml", e.git(t, "show", "--format=", "--name-only", "HEAD"))

	empty.pulumi(t, "stack", "rm", "--yes")
	promoted := newStack(t, e, "promoted")
	promoted.pulumi(t, "up", "--yes", "--skip-preview")
	var builtImages, promotedImages map[string]string
	built.readOutput(t, "images", &builtImages)
	promoted.readOutput(t, "images", &promotedImages)
	require.Len(t, promotedImages, len(builtImages))
	for service, reference := range promotedImages {
		repository, digest, _ := strings.Cut(reference, "@")
		require.Contains(t, repository, "progressive-framework-promoted/"+service)
		require.True(t, strings.HasSuffix(builtImages[service], "@"+digest), "%s: %s, must be %s", service, reference, builtImages[service])
		require.Len(t, listReferrers(t, reference), 2+4, "provenance and SBOM of %s, and the gates that passed", service)
	}
	runningImages := promoted.runningImages(t)
	for service, reference := range promotedImages {
		require.Contains(t, runningImages, reference, "a pod of the promoted stack runs the image %s of the first stack", service)
	}

	// In a preview of the empty stack, every violation of a policy would be new. So the promotion
	// above has no preview. The stack has resources now, and this preview is the evidence for the
	// gates preview and cost.
	evidenceDir := filepath.Join(t.TempDir(), "promoted")
	e.runPF(t, "ci", "preview", "--stack", "promoted", "--policy-pack", e.layout.PolicyPack(), "--out", evidenceDir)
	e.git(t, "commit", "--quiet", "--all", "--message", "the salt that the first preview wrote")
	e.runPF(t, "ci", "preview", "--stack", "promoted", "--policy-pack", e.layout.PolicyPack(), "--out", evidenceDir)
	out = e.runPF(t, "promote", "--from", "built", "--to", "promoted", "--bake", "0s", "--without", "alarms,load-test", "--preview", evidenceDir)
	require.Regexp(t, `(?m)^preview +passed`, out)
	require.Regexp(t, `(?m)^cost +passed`, out)
	require.Contains(t, out, "has these images already; its release was not changed")

	out = e.runPF(t, "diff", "built", "promoted")
	require.Regexp(t, `(?m)^  mca  same, sha256:`, out)
	require.Contains(t, out, "none: both run the same image migrate")
	require.Contains(t, out, "progressive-framework:network.cidr  10.40.0.0/16 -> 10.50.0.0/16")
	require.Contains(t, out, "\npolicies: built -> promoted\n")
	require.Regexp(t, `(?m)^  total  \$[0-9.,]+ -> \$[0-9.,]+;`, out)

	// The next release has another image. A rollback returns to the first release.
	greeting := filepath.Join(root, "agents", "mca", "greeting.go")
	source, err := os.ReadFile(greeting)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(greeting, []byte(strings.Replace(string(source), "coordinates", "leads", 1)), 0o600))
	e.git(t, "add", "--force", "agents/mca/greeting.go")
	e.git(t, "commit", "--quiet", "--all", "--message", "another greeting")
	built.pulumi(t, "up", "--yes", "--skip-preview")
	// A draft can be previewed before its gates are signed, and not deployed.
	e.runPF(t, "promote", "--from", "built", "--to", "promoted", "--draft")
	e.runPF(t, "ci", "preview", "--stack", "promoted", "--policy-pack", e.layout.PolicyPack(), "--out", evidenceDir)
	promoted.useRelease(t)
	out, err = promoted.tryPulumi(t, "up", "--yes", "--skip-preview")
	require.Error(t, err)
	require.Contains(t, out, "release.draft is true")
	e.runPF(t, "promote", "--from", "built", "--to", "promoted", "--bake", "0s", "--without", "alarms,load-test", "--preview", evidenceDir, "--commit")
	nextImages := promoted.deployRelease(t)
	require.NotEqual(t, promotedImages["mca"], nextImages["mca"])
	require.Equal(t, promotedImages["web"], nextImages["web"])
	e.runPF(t, "rollback", "--stack", "promoted", "--commit")
	require.Equal(t, promotedImages, promoted.deployRelease(t))
	require.Contains(t, promoted.runningImages(t), promotedImages["mca"])
	require.NotContains(t, promoted.runningImages(t), nextImages["mca"])

	// A changed image in the repository of the first stack has no signature.
	tamperedDigest := e.pushTamperedImage(t, builtImages["web"])
	promoted.pulumi(t, "config", "set", "--path", "progressive-framework:release.images.web", tamperedDigest)
	out, err = promoted.tryPulumi(t, "preview")
	require.Error(t, err)
	require.Contains(t, out, "nothing of this type is attached to it")
	_, digest, _ := strings.Cut(builtImages["web"], "@")
	promoted.pulumi(t, "config", "set", "--path", "progressive-framework:release.images.web", digest)

	built.pulumi(t, "destroy", "--yes", "--skip-preview")
	requireNoChanges(t, promoted)
	checkDestroyRemovesEverything(t, promoted)
}

// useRelease copies the release from the project's file of the stack to the file with which Pulumi
// works.
func (s *stack) useRelease(t *testing.T) {
	t.Helper()
	const key = "progressive-framework:release"
	inProject := &stack{environment: s.environment, name: s.name, dir: s.layout.Project}
	s.configure(t, s.readConfiguration(t), map[string]any{key: inProject.readConfiguration(t)[key]})
}

// deployRelease deploys the release in the project's file, and returns the stack's images.
func (s *stack) deployRelease(t *testing.T) (images map[string]string) {
	t.Helper()
	s.useRelease(t)
	s.pulumi(t, "up", "--yes", "--skip-preview")
	s.readOutput(t, "images", &images)
	return images
}

// runningImages returns the images of the stack's pods that have not ended.
func (s *stack) runningImages(t *testing.T) []string {
	t.Helper()
	return strings.Fields(s.kubectl(t, "-n", "progressive-framework-"+s.name, "get", "pods", "-o", "jsonpath={.items[*].spec.containers[*].image}"))
}

// pushTamperedImage changes an image, pushes it to the same repository and returns its digest.
func (e *environment) pushTamperedImage(t *testing.T, reference string) string {
	t.Helper()
	password, err := registry.EnsurePassword(e.layout)
	require.NoError(t, err)
	ref, err := name.NewDigest(reference)
	require.NoError(t, err)
	image, err := remote.Image(ref)
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	config = config.DeepCopy()
	config.Config.Env = append(config.Config.Env, "TAMPERED=1")
	image, err = mutate.ConfigFile(image, config)
	require.NoError(t, err)
	digest, err := image.Digest()
	require.NoError(t, err)
	login := remote.WithAuth(authn.FromConfig(authn.AuthConfig{Username: registry.User, Password: password}))
	require.NoError(t, remote.Write(ref.Context().Digest(digest.String()), image, login))
	return digest.String()
}

// runPF runs a subcommand of pf in the project, and logs how long it took. The test fails if the
// command fails.
func (e *environment) runPF(t *testing.T, args ...string) string {
	t.Helper()
	pf, err := filepath.Abs("../../../.sandbox/bin/pf")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	start := time.Now()
	out, err := e.newCommand(ctx, e.layout.Project, pf, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("pf %s took %s", args[0], time.Since(start).Round(10*time.Millisecond))
	return string(out)
}

// git runs git in the project.
func (e *environment) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := e.newCommand(t.Context(), e.layout.Project, "git", args...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// listReferrers returns the digests of the documents that are attached to an image.
func listReferrers(t *testing.T, reference string) []string {
	t.Helper()
	ref, err := name.NewDigest(reference)
	require.NoError(t, err)
	index, err := remote.Referrers(ref)
	require.NoError(t, err)
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	var digests []string
	for _, m := range manifest.Manifests {
		require.Equal(t, "application/vnd.dev.sigstore.bundle.v0.3+json", m.ArtifactType)
		digests = append(digests, m.Digest.String())
	}
	return digests
}

// writeSigningKey writes a private key, and its public key to path + ".pub", as
// release/keygen does.
func writeSigningKey(t *testing.T, path string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	privateKey, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	publicKey, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	for file, block := range map[string]*pem.Block{path: {Type: "PRIVATE KEY", Bytes: privateKey}, path + ".pub": {Type: "PUBLIC KEY", Bytes: publicKey}} {
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	}
}
