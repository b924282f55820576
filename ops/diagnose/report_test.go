package diagnose

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubefake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// newFixedReport returns a report with an item of every kind.
func newFixedReport() *report {
	return newReport("https://example.com", now, Checks, results{
		[]Finding{
			{Database, "slow-query", "postgres statement 42", "a mean of 250 ms over 400 calls: SELECT a FROM t WHERE b < $1", "100ms", "an index is missing", "see index-missing", "kubectl exec", ""},
			{Resources, "pod-crash-loop", "pod/mca-0/mca", "7 restarts; it said: <script>alert(1)</script>", "", "the program ends at its start", "read its log", "kubectl logs", ""},
		},
		[]Figure{{Cache, "profile in redis", "93 % of 40000 reads in the last 10m0s found a value, 0 commands failed"}, {App, "/health", "status 200, 1.2 ms"}},
	}, []Missing{{Scaling, "VerticalPodAutoscalers", "no permission: forbidden"}}, []Absent{{Database, "MongoDB", "the stack has no document store"}})
}

// TestReportsMatchTheirGoldens compares with golden files. With UPDATE_GOLDENS=1 it writes the files.
func TestReportsMatchTheirGoldens(t *testing.T) {
	r := newFixedReport()
	page := filepath.Join(t.TempDir(), "page.html")
	for _, row := range []struct {
		file string
		json bool
	}{{"report.txt", false}, {"report.json", true}, {"report.html", false}} {
		t.Run(row.file, func(t *testing.T) {
			var out bytes.Buffer
			require.Error(t, r.write(&out, row.json, page))
			if row.file == "report.html" {
				content, err := os.ReadFile(page)
				require.NoError(t, err)
				out = *bytes.NewBuffer(content)
				require.NotContains(t, out.String(), "<script")
				require.NotRegexp(t, `src=|<link|@import|url\(`, out.String(), "the page needs no other file")
			}
			golden := filepath.Join("testdata", row.file)
			if os.Getenv("UPDATE_GOLDENS") != "" {
				require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), out.String())
		})
	}
}

func TestUnwritablePageIsAnError(t *testing.T) {
	code, _ := exitcode.FromError(newFixedReport().write(io.Discard, false, filepath.Join(t.TempDir(), "no", "page.html")))
	require.Equal(t, exitcode.Incomplete, code)
}

// TestUnreadableStacksAreErrors: each error names what is missing, and nothing is sent.
func TestUnreadableStacksAreErrors(t *testing.T) {
	for _, row := range []struct {
		reason  string
		stack   stackoutput.Outputs
		err     error
		args    []string
		code    int
		message string
	}{
		{"no stack", stackoutput.Outputs{}, stackoutput.ErrNoOutputs, nil, exitcode.Incomplete, "run pulumi up first"},
		{"a url without a host", stackoutput.Outputs{URL: "x"}, nil, nil, exitcode.Incomplete, `the stack's output url is "x"`},
		{"no cluster", stackoutput.Outputs{URL: "http://127.0.0.1:1"}, nil, nil, exitcode.Incomplete, "no output namespace or kubeconfig"},
		{"an invalid kubeconfig", stackoutput.Outputs{URL: "http://127.0.0.1:1", Namespace: "n", Kubeconfig: []byte(`"{"`)}, nil, nil, exitcode.Incomplete, "kubeconfig of the stack"},
		{"an unknown check", stackoutput.Outputs{}, nil, []string{"disk"}, exitcode.Usage, `invalid argument "disk"`},
		{"a token file that is not there", stackoutput.Outputs{}, nil, []string{"--token-file", "/nonexistent"}, exitcode.Usage, "/nonexistent"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			c := Command(func(context.Context) (stackoutput.Outputs, error) { return row.stack, row.err },
				func(context.Context, stackoutput.Outputs) (Cloud, []Missing, []Absent) { panic("AWS was called") })
			c.SilenceErrors, c.SilenceUsage = true, true
			c.SetArgs(append([]string{}, row.args...))
			c.SetOut(io.Discard)
			err := c.ExecuteContext(t.Context())
			code, _ := exitcode.FromError(err)
			require.Equal(t, row.code, code)
			require.ErrorContains(t, err, row.message)
		})
	}
}

