package server

import (
	"net"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
	"github.com/progressive-framework/platform/policy/waiver"
)

const (
	unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9" // what Pulumi sends for a text that is not known yet
	urnOne      = "urn:pulumi:staging::p::t:t:T::one"
	urnTwo      = "urn:pulumi:staging::p::t:t:T::two"
)

// testRules returns three rules: one that reads only the resource, one that reads several
// resources, and one that panics.
func testRules() []*rule.Rule {
	across := rule.AcrossTypes(func(s *rule.Subject) {
		if s.Name == "two" {
			s.Must(s.Graph.Refs(s.Resource, "target", "t:t:T").Exists(), "it refers to nothing")
		}
	}, "t:t:T")
	return []*rule.Rule{
		{ID: "local", Title: "a is x", Fix: "set a", Levels: rule.ProdOnly, Severity: rule.High, Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(value.As[value.String](s.View().Get("a")).Is("x"), "a is not x")
		}, "t:t:T")},
		{ID: "cross", Title: "two refers to one", Fix: "set target", Levels: rule.Everywhere, Check: across},
		{ID: "panics", Title: "panics", Fix: "none", Levels: rule.Everywhere, Check: rule.OnTypes(func(*rule.Subject) { panic("boom") }, "t:t:Panics")},
	}
}

// serveAndDial starts the server on loopback and connects to it, as the engine does.
func serveAndDial(t *testing.T, o Options) pulumirpc.AnalyzerClient {
	t.Helper()
	o.Now = func() time.Time { return time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC) }
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := newServer(New(o))
	go s.Serve(listener)
	t.Cleanup(s.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return pulumirpc.NewAnalyzerClient(conn)
}

func newProperties(t *testing.T, p map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(p)
	require.NoError(t, err)
	return s
}

func TestAnalyzeReportsViolationsUnknownValuesAndPanics(t *testing.T) {
	c := serveAndDial(t, Options{Rules: testRules()})
	analyze := func(urn string, p map[string]any) *pulumirpc.AnalyzeResponse {
		r := graph.New(urn)
		response, err := c.Analyze(t.Context(), &pulumirpc.AnalyzeRequest{Type: r.Type, Urn: urn, Name: r.Name, Properties: newProperties(t, p)})
		require.NoError(t, err)
		return response
	}
	_, err := c.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{Stack: "s", Config: map[string]string{waiver.EnvironmentKey: "prod"}})
	require.NoError(t, err)

	response := analyze(urnOne, map[string]any{"a": "y"})
	require.Len(t, response.GetDiagnostics(), 1)
	d := response.GetDiagnostics()[0]
	require.Equal(t, "local", d.GetPolicyName())
	require.Equal(t, pulumirpc.EnforcementLevel_MANDATORY, d.GetEnforcementLevel())
	require.Equal(t, pulumirpc.PolicySeverity_POLICY_SEVERITY_HIGH, d.GetSeverity())
	require.Equal(t, "a is not x. Fix: set a.", d.GetMessage())

	require.Empty(t, analyze(urnOne, map[string]any{"a": "x"}).GetDiagnostics())
	unknown := analyze(urnOne, map[string]any{"a": unknownText})
	require.Empty(t, unknown.GetDiagnostics(), "an unknown value is not a violation")
	require.Equal(t, "local", unknown.GetNotApplicable()[0].GetPolicyName(), "the rule is not decided")
	require.Contains(t, unknown.GetNotApplicable()[0].GetReason(), "not known yet")

	panicked := analyze("urn:pulumi:s::p::t:t:Panics::x", nil)
	require.Len(t, panicked.GetDiagnostics(), 1)
	require.Contains(t, panicked.GetDiagnostics()[0].GetMessage(), "the rule itself failed: boom")
}

// At the end of a preview the engine passes no inputs. The server uses the inputs that
// Analyze received, and the references of the request.
func TestAnalyzeStackRemembersInputs(t *testing.T) {
	c := serveAndDial(t, Options{Rules: testRules()})
	_, err := c.Analyze(t.Context(), &pulumirpc.AnalyzeRequest{Type: "t:t:T", Urn: urnTwo, Name: "two", Properties: newProperties(t, map[string]any{"a": "x", "target": unknownText})})
	require.NoError(t, err)
	newRequest := func(deps map[string]*pulumirpc.AnalyzerPropertyDependencies) *pulumirpc.AnalyzeStackRequest {
		return &pulumirpc.AnalyzeStackRequest{Resources: []*pulumirpc.AnalyzerResource{
			{Urn: urnOne, Type: "t:t:T", Name: "one"}, {Urn: urnTwo, Type: "t:t:T", Name: "two", PropertyDependencies: deps},
		}}
	}
	response, err := c.AnalyzeStack(t.Context(), newRequest(map[string]*pulumirpc.AnalyzerPropertyDependencies{"target": {Urns: []string{urnOne}}}))
	require.NoError(t, err)
	require.Empty(t, response.GetDiagnostics())
	require.Empty(t, response.GetNotApplicable())

	response, err = c.AnalyzeStack(t.Context(), newRequest(nil))
	require.NoError(t, err)
	require.Empty(t, response.GetDiagnostics())
	require.Len(t, response.GetNotApplicable(), 1, "the unknown value may be a reference")

	// Without the unknown value the rule is broken.
	_, err = c.Analyze(t.Context(), &pulumirpc.AnalyzeRequest{Type: "t:t:T", Urn: urnTwo, Name: "two", Properties: newProperties(t, map[string]any{"a": "x"})})
	require.NoError(t, err)
	response, err = c.AnalyzeStack(t.Context(), newRequest(nil))
	require.NoError(t, err)
	require.Len(t, response.GetDiagnostics(), 1)
	require.Equal(t, urnTwo, response.GetDiagnostics()[0].GetUrn())
}

