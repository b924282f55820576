package promotion

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubefake "k8s.io/client-go/kubernetes/fake"

	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
	"github.com/progressive-framework/platform/ops/ci/gitcommit"
	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/gate"
	"github.com/progressive-framework/platform/release/record"
)

func TestPromotionWritesOnlyTheKeyRelease(t *testing.T) {
	p := newTestProject(t)
	out, code := p.run("promote", "--from", "staging", "--to", "prod", "--commit", withoutEvidence)
	require.Zero(t, code, out)
	require.Contains(t, out, "load-test")
	require.Contains(t, out, "not checked")
	text := p.read("Pulumi.prod.yaml")
	require.True(t, strings.HasPrefix(text, prodFile+"  progressive-framework:release:\n"), text)
	r := p.readRelease("prod")
	require.Equal(t, "staging", r.From)
	require.Equal(t, p.registry+"/staging", r.Repository)
	require.Equal(t, p.git("rev-parse", "main"), r.Commit)
	for short, reference := range p.images {
		require.Equal(t, reference, r.Source(short))
	}
	require.Equal(t, "Pulumi.prod.yaml", p.git("show", "--format=", "--name-only", "HEAD"))
	require.Equal(t, "promote-prod-"+r.Commit[:12], p.git("branch", "--show-current"))
	require.Regexp(t, `load-test +not checked`, p.git("log", "-1", "--format=%B"))
	require.Empty(t, p.git("status", "--porcelain"))

	out, code = p.run("promote", "--from", "staging", "--to", "prod", withoutEvidence)
	require.Zero(t, code, out)
	require.Contains(t, out, "its release was not changed")
}

// A second attempt must not sign anything before it finds that it can't commit.
func TestPromotionWithAnEarlierBranchIsRefused(t *testing.T) {
	p := newTestProject(t)
	branch := fmt.Sprintf("promote-prod-%.12s", p.git("rev-parse", "HEAD"))
	p.git("branch", branch)
	out, code := p.run("promote", "--from", "staging", "--to", "prod", "--commit", withoutEvidence)
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "the branch "+branch+" exists")
	require.Equal(t, prodFile, p.read("Pulumi.prod.yaml"))
	p.git("branch", "-D", branch)
	out, code = p.run("promote", "--from", "staging", "--to", "prod", "--commit", withoutEvidence)
	require.Zero(t, code, out)
	require.Contains(t, out, "6 signed statements")
}

// A gate that was accepted without evidence can be passed later, for the same images.
func TestLaterEvidenceIsSignedForTheSameImages(t *testing.T) {
	p := newTestProject(t)
	p.promoteAndMerge()
	evidence := p.writeEvidence()
	out, code := p.run(append([]string{"promote", "--from", "staging", "--to", "prod", "--without", "alarms,pods,cost"}, evidence...)...)
	require.Zero(t, code, out)
	require.Regexp(t, `[1-9]\d* signed statements`, out)
	require.Contains(t, out, "its release was not changed")
}

// writeEvidence writes a load report and a preview for the images of staging. It returns the flags
// that name them.
func (p *testProject) writeEvidence() []string {
	p.t.Helper()
	digests := map[string]string{}
	for short, reference := range p.images {
		_, digests[short], _ = strings.Cut(reference, "@")
	}
	tree, err := gitcommit.Read(p.t.Context(), p.dir)
	require.NoError(p.t, err)
	plan := encodePlan(p.t, canonicalplan.Origin{Stack: "prod", Commit: tree}, digests)
	load, err := json.Marshal(map[string]any{
		"schema": 1, "url": "https://staging.example.com", "started": time.Now(), "images": p.images,
		"load": []map[string]any{{"name": "page", "kept": true}},
	})
	require.NoError(p.t, err)
	dir := writeFiles(p.t, map[string]string{
		"plan.json": plan, "verdict.json": "{}", "policy.json": "{}", "load.json": string(load),
		"cost.json": `{"after":{"total":{"expectedMicroUSD":4500000000}}}`,
	})
	return []string{"--load-report", filepath.Join(dir, "load.json"), "--preview", dir}
}

