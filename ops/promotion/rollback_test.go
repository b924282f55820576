package promotion

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/record"
)

// promoteAndMerge promotes the images of staging to prod, and commits the change.
func (p *testProject) promoteAndMerge() {
	p.t.Helper()
	out, code := p.run("promote", "--from", "staging", "--to", "prod", withoutEvidence)
	require.Zero(p.t, code, out)
	p.commit("promotion")
}

// copyReleaseImages copies the images of prod's release into prod's registry, and sets prod's outputs
// to the copies. pulumi up does the same.
func (p *testProject) copyReleaseImages() {
	p.t.Helper()
	r := p.readRelease("prod")
	images := map[string]string{}
	for short := range r.Images {
		source, err := name.NewDigest(r.Source(short))
		require.NoError(p.t, err)
		target, err := name.NewRepository(p.registry + "/prod/" + short)
		require.NoError(p.t, err)
		require.NoError(p.t, attest.Copy(p.t.Context(), source, target, nil, nil))
		images[short] = target.Digest(source.DigestStr()).String()
	}
	p.setOutputs("prod", images)
}

func TestRollbackWritesAnEarlierRelease(t *testing.T) {
	p := newTestProject(t)
	p.promoteAndMerge()
	p.copyReleaseImages()
	first, firstImages := p.readRelease("prod"), p.images
	p.buildImages(signed)
	p.write("note", "another commit")
	p.commit("work")
	p.promoteAndMerge()
	p.copyReleaseImages()
	second := p.readRelease("prod")
	require.False(t, first.SameImages(second))
	for _, reference := range firstImages { // a rollback must not need staging's images
		ref, err := name.NewDigest(reference)
		require.NoError(t, err)
		require.NoError(t, remote.Delete(ref))
	}

	out, code := p.run("rollback", "--stack", "prod", "--commit")
	require.Zero(t, code, out)
	current := p.readRelease("prod")
	require.True(t, current.SameImages(first))
	require.Equal(t, first.Commit, current.Commit)
	require.Contains(t, p.git("log", "-1", "--format=%s"), "back to release "+first.Commit[:12])
	p.setOutputsToRelease()

	out, code = p.run("rollback", "--stack", "prod", "--to", second.Commit[:12])
	require.Zero(t, code, out)
	require.True(t, p.readRelease("prod").SameImages(second), "--to can also name a newer release")
}

// setOutputsToRelease sets prod's outputs to the images of prod's release. Prod's registry must
// already have these images.
func (p *testProject) setOutputsToRelease() {
	p.t.Helper()
	images := map[string]string{}
	for short, digest := range p.readRelease("prod").Images {
		images[short] = p.registry + "/prod/" + short + "@" + digest
	}
	p.setOutputs("prod", images)
}

func TestRollbackWithoutAReleaseOrItsImagesIsRefused(t *testing.T) {
	p := newTestProject(t)
	out, code := p.run("rollback", "--stack", "prod")
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "no commit of the file has a key release")

	p.promoteAndMerge()
	first, images := p.readRelease("prod"), p.images
	out, code = p.run("rollback", "--stack", "prod")
	require.Equal(t, exitcode.Found, code, out)
	out, code = p.run("rollback", "--stack", "prod", "--to", "0123456")
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, first.Commit[:12], "the error lists the releases")
	out, code = p.run("rollback", "--stack", "prod", "--to", "--all")
	require.Equal(t, exitcode.Usage, code, out)

	shallow := &testProject{t: t, dir: filepath.Join(t.TempDir(), "clone")}
	p.git("clone", "--quiet", "--depth", "1", "file://"+p.dir, shallow.dir)
	out, code = shallow.run("rollback", "--stack", "prod")
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "git fetch --unshallow")

	p.buildImages(signed)
	p.promoteAndMerge()
	second := p.read("Pulumi.prod.yaml")
	ref, err := name.NewDigest(images["web"])
	require.NoError(t, err)
	require.NoError(t, remote.Delete(ref))
	out, code = p.run("rollback", "--stack", "prod")
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "the image is not in the registry")
	require.Equal(t, second, p.read("Pulumi.prod.yaml"))
}

func TestOnlyReleaseHasNoEarlierRelease(t *testing.T) {
	current := &record.Record{Commit: strings.Repeat("a", 40), Images: map[string]string{"web": "sha256:1"}}
	_, err := findRelease([]release{{strings.Repeat("b", 40), current}}, current, "")
	require.ErrorIs(t, err, errNoEarlierRelease)
	require.ErrorContains(t, err, "all releases of the file have the current images: bbbbbbbbbbbb (promoted aaaaaaaaaaaa)")
}

