package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	p "github.com/pulumi/pulumi-go-provider"

	"github.com/progressive-framework/platform/components/image"
	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/signer"
	"github.com/progressive-framework/platform/release/signkey"
)

const (
	// builderID identifies this provider in the provenance. buildType identifies the
	// meaning of the provenance's parameters, which are the inputs of the resource.
	builderID = "https://github.com/progressive-framework/platform/components/image"
	buildType = builderID + "/build@v1"
	// gitTimeout limits both calls of git. A build must not wait for a slow repository.
	gitTimeout = 10 * time.Second
)

// identifySigner sets SignedBy to the id of the signing key's public part. The private
// part is never in the state.
func (in *ImageInputs) identifySigner(ctx context.Context) error {
	if stringOrEmpty(in.SigningKey) == "" {
		return nil
	}
	key, err := in.openSigningKey(ctx)
	if err != nil {
		return &inputError{"signingKey", err.Error()}
	}
	in.SignedBy, err = signkey.ID(key.Public())
	return err
}

// openSigningKey opens the signing key. It calls KMS with the region, the profile and the role of the
// ECR login. Without a login it uses those of the environment.
func (in ImageInputs) openSigningKey(ctx context.Context) (signkey.Key, error) {
	var credentials signer.Credentials
	if l := in.Login; l != nil {
		credentials = signer.Credentials(*l)
	}
	return signer.Open(ctx, stringOrEmpty(in.SigningKey), credentials)
}

// sign signs the image's provenance and the SBOM of each manifest, and attaches them to
// the image. It returns the id of the key, or "" if it signed nothing: without a key, and if files
// differ from their commit. Nobody can build such an image again, so no promotion accepts it.
func (in ImageInputs) sign(ctx context.Context, b *builtImage, repo name.Repository, options []remote.Option) (keyID string, err error) {
	if in.SignedBy == "" {
		return "", nil
	}
	provenance := in.provenance(ctx, b)
	if provenance.Modified() {
		warnUnsigned(ctx)
		return "", nil
	}
	key, err := in.openSigningKey(ctx)
	if err != nil {
		return "", err
	}
	if id, err := signkey.ID(key.Public()); err != nil || id != in.SignedBy {
		return "", fmt.Errorf("signing key %s: it changed while Pulumi ran; run it again", stringOrEmpty(in.SigningKey))
	}
	statements := map[v1.Hash][]*attest.Statement{}
	addStatement := func(subject v1.Hash, predicateType string, predicate any) error {
		s, err := attest.NewStatement(repo.Name(), subject, predicateType, predicate)
		statements[subject] = append(statements[subject], s)
		return err
	}
	if err := addStatement(b.digest, attest.ProvenanceType, provenance); err != nil {
		return "", err
	}
	for _, s := range b.sboms {
		document, err := s.file.Payload()
		if err != nil {
			return "", fmt.Errorf("SBOM of %s: %w", s.subject, err)
		}
		if err := addStatement(s.subject, attest.SPDXType, json.RawMessage(document)); err != nil {
			return "", err
		}
	}
	for subject, subjectStatements := range statements {
		if err := attest.Attach(ctx, repo.Digest(subject.String()), subjectStatements, key, options...); err != nil {
			return "", err
		}
	}
	return in.SignedBy, nil
}

// warnUnsigned shows why an image is not signed.
func warnUnsigned(ctx context.Context) {
	p.GetLogger(ctx).Warning("the image is not signed, because files differ from the git commit: commit them, and run pulumi up again")
}

// provenance returns the inputs of the build. It does not list Go modules, because the
// SBOM does.
func (in ImageInputs) provenance(ctx context.Context, b *builtImage) attest.Provenance {
	external := map[string]any{"importPath": in.ImportPath, "platforms": in.Platforms}
	if base := stringOrEmpty(in.Base); base != "" {
		external["base"] = base
	}
	if len(in.Labels) > 0 {
		external["labels"] = in.Labels
	}
	internal := map[string]any{"goVersion": b.goVersion}
	if in.Sources != "" {
		internal["sources"] = in.Sources
	}
	return attest.Provenance{
		BuildDefinition: attest.BuildDefinition{
			BuildType: buildType, ExternalParameters: external, InternalParameters: internal,
			ResolvedDependencies: readSourceCommit(ctx, stringOrEmpty(in.Dir)),
		},
		RunDetails: attest.RunDetails{Builder: attest.Builder{ID: builderID, Version: map[string]string{"provider": image.Version, "ko": koVersion}}},
	}
}

// repositoryVariables are environment variables that make git use a different repository than that of
// the folder. git sets them for its hooks and for the commands of `git rebase --exec`.
var repositoryVariables = []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"}

// hasModifiedFiles reports whether files differ from the git commit of the sources.
func hasModifiedFiles(ctx context.Context, dir string) bool {
	return attest.Provenance{BuildDefinition: attest.BuildDefinition{ResolvedDependencies: readSourceCommit(ctx, dir)}}.Modified()
}

// readSourceCommit returns the git commit of the sources, and whether files differ from the commit.
// It returns nil if git can't read a repository with the sources, because a build does not need
// git.
func readSourceCommit(ctx context.Context, dir string) []attest.Dependency {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = dir
		cmd.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool {
			variable, _, _ := strings.Cut(kv, "=")
			return slices.Contains(repositoryVariables, variable)
		})
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	commit, err := git("rev-parse", "--verify", "HEAD")
	if err != nil {
		return nil
	}
	modifiedFiles, err := git("status", "--porcelain", "--untracked-files=no")
	return []attest.Dependency{{
		Name: "sources", Digest: map[string]string{"gitCommit": commit},
		Annotations: map[string]any{"modified": err != nil || modifiedFiles != ""},
	}}
}