// Each passed gate adds a statement to each image. A copy of the image includes it, and only the
// key of staging can sign it.
func TestGatesAreSignedStatementsOnTheDigests(t *testing.T) {
	p := newTestProject(t)
	p.write("Pulumi.prod.yaml", prodFile+"  progressive-framework:policy: {cost: {monthlyBudget: 5000}}\n")
	p.commit("budget")
	args := append([]string{"promote", "--from", "staging", "--to", "prod", "--without=alarms,pods"}, p.writeEvidence()...)
	out, code := p.run(args...)
	require.Zero(t, code, out)
	require.Contains(t, out, "12 signed statements of the gates were added to 2 images")
	p.commit("promotion")
	p.copyReleaseImages()

	file, err := record.Parse([]byte(p.read("Pulumi.prod.yaml")))
	require.NoError(t, err)
	keys, err := project{p.dir}.readTrustedKeys("prod", file)
	require.NoError(t, err)
	r := file.Release
	for short, digest := range r.Images {
		copied, err := name.NewDigest(p.registry + "/prod/" + short + "@" + digest)
		require.NoError(t, err)
		wanted := gate.PredicateTypes("prod", []gate.Name{gate.Signatures, gate.BakeTime, gate.LoadTest, gate.Preview, gate.Cost, gate.Migrations})
		found, err := attest.Verify(t.Context(), copied, keys, wanted)
		require.NoError(t, err)
		require.Len(t, found, len(wanted))
		for _, a := range found {
			var predicate gate.Predicate
			require.NoError(t, json.Unmarshal(a.Predicate, &predicate))
			require.Equal(t, gate.Predicate{From: "staging", To: "prod", Commit: r.Commit, At: r.At, Evidence: predicate.Evidence, Images: r.Images}, predicate)
			require.NotEmpty(t, predicate.Evidence)
		}
		_, err = attest.Verify(t.Context(), copied, keys, gate.PredicateTypes("prod", []gate.Name{gate.Pods}))
		require.ErrorContains(t, err, "nothing of this type is attached", "a gate that was not checked has no statement")
	}

	// A second promotion of the same images adds a statement only for another stack.
	p.write("Pulumi.prod.yaml", prodFile)
	p.write("Pulumi.other.yaml", prodFile)
	p.writeHistory("other")
	p.commit("without release")
	out, code = p.run("promote", "--from", "staging", "--to", "prod", withoutEvidence)
	require.Zero(t, code, out)
	require.Contains(t, out, "0 signed statements")
	out, code = p.run("promote", "--from", "staging", "--to", "other", withoutEvidence)
	require.Zero(t, code, out)
	require.Contains(t, out, "6 signed statements")
}

func TestPromotionReplacesADraft(t *testing.T) {
	p := newTestProject(t)
	out, code := p.run("promote", "--from", "staging", "--to", "prod", "--draft")
	require.Zero(t, code, out)
	require.Contains(t, out, "no gate was judged")
	require.True(t, p.readRelease("prod").Draft)
	out, code = p.run("promote", "--from", "staging", "--to", "prod", "--commit", withoutEvidence)
	require.Zero(t, code, out)
	require.Contains(t, out, "built by the stack -> sha256:", "the difference from the last commit, not from the draft")
	require.False(t, p.readRelease("prod").Draft)
	require.Empty(t, p.git("status", "--porcelain"))
	out, code = p.run("promote", "--from", "staging", "--to", "prod", "--draft", "--commit")
	require.Equal(t, exitcode.Usage, code, out)

	// A draft of the images that the stack has is removed.
	out, code = p.run("promote", "--from", "staging", "--to", "prod", "--draft")
	require.Zero(t, code, out)
	require.NotEmpty(t, p.git("status", "--porcelain"))
	out, code = p.run("promote", "--from", "staging", "--to", "prod", withoutEvidence)
	require.Zero(t, code, out)
	require.Empty(t, p.git("status", "--porcelain"))
}