// pulumi policy analyze passes no configuration. Its stack name includes the organization and the
// project.
func TestStackConfigIsReadIfTheEnginePassesNone(t *testing.T) {
	requested := ""
	c := serveAndDial(t, Options{Rules: testRules(), StackConfig: func(stack string) map[string]string {
		requested = stack
		return map[string]string{waiver.EnvironmentKey: stack}
	}})
	info, err := c.GetAnalyzerInfo(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	// pulumi policy analyze passes back these levels. They are those of prod, because the
	// environment is not known yet. They must not replace the levels of staging.
	levels := map[string]*pulumirpc.PolicyConfig{}
	for _, p := range info.GetPolicies() {
		levels[p.GetName()] = &pulumirpc.PolicyConfig{EnforcementLevel: p.GetEnforcementLevel()}
	}
	_, err = c.Configure(t.Context(), &pulumirpc.ConfigureAnalyzerRequest{PolicyConfig: levels})
	require.NoError(t, err)
	_, err = c.ConfigureStack(t.Context(), &pulumirpc.AnalyzerStackConfigureRequest{Stack: "organization/project/staging"})
	require.NoError(t, err)
	response, err := c.Analyze(t.Context(), &pulumirpc.AnalyzeRequest{Type: "t:t:T", Urn: urnOne, Name: "one", Properties: newProperties(t, map[string]any{"a": "y"})})
	require.NoError(t, err)
	require.Equal(t, "staging", requested)
	require.Equal(t, pulumirpc.EnforcementLevel_ADVISORY, response.GetDiagnostics()[0].GetEnforcementLevel(), "the rule is mandatory in prod only")
}

func TestConfigureDisablesARuleForOneRun(t *testing.T) {
	c := serveAndDial(t, Options{Rules: testRules()})
	_, err := c.Configure(t.Context(), &pulumirpc.ConfigureAnalyzerRequest{PolicyConfig: map[string]*pulumirpc.PolicyConfig{
		"local": {EnforcementLevel: pulumirpc.EnforcementLevel_DISABLED},
	}})
	require.NoError(t, err)
	response, err := c.Analyze(t.Context(), &pulumirpc.AnalyzeRequest{Type: "t:t:T", Urn: urnOne, Name: "one", Properties: newProperties(t, map[string]any{"a": "y"})})
	require.NoError(t, err)
	require.Empty(t, response.GetDiagnostics())
	info, err := c.GetAnalyzerInfo(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	require.Len(t, info.GetPolicies(), 4, "three test rules and ConfigRule")
}

// A message that is cut off or not valid causes an error and no panic.
func TestBrokenStackRequestIsRefused(t *testing.T) {
	whole, err := proto.Marshal(&pulumirpc.AnalyzeStackRequest{Resources: []*pulumirpc.AnalyzerResource{{Urn: urnOne, Type: "t:t:T", Name: "one"}}})
	require.NoError(t, err)
	visited := 0
	require.NoError(t, visitResources(whole, func(r *pulumirpc.AnalyzerResource) {
		require.Equal(t, urnOne, r.GetUrn())
		visited++
	}))
	require.Equal(t, 1, visited)
	for length := 1; length < len(whole); length++ {
		require.Error(t, visitResources(whole[:length], func(*pulumirpc.AnalyzerResource) {}), length)
	}
	broken := protowire.AppendBytes(protowire.AppendTag(nil, resourcesField, protowire.BytesType), []byte{0xff})
	require.Error(t, visitResources(broken, func(*pulumirpc.AnalyzerResource) {}))
	unknownField := protowire.AppendVarint(protowire.AppendTag(nil, 9, protowire.VarintType), 1)
	require.NoError(t, visitResources(append(unknownField, whole...), func(*pulumirpc.AnalyzerResource) { visited++ }), "an unknown field, which a later SDK may add, is ignored")
	require.Equal(t, 2, visited)
}

func TestRemediateChangesNothing(t *testing.T) {
	response, err := serveAndDial(t, Options{Rules: testRules()}).Remediate(t.Context(), &pulumirpc.AnalyzeRequest{Urn: urnOne, Properties: newProperties(t, map[string]any{"a": "y"})})
	require.NoError(t, err)
	require.Empty(t, response.GetRemediations())
}

func TestSecretsAndOutputsAreDecoded(t *testing.T) {
	const sig = "4dabf18193072939515e22adb298388d"
	n := decodeProperties(newProperties(t, map[string]any{
		"secret":  map[string]any{sig: "1b47061264138c4ac30d75fd1eb44270", "value": "s"},
		"output":  map[string]any{sig: "d0e6a833031e9bbcd3f4e8bde6ca49a4"},
		"known":   map[string]any{sig: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "value": "k", "secret": true},
		"unknown": []any{unknownText},
	}))
	require.True(t, n.Get("secret").IsSecret())
	require.Equal(t, value.True, value.As[value.String](n.Get("secret")).Is("s"))
	require.False(t, n.Get("output").Known())
	require.True(t, n.Get("known").IsSecret())
	require.Equal(t, value.True, value.As[value.String](n.Get("known")).Is("k"))
	require.False(t, n.Get("unknown").Known())
}
