package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/ruleset"
	"github.com/progressive-framework/platform/policy/waiver"
)

// serveVariable is an environment variable. If it is set, the test executable serves the
// policy pack and runs no tests.
const serveVariable = "POLICY_SERVED_BY_TEST"

// TestMain runs the tests. In a process that startPack has started, it serves the policy
// pack instead.
func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" {
		if err := Serve(context.Background(), Options{Rules: ruleset.All(), Now: time.Now}, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// pack is a running process that serves a policy pack, with a connection to it.
type pack struct {
	pulumirpc.AnalyzerClient
	cmd *exec.Cmd
}

// startPack starts the test executable a second time, as a policy pack, and connects to it.
func startPack(t testing.TB) *pack {
	t.Helper()
	return startAndConnect(t, exec.CommandContext(t.Context(), os.Args[0]), serveVariable+"=1")
}

// startAndConnect starts cmd, which serves a policy pack, and connects to it. variables are
// additional environment variables.
func startAndConnect(t testing.TB, cmd *exec.Cmd, variables ...string) *pack {
	t.Helper()
	cmd.Env = append(os.Environ(), variables...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var messages bytes.Buffer
	cmd.Stderr = &messages
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "the first line is the port")
	conn, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(line), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		conn.Close()
		cmd.Process.Kill()
		cmd.Wait()
		require.Empty(t, messages.String(), "the engine prints the pack's standard error to the user")
	})
	return &pack{pulumirpc.NewAnalyzerClient(conn), cmd}
}

// readRecording returns the resources of prod's recorded preview. The list has
// the given number of copies of each resource. From the second copy on, the resources have other
// names.
func readRecording(t testing.TB, copies int) []*pulumirpc.AnalyzerResource {
	t.Helper()
	f, err := os.Open("../testdata/prod.jsonl")
	require.NoError(t, err)
	defer f.Close()
	raw, err := io.ReadAll(f)
	require.NoError(t, err)
	var resources []*pulumirpc.AnalyzerResource
	for n := range copies {
		for line := range bytes.Lines(raw) {
			var recorded struct {
				URN                  string
				Inputs               map[string]any
				PropertyDependencies map[string][]string
			}
			text := line
			if n > 0 {
				text = bytes.ReplaceAll(line, []byte("progressive-framework-prod"), fmt.Appendf(nil, "copy-%d", n))
			}
			require.NoError(t, json.Unmarshal(text, &recorded))
			properties, err := structpb.NewStruct(recorded.Inputs)
			require.NoError(t, err)
			r := graph.New(recorded.URN)
			resource := &pulumirpc.AnalyzerResource{Urn: r.URN, Type: r.Type, Name: r.Name, Properties: properties, PropertyDependencies: map[string]*pulumirpc.AnalyzerPropertyDependencies{}}
			for name, urns := range recorded.PropertyDependencies {
				resource.PropertyDependencies[name] = &pulumirpc.AnalyzerPropertyDependencies{Urns: urns}
			}
			resources = append(resources, resource)
		}
	}
	return resources
}

// replay makes the calls that the engine makes in a preview. It returns the numbers of diagnostics
// and of rules that were not applicable at the end.
func (p *pack) replay(t testing.TB, resources []*pulumirpc.AnalyzerResource) (diagnostics, notApplicable int) {
	t.Helper()
	_, err := p.Handshake(t.Context(), &pulumirpc.AnalyzerHandshakeRequest{})
	require.NoError(t, err)
	_, err = p.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{Stack: "prod", DryRun: true})
	require.NoError(t, err)
	_, err = p.GetAnalyzerInfo(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	for _, r := range resources {
		in := &pulumirpc.AnalyzeRequest{Urn: r.GetUrn(), Type: r.GetType(), Name: r.GetName(), Properties: r.GetProperties()}
		_, err := p.Remediate(t.Context(), in)
		require.NoError(t, err)
		response, err := p.Analyze(t.Context(), in)
		require.NoError(t, err)
		diagnostics += len(response.GetDiagnostics())
	}
	response, err := p.AnalyzeStack(t.Context(), &pulumirpc.AnalyzeStackRequest{Resources: resources}, grpc.MaxCallSendMsgSize(maxMessage))
	require.NoError(t, err)
	_, err = p.Cancel(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	return diagnostics + len(response.GetDiagnostics()), len(response.GetNotApplicable())
}

func TestReplayOfProdFindsItsWaivedViolations(t *testing.T) {
	diagnostics, _ := startPack(t).replay(t, readRecording(t, 1))
	require.Greater(t, diagnostics, 10, "prod waives its violations, but this test passes no waiver")
}

// The engine passes the budget in the stack's configuration. The rule estimates the cost of a
// preview in which no resource exists yet.
func TestBudgetIsCheckedInAPreview(t *testing.T) {
	resources := readRecording(t, 1)
	for budget, broken := range map[string]bool{"1000": true, "1000000": false} {
		p := startPack(t)
		_, err := p.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{Stack: "prod", DryRun: true, Config: map[string]string{
			waiver.EnvironmentKey: "prod", waiver.Key: `{"cost":{"monthlyBudget":` + budget + `}}`,
		}})
		require.NoError(t, err)
		for _, r := range resources {
			_, err := p.Analyze(t.Context(), &pulumirpc.AnalyzeRequest{Urn: r.GetUrn(), Type: r.GetType(), Name: r.GetName(), Properties: r.GetProperties()})
			require.NoError(t, err)
		}
		response, err := p.AnalyzeStack(t.Context(), &pulumirpc.AnalyzeStackRequest{Resources: resources}, grpc.MaxCallSendMsgSize(maxMessage))
		require.NoError(t, err)
		message := ""
		for _, d := range response.GetDiagnostics() {
			if d.GetPolicyName() == "cost-within-budget" {
				message = d.GetMessage()
			}
		}
		if !broken {
			require.Empty(t, message, budget)
			continue
		}
		require.Contains(t, message, "a month, with 0 items not known yet and 3 without a price; the budget is $1,000.00")
	}
}