// The preview must be of the commit with the draft, and nothing else.
func TestPreviewWithOtherChangesIsRefused(t *testing.T) {
	p := newTestProject(t)
	out, code := p.run("promote", "--from", "staging", "--to", "prod", "--draft")
	require.Zero(t, code, out)
	args := append([]string{"promote", "--from", "staging", "--to", "prod", "--without=alarms,pods,cost"}, p.writeEvidence()...)
	p.write("main.go", "package main\n")
	out, code = p.run(args...)
	require.Equal(t, exitcode.Found, code, out)
	require.Regexp(t, `preview +refused +main.go is not in git`, out)

	withOtherChanges := append([]string{"promote", "--from", "staging", "--to", "prod", "--without=alarms,pods,cost"}, p.writeEvidence()...)
	require.NoError(t, os.Remove(filepath.Join(p.dir, "main.go")))
	out, code = p.run(withOtherChanges...)
	require.Equal(t, exitcode.Found, code, out)
	require.Regexp(t, `preview +refused .* is a preview of other files`, out)

	draft := p.read("Pulumi.prod.yaml")
	p.write("Pulumi.prod.yaml", draft+"  progressive-framework:policy: {cost: {monthlyBudget: 9000}}\n")
	budgetChanged := append([]string{"promote", "--from", "staging", "--to", "prod", "--without=alarms,pods"}, p.writeEvidence()...)
	out, code = p.run(budgetChanged...)
	require.Equal(t, exitcode.Found, code, out)
	require.Regexp(t, `preview +refused +Pulumi.prod.yaml has other changes than the release`, out)
	p.write("Pulumi.prod.yaml", draft)

	out, code = p.run(args...)
	require.Zero(t, code, out)
}

// No stack runs a draft. So a draft that somebody committed is neither the release of the stack nor one
// to roll back to.
func TestCommittedDraftIsNoRelease(t *testing.T) {
	p := newTestProject(t)
	out, code := p.run("promote", "--from", "staging", "--to", "prod", "--draft")
	require.Zero(t, code, out)
	p.commit("a draft")
	out, code = p.run("promote", "--from", "staging", "--to", "prod", "--commit", withoutEvidence)
	require.Zero(t, code, out)
	require.False(t, p.readRelease("prod").Draft)
	out, code = p.run("rollback", "--stack", "prod")
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "no earlier release")
}

// A stack that requires gates refuses a release without their statements.
func TestReleaseWithoutARequiredGateIsRefused(t *testing.T) {
	p := newTestProject(t)
	p.promoteAndMerge() // the gate is not required yet, and has no evidence
	p.buildImages(signed)
	p.promoteAndMerge()
	p.write("Pulumi.prod.yaml", strings.Replace(p.read("Pulumi.prod.yaml"), "    trustedKeys:", "    requiredGates: [load-test]\n    trustedKeys:", 1))
	p.commit("require")
	out, code := p.run("promote", "--from", "staging", "--to", "prod", withoutEvidence)
	require.NotZero(t, code, out)
	require.Contains(t, out, `--without is "load-test": Pulumi.prod.yaml requires that gate`)
	out, code = p.run("promote", "--from", "staging", "--to", "prod", "--without=alarms,pods,preview,cost")
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "images.requiredGates has this gate", "--without load-test is no fix for this stack")
	out, code = p.run("rollback", "--stack", "prod")
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "has no valid attestation of type "+gate.LoadTest.PredicateType("prod"))

	p.buildImages(signed)
	out, code = p.run(append([]string{"promote", "--from", "staging", "--to", "prod", "--without=alarms,pods,cost"}, p.writeEvidence()...)...)
	require.Zero(t, code, out)
}

func TestGateWithoutEvidenceRefuses(t *testing.T) {
	p := newTestProject(t)
	out, code := p.run("promote", "--from", "staging", "--to", "prod")
	require.Equal(t, exitcode.Found, code, out)
	for _, name := range gate.NamesWithOptionalEvidence() {
		require.Contains(t, out, "--without "+string(name))
	}
	require.Equal(t, prodFile, p.read("Pulumi.prod.yaml"))
	out, code = p.run("promote", "--from", "staging", "--to", "prod", "--without", "signatures")
	require.Equal(t, exitcode.Usage, code, out)
	p.write("Pulumi.staging.yaml", "config:\n  aws:region: us-east-1\n")
	out, code = p.run("promote", "--from", "staging", "--to", "prod", withoutEvidence)
	require.NotZero(t, code, out)
	require.Contains(t, out, "no key signs the gates")
}

