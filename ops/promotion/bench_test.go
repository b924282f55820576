package promotion

import (
	"os"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/gate"
	"github.com/progressive-framework/platform/release/record"
)

// BenchmarkRelease measures a release of five images of 12 MiB, with a registry on loopback and a
// script in place of Pulumi. The first measurement is pf promote with the gates that need neither a
// cluster nor CloudWatch. The second is the copy of the promoted images, which pulumi up does. The
// third is pf diff of two stacks without a common image.
func BenchmarkRelease(b *testing.B) {
	p := newTestProject(b)
	p.shorts, p.layerBytes, p.modules = []string{"web", "mca", "npa", "wpa", "migrate"}, 12<<20, 120
	p.write("Pulumi.prod.yaml", prodFile+"  progressive-framework:policy: {cost: {monthlyBudget: 5000}}\n")
	p.commitMigration("00001_users.sql", createsTable)
	p.builtFrom = p.git("rev-parse", "HEAD")

	b.Run("promote", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			p.buildImages(signed)
			args := append([]string{"promote", "--from", "staging", "--to", "prod", "--without=alarms,pods"}, p.writeEvidence()...)
			b.StartTimer()
			out, code := p.run(args...)
			require.Zero(b, code, out)
			require.Contains(b, out, "30 signed statements of the gates were added to 5 images")
		}
	})
	b.Run("copy", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			p.buildImages(signed)
			out, code := p.run("promote", "--from", "staging", "--to", "prod", withoutEvidence)
			require.Zero(b, code, out)
			b.StartTimer()
			p.copyAndVerify(b)
		}
	})
	for stack, file := range map[string]string{"staging": "staging.jsonl", "prod": "prod.jsonl"} {
		recording, err := os.ReadFile("../../policy/testdata/" + file)
		require.NoError(b, err)
		p.setState(stack, string(recording))
	}
	p.commit("the release")
	p.copyReleaseImages()
	p.commitMigration("00002_email.sql", addsColumn)
	p.builtFrom = p.git("rev-parse", "HEAD")
	p.buildImages(signed)
	b.Run("diff", func(b *testing.B) {
		for b.Loop() {
			out, code := p.run("diff", "staging", "prod")
			require.Zero(b, code, out)
			require.Contains(b, out, "module example.com/m")
			require.Contains(b, out, "00002_email.sql  only the first; only adds")
			require.Contains(b, out, "total  $")
		}
	})
}

// copyAndVerify copies the images of prod's release one after the other, and verifies source and
// copy, as the resource ko:index:Promoted does.
func (p *testProject) copyAndVerify(b *testing.B) {
	b.Helper()
	file, err := record.Parse([]byte(p.read("Pulumi.prod.yaml")))
	require.NoError(b, err)
	keys, err := project{p.dir}.readTrustedKeys("prod", file)
	require.NoError(b, err)
	for short := range file.Release.Images {
		source, err := name.NewDigest(file.Release.Source(short))
		require.NoError(b, err)
		target, err := name.NewRepository(p.registry + "/prod/" + short)
		require.NoError(b, err)
		_, err = verifyImage(b.Context(), source.String(), keys, gate.ReleasePredicateTypes("prod", nil))
		require.NoError(b, err)
		require.NoError(b, attest.Copy(b.Context(), source, target, nil, nil))
		_, err = verifyImage(b.Context(), target.Digest(source.DigestStr()).String(), keys, gate.ReleasePredicateTypes("prod", nil))
		require.NoError(b, err)
	}
}