// TestClusterThatIsDownIsReported: every list that could not be read is in the report.
func TestClusterThatIsDownIsReported(t *testing.T) {
	kubeconfig := `{"apiVersion":"v1","kind":"Config","current-context":"c","clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:1"}}],"contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],"users":[{"name":"u","user":{}}]}`
	p, err := newPlatform(stackoutput.Outputs{URL: "http://127.0.0.1:1", Namespace: "n", Kubeconfig: []byte(kubeconfig)}, "", func(context.Context, stackoutput.Outputs) (Cloud, []Missing, []Absent) {
		return Cloud{}, nil, []Absent{{Scaling, "AWS", "not on AWS"}}
	})
	require.NoError(t, err)
	var out bytes.Buffer
	err = p.diagnose(t.Context(), []Check{Resources, Scaling, Database}, time.Now()).write(&out, false, "")
	code, _ := exitcode.FromError(err)
	require.Equal(t, exitcode.Incomplete, code)
	for _, part := range []string{"pods", "nodes", "Deployments", "StatefulSets", "HorizontalPodAutoscalers", "PodDisruptionBudgets", "VerticalPodAutoscalers", "status of Cluster Autoscaler"} {
		require.Contains(t, out.String(), part+": not readable: ")
	}
}

// TestFailedCoordinationsHaveTheirRequest: users and the texts of errors are not in the report.
func TestFailedCoordinationsHaveTheirRequest(t *testing.T) {
	list := parseCoordinationFailures("mca-0", `{"time":"2026-01-31T11:59:00Z","msg":"an agent failed","agent":"wpa","reason":"timeout","user":"u-1","error":"secret","request_id":"r-1"}
{"msg":"request"}
not JSON
{"time":"2026-01-31T11:58:00Z","msg":"coordination failed","request_id":"r-2"}
`)
	require.Len(t, list, 2)
	o := objects{failures: list}
	require.Equal(t, "; the last requests: r-1, r-2", o.describeFailedRequests("mca-0"))
	require.Empty(t, o.describeFailedRequests("mca-1"))
	require.Equal(t, "an agent failed at 2026-01-31T11:59:00Z, pod/mca-0: wpa timeout", list[0].String())
}

// TestLogsAboveTheBoundAreReported: pods and containers beyond the bound are named as not read.
func TestLogsAboveTheBoundAreReported(t *testing.T) {
	f := newHealthyFixture()
	o := objects{now: now, namespace: namespace}
	end := &corev1.ContainerStateTerminated{ExitCode: 1, FinishedAt: metav1.NewTime(now.Add(-time.Minute))}
	for i := range maxLogs + 2 {
		pod := *f.pods["mca"].DeepCopy()
		pod.Name = fmt.Sprintf("mca-%d", i)
		pod.Status.ContainerStatuses[0].LastTerminationState.Terminated = end
		done := corev1.ContainerStatus{Name: "init", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: end.FinishedAt}}}
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{done}
		o.pods = append(o.pods, pod)
	}
	client := kubefake.NewClientset()
	require.Equal(t, []Missing{
		{Agents, "logs of 2 more pods of mca", "at most 25 logs are read, so their failed coordinations are not listed"},
		{Resources, "last log lines of 2 more containers", "at most 25 logs are read"},
	}, o.readLogs(t.Context(), client))
	require.Len(t, client.Actions(), 2*maxLogs)
	for _, action := range client.Actions() {
		options := action.(clienttesting.GenericAction).GetValue().(*corev1.PodLogOptions)
		require.Equal(t, options.Container == "app", options.Previous, "of a running container, the log before its restart is read")
	}
}

// TestDocumentStoreThatNothingReadsIsAbsent: package cloudview reads DocumentDB. Nothing reads
// another MongoDB.
func TestDocumentStoreThatNothingReadsIsAbsent(t *testing.T) {
	for host, want := range map[string][]Absent{
		"": {{Database, "MongoDB", "the stack has no document store"}},
		"prod-mongo.cluster-abc.us-east-1.docdb.amazonaws.com":     nil,
		"prod-mongo.cluster-abc.cn-north-1.docdb.amazonaws.com.cn": nil,
		"mongo.example.com":               {{Database, "MongoDB", "a MongoDB of your own: nothing reads it"}},
		"docdb.amazonaws.com.example.com": {{Database, "MongoDB", "a MongoDB of your own: nothing reads it"}},
	} {
		require.Equal(t, want, absentStores(stackoutput.Outputs{Mongo: stackoutput.Store{Host: host}}, objects{}), host)
	}
}