// The person who promotes has credentials in the environment. The region is that of the stack.
func TestKeyOfKMSIsUsedInTheRegionOfTheStack(t *testing.T) {
	p := newTestProject(t)
	var credential string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		credential = r.Header.Get("Authorization")
		w.WriteHeader(http.StatusBadRequest)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL_KMS": server.URL, "AWS_CONFIG_FILE": os.DevNull, "AWS_REGION": "", "AWS_ACCESS_KEY_ID": "PERSON", "AWS_SECRET_ACCESS_KEY": "s"} {
		t.Setenv(name, value)
	}
	p.write("Pulumi.staging.yaml", "config:\n  aws:region: eu-west-1\n  progressive-framework:images: {signingKey: \"awskms:///alias/staging\"}\n")
	out, code := p.run("promote", "--from", "staging", "--to", "prod", withoutEvidence)
	require.Equal(t, exitcode.Incomplete, code, out)
	require.Regexp(t, `Credential=PERSON/\d+/eu-west-1/kms/`, credential)
}

func TestPromotionIsRefused(t *testing.T) {
	for _, c := range []struct {
		why     string
		prepare func(p *testProject) (more []string)
		code    int
		want    string
	}{
		{"nobody signed the images", func(p *testProject) []string { p.buildImages(unsigned); return nil }, exitcode.Found, "nothing of this type is attached"},
		{"another key signed them", func(p *testProject) []string {
			other := newTestProject(p.t)
			p.write("keys/staging.pub", other.read("keys/staging.pub"))
			p.setOutputs("staging", p.images) // the fake Pulumi on PATH belongs to the newer project
			p.setHistory("update", "succeeded", time.Now().Add(-time.Hour))
			return nil
		}, exitcode.Found, "is signed by another key"},
		{"they were built from files that differ from the commit", func(p *testProject) []string {
			p.modified = true
			p.buildImages(signed)
			return nil
		}, exitcode.Found, "was built from files that differ from commit"},
		{"no key is trusted", func(p *testProject) []string {
			p.write("Pulumi.prod.yaml", "config:\n  a:b: c\n")
			return nil
		}, exitcode.Found, "images.trustedKeys is not set"},
		{"the last update ended too recently", func(p *testProject) []string {
			p.setHistory("update", "succeeded", time.Now().Add(-time.Minute))
			return nil
		}, exitcode.Found, "must be 30m0s"},
		{"the update failed", func(p *testProject) []string {
			p.setHistory("update", "failed", time.Now().Add(-time.Hour))
			return nil
		}, exitcode.Found, "the last update of the stack is failed"},
		{"a migration that removes", func(p *testProject) []string { p.commitMigration("00001_users.sql", dropsColumn); return nil }, exitcode.Found, "it removes what an older program may use"},
		{"the stack does not exist", func(p *testProject) []string {
			require.NoError(p.t, os.Remove(filepath.Join(p.fakeBin(), "history-prod")))
			return nil
		}, exitcode.Found, "create it with pulumi stack init prod"},
		{"an image by its tag", func(p *testProject) []string {
			p.setOutputs("staging", map[string]string{"web": p.registry + "/staging/web:v1"})
			return nil
		}, exitcode.Incomplete, "must be REPOSITORY@sha256:DIGEST"},
		{"an image in another repository than the others", func(p *testProject) []string {
			p.images["web"] = strings.Replace(p.images["web"], "/staging/", "/elsewhere/", 1)
			p.setOutputs("staging", p.images)
			return nil
		}, exitcode.Incomplete, "next to the others"},
		{"the load report does not exist", func(*testProject) []string { return []string{"--load-report", "none.json"} }, exitcode.Found, "none.json"},
		{"the stack's file has uncommitted changes", func(p *testProject) []string {
			p.write("Pulumi.prod.yaml", prodFile+"  x:y: z\n")
			return []string{"--commit"}
		}, exitcode.Found, "has changes that are not committed"},
		{"the name of the stack is a path", func(*testProject) []string { return []string{"--to", "../prod"} }, exitcode.Usage, "must be the name of a stack"},
	} {
		t.Run(c.why, func(t *testing.T) {
			p := newTestProject(t)
			args := append([]string{"promote", "--from", "staging", "--to", "prod", withoutEvidence}, c.prepare(p)...)
			before := p.read("Pulumi.prod.yaml")
			out, code := p.run(args...)
			require.Equal(t, c.code, code, out)
			require.Contains(t, out, c.want)
			require.Equal(t, before, p.read("Pulumi.prod.yaml"))
		})
	}
}