func TestProvenanceOfCommittedFilesIsPreferred(t *testing.T) {
	attestation := func(commit string, modified bool) attest.Attestation {
		predicate, err := json.Marshal(attest.Provenance{BuildDefinition: attest.BuildDefinition{ResolvedDependencies: []attest.Dependency{{
			Name: "sources", Digest: map[string]string{"gitCommit": commit}, Annotations: map[string]any{"modified": modified},
		}}}})
		require.NoError(t, err)
		return attest.Attestation{Statement: attest.Statement{PredicateType: attest.ProvenanceType, Predicate: predicate}}
	}
	modified, committed := attestation("a", true), attestation("b", false)
	require.Equal(t, "b", findProvenance([]attest.Attestation{modified, committed}).GitCommit())
	require.Equal(t, "b", findProvenance([]attest.Attestation{committed, modified}).GitCommit())
	require.True(t, findProvenance([]attest.Attestation{modified}).Modified())
}

func TestDiffShowsImagesModulesAndConfiguration(t *testing.T) {
	p := newTestProject(t)
	p.write("Pulumi.prod.yaml", prodFile+"  progressive-framework:policy: {cost: {monthlyBudget: 5000}, waivers: [{rule: key-rotates, resource: p-prod-key, reason: a, owner: b, until: \"2027-01-31\"}]}\n")
	p.commit("waiver")
	p.promoteAndMerge()
	p.copyReleaseImages()
	out, code := p.run("diff", "staging", "prod")
	require.Zero(t, code, out)
	require.Contains(t, out, "web  same, sha256:")
	require.Contains(t, out, "progressive-framework:environment  staging -> prod")
	require.NotContains(t, out, "hidden")
	require.Contains(t, out, "progressive-framework:auth.token  [secret] -> none")
	require.NotContains(t, out, "aws:region")
	require.Contains(t, out, "progressive-framework:policy.cost.monthlyBudget  none -> 5000")
	require.NotContains(t, out, "waivers", "the policies show what they do")
	require.NotContains(t, out, "progressive-framework:release")
	require.Contains(t, out, "not known: a stack has neither a release nor signed provenance of its image migrate")

	p.buildImages(signed)
	out, code = p.run("diff", "staging", "prod")
	require.Zero(t, code, out)
	require.Regexp(t, `web  sha256:[0-9a-f]{12} -> sha256:[0-9a-f]{12}`, out)
	require.Regexp(t, `commits [0-9a-f]{12}\.\.[0-9a-f]{12}`, out)
	require.Regexp(t, `module example.com/m  v1\.[0-9a-f]{2} -> v1\.`, out)
}

// keyState returns the state of a stack with one KMS key. more is the JSON of further resources.
func keyState(stack string, rotates bool, more string) string {
	return fmt.Sprintf(`{"version":3,"deployment":{"resources":[{"urn":"urn:pulumi:%[1]s::p::aws:kms/key:Key::p-%[1]s-key","custom":true,"type":"aws:kms/key:Key",
		"inputs":{"enableKeyRotation":%[2]t,"deletionWindowInDays":30}}%[3]s]}}`, stack, rotates, more)
}

func TestDiffShowsMigrationsPoliciesAndCost(t *testing.T) {
	p := newTestProject(t)
	p.shorts = []string{"web", "migrate"}
	p.commitMigration("00001_users.sql", createsTable)
	p.builtFrom = p.git("rev-parse", "HEAD")
	p.buildImages(signed)
	p.promoteAndMerge()
	p.copyReleaseImages()
	p.setState("prod", keyState("prod", true, ""))
	p.setState("staging", keyState("staging", false, `,{"urn":"urn:pulumi:staging::p::aws:kms/key:Key::p-staging-second","custom":true,"type":"aws:kms/key:Key","inputs":{"enableKeyRotation":true,"deletionWindowInDays":30}}`))
	out, code := p.run("diff", "staging", "prod")
	require.Zero(t, code, out)
	require.Contains(t, out, "none: both run the same image migrate")
	require.Contains(t, out, "key-rotates p-*-key  mandatory -> holds")
	require.NotContains(t, out, "p-*-second", "a key that breaks no rule is not listed")
	for resource, want := range map[string]string{"p-prod-key": "p-*-key", "p-prod": "p-*", "p-production": "p-production", "key": "key"} {
		require.Equal(t, want, comparedStack{values: map[string]string{"progressive-framework:environment": "prod"}}.withoutEnvironment(resource))
	}
	require.Contains(t, out, "total  $2.00 -> $1.00; without a price: 0 -> 0")

	p.commitMigration("00002_email.sql", addsColumn)
	p.commitMigration("00003_email.sql", dropsColumn)
	p.builtFrom = p.git("rev-parse", "HEAD")
	p.buildImages(signed)
	out, code = p.run("diff", "staging", "prod")
	require.Zero(t, code, out)
	require.Contains(t, out, "00002_email.sql  only the first; only adds")
	require.Contains(t, out, "00003_email.sql  only the first; it removes what an older program may use")
	require.NotContains(t, out, "00001_users.sql")
}