// TestAgentFiguresHaveTheQueueAndTheRequests: the figures have the queue of each pod of mca, and
// its requests to each agent.
func TestAgentFiguresHaveTheQueueAndTheRequests(t *testing.T) {
	f := newHealthyFixture()
	replaceMetric("mca-0", `breaker_state{agent="mca",upstream="wpa"} 0`, `breaker_state{agent="mca",upstream="wpa"} 1`)(f)
	r, _ := f.diagnose(t, []Check{Agents})
	require.Empty(t, r.Findings)
	require.Equal(t, []Figure{
		{Agents, "pod/mca-0 queue", "3 of 100 coordinations wait"},
		{Agents, "pod/mca-0 to wpa", "1002 requests in the last 10m0s, mean 40 ms, 2 failed, 40 sent twice, breaker half-open"},
	}, r.Figures)
}

// TestDrainsNameTheOtherNodes: the figure of a drain has the nodes to which the pods may move. A node
// that Cluster Autoscaler may remove later still takes pods.
func TestDrainsNameTheOtherNodes(t *testing.T) {
	o := objects{namespace: namespace}
	for _, name := range []string{"node-1", "node-3", "node-2"} {
		node := *newHealthyFixture().node.DeepCopy()
		node.Name, node.Spec.Unschedulable = name, name == "node-1"
		if name == "node-2" {
			node.Spec.Taints = []corev1.Taint{{Key: "DeletionCandidateOfClusterAutoscaler", Effect: corev1.TaintEffectPreferNoSchedule}}
		}
		o.nodes = append(o.nodes, node)
	}
	o.pods = []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "mca-0"}, Spec: corev1.PodSpec{NodeName: "node-1"}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}}
	list, figures := nodeGroupFindings(o)
	require.Empty(t, list)
	require.Equal(t, []Figure{
		{Scaling, "nodes of tier application", "3, of which 1 drain"},
		{Scaling, "drain of node/node-1", "1 pods move to the other nodes of the tier (node-2, node-3): mca-0"},
	}, figures)
}

// TestNextCommandsQuoteTheirSQL runs the command with a kubectl and a psql that print their
// arguments.
func TestNextCommandsQuoteTheirSQL(t *testing.T) {
	const statement = `SELECT $$it's "$HOME"$$`
	inCluster := objects{namespace: "n", pods: []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "postgres-0", Labels: map[string]string{"app": postgresApp}}}}}
	for want, o := range map[string]objects{
		"-n\nn\nexec\npostgres-0\n--\nsh\n-c\npsql -h \"$SOCKETS\" -U \"$OWNER\" -d \"$DATABASE\" -xc \"$1\"\nsh\n" + statement + "\n":                inCluster,
		"host=db.example.com dbname=progressive_framework_v5 user=platform sslmode=verify-full sslrootcert=/tmp/ca.pem\n-W\n-xc\n" + statement + "\n": {databaseHost: "db.example.com"},
	} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", `kubectl() { printf '%s\n' "$@"; }; psql() { printf '%s\n' "$@"; }; `+o.psqlCommand(statement)).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Equal(t, want, string(out))
	}
}

// TestCountersHaveTheirGrowthInTheWindow: a counter of a restarted pod begins at zero.
func TestCountersHaveTheirGrowthInTheWindow(t *testing.T) {
	list, err := parseMetrics([]byte("# TYPE a_total counter\na_total{x=\"1\"} 70\na_total{x=\"2\"} 5\n# TYPE b gauge\nb 9\n"))
	require.NoError(t, err)
	f := newHealthyFixture()
	f.oldCounters = vectorResponse(
		`{"metric":{"__name__":"a_total","x":"1","pod":"p","job":"j","instance":"i","namespace":"n"},"value":[1,"60"]}`,
		`{"metric":{"__name__":"a_total","x":"2","pod":"p"},"value":[1,"50"]}`,
		`{"metric":{"__name__":"b","pod":"p"},"value":[1,"4"]}`)
	p, _ := f.startPlatform(t)
	old, err := readOldValues(t.Context(), p.clients.Prometheus(namespace), namespace)
	require.NoError(t, err)
	list.subtractOldValues(old["p"])
	require.Equal(t, map[string]float64{"1": 10, "2": 5}, list.sumBy("a_total", "x"))
	value, exists := list.value("b")
	require.True(t, exists)
	require.EqualValues(t, 9, value)
}