// newPod returns a pod with one container. It applies each function in change to the pod.
func newPod(name, image string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Image: image}}}}
	for _, c := range change {
		c(p)
	}
	return p
}

func TestPodsMustRunTheDigestsOfTheOutput(t *testing.T) {
	digests := map[string]string{"web": "sha256:1", "migrate": "sha256:2"}
	ended := func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }
	for _, c := range []struct {
		why  string
		pods []*corev1.Pod
		want string
	}{
		{"the right digest, and an image of a third-party program", []*corev1.Pod{newPod("a", "r/web@sha256:1"), newPod("b", "docker.io/redis:7")}, ""},
		{"an older pod that has ended", []*corev1.Pod{newPod("a", "r/web@sha256:1"), newPod("b", "r/migrate@sha256:9", ended)}, ""},
		{"a rollout that has not ended", []*corev1.Pod{newPod("a", "r/web@sha256:1"), newPod("b", "r/web@sha256:0")}, "b runs r/web@sha256:0"},
		{"an image that the output does not have", []*corev1.Pod{newPod("a", "r/other@sha256:1")}, "a runs r/other@sha256:1"},
		{"no pod", nil, "no pod in ns runs"},
	} {
		t.Run(c.why, func(t *testing.T) {
			client := kubefake.NewClientset()
			for _, p := range c.pods {
				require.NoError(t, client.Tracker().Add(p))
			}
			_, err := checkPods(t.Context(), client, "ns", "r", digests)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestLoadReportMustBeOfTheseImagesAndWithinLimits(t *testing.T) {
	updated := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	good := `{"schema":1,"url":"https://a","started":"2026-12-01T11:00:00Z","images":{"web":"r/web@sha256:1"},"refusals":{},"answers":{},"load":[{"name":"page","sent":10,"p95":50,"limit":100,"kept":true}]}`
	for why, c := range map[string]struct{ old, new, want string }{
		"within every limit":        {"", "", ""},
		"a report of another stack": {"https://a", "https://b", "must be of https://a"},
		"a report of older images":  {"T11", "T09", "it tested other images"},
		"a report of other images":  {"sha256:1", "sha256:2", "web was r/web@sha256:2, is r/web@sha256:1"},
		"a report without images":   {`"images"`, `"other"`, "does not say which images"},
		"a missed limit":            {`"kept":true`, `"kept":false`, "page: p95 50 ms, must be at most 100 ms"},
		"failed requests":           {`"p95"`, `"failed":{"503":2},"p95"`, "2 of 10 requests failed"},
		"a wrong response":          {`"answers":{}`, `"answers":{"wrong":["a plan of no day"]}`, "a plan of no day"},
		"an interrupted test":       {`"refusals"`, `"interrupted":true,"refusals"`, "interrupted"},
		"no load":                   {`"load"`, `"other"`, "has no load"},
		"another schema":            {`"schema":1`, `"schema":2`, "has schema 2"},
	} {
		t.Run(why, func(t *testing.T) {
			var r loadReport
			require.NoError(t, json.Unmarshal([]byte(strings.Replace(good, c.old, c.new, 1)), &r))
			err := checkLoad(r, "https://a", map[string]string{"web": "r/web@sha256:1"}, updated)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// encodePlan returns plan.json of a preview. The preview creates the images with these digests, by
// their short names, and deletes another image.
func encodePlan(t testing.TB, origin canonicalplan.Origin, digests map[string]string) string {
	t.Helper()
	const urn = "urn:pulumi:prod::p::ko:index:Promoted::p-prod-"
	steps := []map[string]any{{"op": "delete", "urn": urn + "old", "oldState": map[string]any{"inputs": map[string]any{"digest": "sha256:9"}}}}
	for short, digest := range digests {
		steps = append(steps, map[string]any{"op": "create", "urn": urn + short, "newState": map[string]any{"inputs": map[string]any{"digest": digest}}})
	}
	raw, err := json.Marshal(map[string]any{"steps": steps})
	require.NoError(t, err)
	preview, err := canonicalplan.ParsePreview(raw)
	require.NoError(t, err)
	plan, err := canonicalplan.New(origin, preview)
	require.NoError(t, err)
	raw, err = plan.Encode()
	require.NoError(t, err)
	return string(raw)
}

func TestPreviewMustBeOfTheReleaseWithoutUnapprovedLosses(t *testing.T) {
	const commit = "0a0a0a0a0a0a"
	plan := func(origin canonicalplan.Origin, web string) string {
		return encodePlan(t, origin, map[string]string{"web": web})
	}
	prod := canonicalplan.Origin{Stack: "prod", Commit: commit}
	good := plan(prod, "sha256:1")
	for why, c := range map[string]struct{ plan, verdict, policy, want string }{
		"no loss":             {good, `{"losses":null}`, `{"findings":[{"rule":"a","kind":"mandatory","new":false}]}`, ""},
		"other files":         {plan(canonicalplan.Origin{Stack: "prod", Commit: commit + "+1234"}, "sha256:1"), `{}`, `{}`, "of other files than those of the working tree"},
		"an approved loss":    {good, `{"losses":[{"op":"replace","urn":"u","Approval":{"owner":"me"}}]}`, `{}`, ""},
		"a loss":              {good, `{"losses":[{"op":"replace","urn":"u","Approval":null,"Refused":"nobody has approved it"}]}`, `{}`, "replace of u, which holds data: nobody has approved it"},
		"an expired approval": {good, `{"losses":[{"op":"delete","urn":"u","Approval":null,"Refused":"the approval of me ended on 2026-11-01"}]}`, `{}`, "the approval of me ended on 2026-11-01"},
		"a new violation":     {good, `{}`, `{"findings":[{"rule":"a","kind":"mandatory","new":true,"resource":"r"}]}`, "new violation of a by r"},
		"another stack":       {plan(canonicalplan.Origin{Stack: "dev", Commit: commit}, "sha256:1"), `{}`, `{}`, `must be of "prod"`},
		"another program":     {plan(canonicalplan.Origin{Stack: "prod", Commit: "0b0b"}, "sha256:1"), `{}`, `{}`, "at commit 0b0b, must be at " + commit},
		"an empty stack":      {plan(canonicalplan.Origin{Stack: "prod", Commit: commit, Offline: true}, "sha256:1"), `{}`, `{}`, "preview without --offline"},
		"another image":       {plan(prod, "sha256:2"), `{}`, `{}`, "p-prod-web has another image, sha256:2"},
		"no image":            {encodePlan(t, prod, nil), `{}`, `{}`, "not of this release"},
		"a truncated file":    {`{"stack":`, `{}`, `{}`, "is no report"},
		"an edited file":      {strings.Replace(good, `"op": "delete"`, `"op": "update"`, 1), `{}`, `{}`, "the file was edited"},
	} {
		t.Run(why, func(t *testing.T) {
			dir := writeFiles(t, map[string]string{"plan.json": c.plan, "verdict.json": c.verdict, "policy.json": c.policy})
			_, err := checkPreview(dir, "prod", commit, &record.Record{Commit: commit, Images: map[string]string{"web": "sha256:1"}})
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := checkPreview(t.TempDir(), "prod", commit, &record.Record{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

// writeFiles writes files to a new folder, and returns the folder.
func writeFiles(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for file, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
	return dir
}

func TestCostMustBeWithinTheBudget(t *testing.T) {
	const good = `{"before":{"total":{"expectedMicroUSD":4000000000}},"after":{"total":{"expectedMicroUSD":4500000000},"unpriced":[{}]}}`
	for why, c := range map[string]struct {
		cost   string
		budget int64
		want   string
	}{
		"at the budget":      {good, 4500, ""},
		"above":              {good, 4499, "would cost $4,500.00 a month, the budget is $4,499.00"},
		"no figure":          {`{"after":{"noFigure":"no prices of the region"}}`, 4500, "no prices of the region"},
		"a file that is cut": {`{`, 4500, "is no report"},
	} {
		t.Run(why, func(t *testing.T) {
			summary, err := checkCost(writeFiles(t, map[string]string{"cost.json": c.cost}), c.budget)
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, "$4,500.00 a month of $4,500.00, before $4,000.00; without a price: 1", summary)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := checkCost(t.TempDir(), 1)
	require.ErrorIs(t, err, os.ErrNotExist)
}
