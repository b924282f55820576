package loadtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/load"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// requireSchema checks a report against report.schema.json.
func requireSchema(t *testing.T, text string) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("report.schema.json")
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(value), text)
}

// newFixedReport returns a report of twelve seconds with every field. The last second has failures.
func newFixedReport() *report {
	r := &report{
		Schema: schemaVersion, URL: "http://127.0.0.1:30080", User: "test-user-123", Profile: load.Spike, Connections: 100, Rate: 200, AgentsRate: 50,
		Started: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Seconds: 12, Refusals: checkResult{Sent: 6}, Responses: checkResult{Sent: 2},
		Images:   map[string]string{"web": "registry.example.com/web@sha256:1"},
		Replicas: map[string][]Replicas{"web": {{0, 1, 1}, {4, 3, 1}, {8, 3, 3}}},
		Bounds:   map[string]Bounds{"web": {1, 4}},
		Notes:    []string{"replicas were not read: forbidden"},
	}
	profile := row{Name: "GET profile", Sent: 1210, PerSecond: 100, Failed: load.Reasons{"status 503 (unavailable)": 10}, P50: 4, P95: 20, P99: 510, Limit: 500, WithinLimit: true}
	for i := range 12 {
		profile.Seconds = append(profile.Seconds, second{Correct: 100, P50: 4, P95: 20 + float64(i), P99: 40 * float64(i)})
	}
	profile.Seconds[11].Failed = 10
	r.Load = append(r.Load, profile)
	old := *r
	slower := profile
	slower.Seconds = nil
	for _, s := range profile.Seconds {
		slower.Seconds = append(slower.Seconds, second{Correct: 100, P50: s.P50, P95: s.P95 + 5, P99: s.P99})
	}
	old.Load, old.Rate = []row{slower}, 100
	r.Comparison = compareReports(&old, r)
	return r
}

// TestReportsMatchTheirGoldens compares with golden files. With UPDATE_GOLDENS=1 it writes the files.
func TestReportsMatchTheirGoldens(t *testing.T) {
	r := newFixedReport()
	for _, row := range []struct {
		file  string
		write func(*bytes.Buffer) error
	}{
		{"report.txt", func(b *bytes.Buffer) error { return r.writeText(b) }},
		{"report.json", func(b *bytes.Buffer) error { return r.writeJSON(b) }},
		{"report.html", func(b *bytes.Buffer) error { return r.writeHTML(b) }},
	} {
		t.Run(row.file, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, row.write(&out))
			golden := filepath.Join("testdata", row.file)
			if os.Getenv("UPDATE_GOLDENS") != "" {
				require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), out.String())
			require.NotContains(t, out.String(), "<script")
			require.NotRegexp(t, `(src|href)=`, out.String(), "the page needs no other file")
		})
	}
	read, err := readReport(filepath.Join("testdata", "report.json"))
	require.NoError(t, err)
	require.Equal(t, r.Load, read.Load)
	content, err := os.ReadFile(filepath.Join("testdata", "report.json"))
	require.NoError(t, err)
	requireSchema(t, string(content))
}

// TestNoiseIsNoDifference: two runs with the same distribution differ in less than 1 % of the
// comparisons. A shift of 30 % is found every time.
func TestNoiseIsNoDifference(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	run := func(factor float64) (seconds []second) {
		for range 60 {
			seconds = append(seconds, second{Correct: 100, P95: factor * (20 + 4*rng.NormFloat64())})
		}
		return seconds
	}
	p95 := figures[1]
	const runs = 1000
	verdicts := map[verdict]int{}
	for range runs {
		var same, shifted change
		same.setVerdict(run(1), run(1), p95.value, p95.moreIsBetter)
		verdicts[same.Verdict]++
		shifted.setVerdict(run(1), run(1.3), p95.value, p95.moreIsBetter)
		require.Equal(t, worse, shifted.Verdict)
	}
	require.Less(t, runs-verdicts[noise], runs/100)
}

func TestVerdictDependsOnTheDifference(t *testing.T) {
	seconds := func(n int, p95 float64, correct int) (list []second) {
		for range n {
			list = append(list, second{Correct: correct, P95: p95})
		}
		return list
	}
	for _, row := range []struct {
		reason       string
		figure       int
		old, current []second
		want         verdict
	}{
		{"a lower latency", 1, seconds(20, 20, 100), seconds(20, 10, 100), better},
		{"a higher latency", 1, seconds(20, 20, 100), seconds(20, 30, 100), worse},
		{"4 % are less than minShare", 1, seconds(20, 100, 100), seconds(20, 104, 100), noise},
		{"a higher rate", 3, seconds(20, 20, 100), seconds(20, 20, 120), better},
		{"a lower rate", 3, seconds(20, 20, 100), seconds(20, 20, 80), worse},
		{"nine seconds", 1, seconds(9, 20, 100), seconds(20, 200, 100), tooShort},
		{"no correct response in the old run", 1, seconds(20, 0, 0), seconds(20, 20, 100), tooShort},
	} {
		t.Run(row.reason, func(t *testing.T) {
			var c change
			c.setVerdict(row.old, row.current, figures[row.figure].value, figures[row.figure].moreIsBetter)
			require.Equal(t, row.want, c.Verdict)
		})
	}
}

// TestRunIsComparedWithAnEarlierReport runs the test twice. The HTML page has the verdicts.
func TestRunIsComparedWithAnEarlierReport(t *testing.T) {
	f := newFakePlatform(t)
	args := append(briefLoad, "--url", f.url, "--only", "main")
	_, out, _ := runText(t.Context(), t, f.token, append(args, "--json")...)
	old := filepath.Join(t.TempDir(), "old.json")
	require.NoError(t, os.WriteFile(old, []byte(out), 0o600))
	page := filepath.Join(t.TempDir(), "report.html")
	code, r, errs := runJSON(t.Context(), t, f.token, append(args, "--compare", old, "--html", page)...)
	require.Zero(t, code, errs)
	require.Empty(t, r.Comparison.Different)
	require.Len(t, r.Comparison.Changes, 3*len(figures))
	require.Equal(t, tooShort, r.Comparison.Changes[0].Verdict, "a load of 200 ms")
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(content), "too short")
}

// TestReplayFollowsItsFile: the file sets the rate and the duration.
func TestReplayFollowsItsFile(t *testing.T) {
	f := newFakePlatform(t)
	file := filepath.Join(t.TempDir(), "day.csv")
	require.NoError(t, os.WriteFile(file, []byte("seconds,requests/s\n0,350\n0.1,0\n0.2,350\n0.3,0\n"), 0o600))
	code, r, errs := runJSON(t.Context(), t, f.token, "replay", file, "--url", f.url, "--only", "main")
	require.Zero(t, code, errs)
	require.InDelta(t, 40, r.Load[1].Sent, 2, "20 of 35 of 350 per second, for 200 of 300 ms")
}

// TestHangingServerDoesNotDelayTheReport: from the 60th request on, the server sends no response.
// After an interrupt, the command still prints the report. The checks before the load send fewer
// than 60 requests, so the server hangs during the load.
func TestHangingServerDoesNotDelayTheReport(t *testing.T) {
	f := newFakePlatform(t)
	ctx, interrupt := context.WithCancel(t.Context())
	var requests atomic.Int64
	f.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if requests.Add(1) < 60 {
			return false
		}
		interrupt()
		// A server notices that its client is gone only after it has read the request.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return true
	}
	code, r, _ := runJSON(ctx, t, f.token, "--url", f.url, "--duration", "5m", "--rate", "300", "--only", "main")
	require.Equal(t, exitcode.Interrupted, code)
	require.True(t, r.Interrupted)
	require.Less(t, r.Seconds, (load.Timeout / 2).Seconds(), "the command does not wait for responses")
}

func TestPodsAreCountedByService(t *testing.T) {
	three := int32(3)
	c := &cluster{client: fake.NewClientset(
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: scaling.Web().Name}, Spec: appsv1.DeploymentSpec{Replicas: &three}, Status: appsv1.DeploymentStatus{ReadyReplicas: 2}},
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "keda-operator"}, Spec: appsv1.DeploymentSpec{Replicas: &three}},
		&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "keda-hpa"}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: scaling.Web().Name}, MinReplicas: &three, MaxReplicas: 9,
		}},
		&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "other"}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "other"}, MaxReplicas: 7,
		}},
	), namespace: "ns"}
	found, err := c.readReplicas(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]Replicas{"web": {Desired: 3, Ready: 2}}, found)
	bounds, err := c.readBounds(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]Bounds{"web": {3, 9}}, bounds)
}

// TestForbiddenReplicasAreANote: the load runs, and the report has a note about the missing replicas.
func TestForbiddenReplicasAreANote(t *testing.T) {
	f := newFakePlatform(t)
	client := fake.NewClientset()
	client.PrependReactor("list", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(action.GetResource().GroupResource(), "", errors.New("the role has no permission"))
	})
	fl := flags{profile: load.Steady, duration: 200 * time.Millisecond, connections: 10, rate: 50, only: "main", envTOKEN: f.token}
	cfg, err := fl.newConfig(f.url, time.Now())
	require.NoError(t, err)
	loadTest := newTest(cfg)
	loadTest.cluster = &cluster{client: client, namespace: "ns"}
	r, err := loadTest.run(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, r.Load)
	require.Empty(t, r.Replicas)
	require.Equal(t, []string{
		"replicas were not read: deployments.apps is forbidden: the role has no permission",
		"bounds of the autoscalers were not read: horizontalpodautoscalers.autoscaling is forbidden: the role has no permission",
	}, r.Notes)
}

func TestImagesAreReportedIfNoUpdateChangedThem(t *testing.T) {
	before := map[string]string{"web": "r/web@sha256:1"}
	for reason, c := range map[string]struct {
		after map[string]string
		err   error
		want  map[string]string
		note  string
	}{
		"the same":            {map[string]string{"web": "r/web@sha256:1"}, nil, before, ""},
		"an update meanwhile": {map[string]string{"web": "r/web@sha256:2"}, nil, nil, "updated during the test"},
		"no outputs":          {nil, errors.New("no stack"), nil, "no stack"},
	} {
		t.Run(reason, func(t *testing.T) {
			r := &report{}
			r.addImages(t.Context(), before, func(context.Context) (stackoutput.Outputs, error) { return stackoutput.Outputs{Images: c.after}, c.err })
			require.Equal(t, c.want, r.Images)
			require.Contains(t, strings.Join(r.Notes, ""), c.note)
		})
	}
}
