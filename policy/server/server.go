// Package server serves Pulumi's analyzer protocol. Through it the engine applies
// the rules in every preview and up. The package owns the protocol only; package
// evaluate applies the rules.
//
// It does not use the SDK's own server, policyx. With policyx, the whole preview ends
// if a rule reads an unknown value, returns an error or panics.
package server

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/progressive-framework/platform/policy/evaluate"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
	"github.com/progressive-framework/platform/policy/waiver"
)

// Name is the name of the policy pack in the engine's messages.
const Name = "progressive-framework"

// Version is the version of the policy pack in the engine's messages.
const Version = "1.0.0"

// maxMessage is the maximum size of a message, in bytes. It is large, because AnalyzeStack sends
// a whole stack in one message. The engine has the same maximum.
const maxMessage = 400 << 20

// Options are the inputs of the server.
type Options struct {
	Rules []*rule.Rule
	// Now returns the time that decides whether a waiver has expired.
	Now func() time.Time
	// Report is called with the results of a whole stack; it may be nil.
	Report func(stack, environment string, e *evaluate.Evaluator, g *graph.Graph, results []evaluate.Result) error
	// StackConfig returns the configuration of a stack. The server calls it for commands
	// that pass no configuration, such as pulumi policy analyze. It may be nil.
	StackConfig func(stack string) map[string]string
}

// Serve listens on a free port of the loopback interface until ctx ends. It
// announces the port as the first line of out, as the engine expects.
func Serve(ctx context.Context, o Options, out *os.File) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("policy server: %w", err)
	}
	s := newServer(New(o))
	fmt.Fprintf(out, "%d\n", listener.Addr().(*net.TCPAddr).Port)
	stop := context.AfterFunc(ctx, s.Stop)
	defer stop()
	if err := s.Serve(listener); err != nil && ctx.Err() == nil {
		return fmt.Errorf("policy server: %w", err)
	}
	return nil
}

// Analyzer implements the analyzer protocol.
type Analyzer struct {
	pulumirpc.UnimplementedAnalyzerServer
	options Options
	// messages has, for each of options.Rules, the message that the rule does not apply to a
	// resource.
	messages []*pulumirpc.PolicyNotApplicable
	// notApplicable has, by resource type, the messages of the rules that do not check the type.
	notApplicable map[string][]*pulumirpc.PolicyNotApplicable

	mutex       sync.Mutex
	configured  bool
	environment string
	evaluator   *evaluate.Evaluator
	// runLevels are the levels of --policy-pack-config. listedLevels are the levels that
	// GetAnalyzerInfo returned. pulumi policy analyze passes these back, so Configure does not add
	// them to runLevels.
	runLevels, listedLevels map[string]pulumirpc.EnforcementLevel
	// inputs are the properties that Analyze received, by URN. In a preview the
	// properties that AnalyzeStack receives are not complete.
	inputs map[string]value.Node
}

// New returns an analyzer. It uses the levels of prod until it receives a configuration.
func New(o Options) *Analyzer {
	a := &Analyzer{options: o, notApplicable: map[string][]*pulumirpc.PolicyNotApplicable{}, inputs: map[string]value.Node{}}
	for _, r := range o.Rules {
		a.messages = append(a.messages, &pulumirpc.PolicyNotApplicable{PolicyName: r.ID})
	}
	a.setStack("", map[string]string{})
	return a
}

// setStack sets the stack and its configuration for later evaluations.
func (a *Analyzer) setStack(stack string, config map[string]string) {
	a.environment = config[waiver.EnvironmentKey]
	if a.environment == "" {
		a.environment = stack
	}
	a.evaluator = evaluate.New(a.options.Rules, a.environment, config[waiver.Key], a.options.Now())
}

// Handshake does nothing, because the policy pack does not call the engine.
func (a *Analyzer) Handshake(context.Context, *pulumirpc.AnalyzerHandshakeRequest) (*pulumirpc.AnalyzerHandshakeResponse, error) {
	return &pulumirpc.AnalyzerHandshakeResponse{}, nil
}

// ConfigureStack receives the stack's configuration, with its waivers.
func (a *Analyzer) ConfigureStack(_ context.Context, in *pulumirpc.AnalyzerStackConfigureRequest) (*pulumirpc.AnalyzerStackConfigureResponse, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	// pulumi policy analyze passes no configuration.
	if in.GetConfig()[waiver.EnvironmentKey] != "" {
		a.configured = true
		a.setStack(in.GetStack(), in.GetConfig())
	}
	return &pulumirpc.AnalyzerStackConfigureResponse{}, nil
}

// Configure receives the levels of one run.
func (a *Analyzer) Configure(_ context.Context, in *pulumirpc.ConfigureAnalyzerRequest) (*emptypb.Empty, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.runLevels = map[string]pulumirpc.EnforcementLevel{}
	for id, c := range in.GetPolicyConfig() {
		if listedLevel, listed := a.listedLevels[id]; !listed || listedLevel != c.GetEnforcementLevel() {
			a.runLevels[id] = c.GetEnforcementLevel()
		}
	}
	return &emptypb.Empty{}, nil
}

// GetAnalyzerInfo returns the rules with their levels.
func (a *Analyzer) GetAnalyzerInfo(context.Context, *emptypb.Empty) (*pulumirpc.AnalyzerInfo, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	info := &pulumirpc.AnalyzerInfo{
		Name: Name, DisplayName: "Progressive Framework", Version: Version, SupportsConfig: true,
		Description: "The rules of this platform on AWS and Kubernetes; docs/policy.md lists them.",
	}
	a.listedLevels = map[string]pulumirpc.EnforcementLevel{}
	for _, r := range append([]*rule.Rule{evaluate.ConfigRule}, a.options.Rules...) {
		policy := a.policyInfo(r)
		a.listedLevels[r.ID] = policy.GetEnforcementLevel()
		info.Policies = append(info.Policies, policy)
	}
	return info, nil
}

// policyInfo returns the description of a rule for the engine.
func (a *Analyzer) policyInfo(r *rule.Rule) *pulumirpc.PolicyInfo {
	typ := pulumirpc.PolicyType_POLICY_TYPE_RESOURCE
	if r.Check.Cross || r == evaluate.ConfigRule {
		typ = pulumirpc.PolicyType_POLICY_TYPE_STACK
	}
	return &pulumirpc.PolicyInfo{
		Name: r.ID, DisplayName: r.Title, Description: r.Title, Message: r.Why, RemediationSteps: r.Fix,
		Tags: r.Standards, Severity: pulumirpc.PolicySeverity(r.Severity), PolicyType: typ,
		EnforcementLevel: a.enforcementLevel(r, a.evaluator.Level(r)),
	}
}

// Analyze applies the rules that need no other resource, before the resource
// is created or changed.
func (a *Analyzer) Analyze(_ context.Context, in *pulumirpc.AnalyzeRequest) (*pulumirpc.AnalyzeResponse, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.ensureConfigured(in.GetUrn())
	r := graph.New(in.GetUrn())
	r.Inputs = decodeProperties(in.GetProperties())
	r.Parent, r.Protect, r.IgnoreChanges = in.GetOptions().GetParent(), in.GetOptions().GetProtect(), in.GetOptions().GetIgnoreChanges()
	r.Provider = in.GetProvider().GetUrn()
	a.inputs[r.URN] = r.Inputs
	response := a.newResponse(a.evaluator.ApplyToResource(r))
	response.NotApplicable = append(response.NotApplicable, a.notApplicableRules(r.Type)...)
	return response, nil
}

// notApplicableRules returns a message for each rule that does not check a type.
func (a *Analyzer) notApplicableRules(typ string) []*pulumirpc.PolicyNotApplicable {
	list, ok := a.notApplicable[typ]
	if !ok {
		for i, r := range a.options.Rules {
			if !slices.Contains(r.Check.Types, typ) {
				list = append(list, a.messages[i])
			}
		}
		a.notApplicable[typ] = list
	}
	return list
}

// analyzeStack applies the rules that need several resources, after the last resource of a
// preview or up. request is an encoded AnalyzeStackRequest.
func (a *Analyzer) analyzeStack(request []byte) (*pulumirpc.AnalyzeResponse, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	var resources []*graph.Resource
	if err := visitResources(request, func(r *pulumirpc.AnalyzerResource) { resources = append(resources, a.decodeResource(r)) }); err != nil {
		return nil, err
	}
	if len(resources) == 0 {
		return &pulumirpc.AnalyzeResponse{}, nil
	}
	a.ensureConfigured(resources[0].URN)
	g := graph.Build(resources)
	results := a.evaluator.ApplyToStack(g)
	if a.options.Report != nil {
		if err := a.options.Report(graph.StackName(resources[0].URN), a.environment, a.evaluator, g, results); err != nil {
			return nil, err
		}
	}
	var stackResults []evaluate.Result
	for _, r := range results {
		// Analyze has already reported the results of all other rules.
		if r.Rule.Check.Cross || r.Rule == evaluate.ConfigRule {
			stackResults = append(stackResults, r)
		}
	}
	return a.newResponse(stackResults), nil
}

// decodeResource decodes a resource of an AnalyzeStackRequest. The message has only outputs, so the
// inputs are those that Analyze received for the URN. There are two exceptions: a resource that Analyze
// did not receive, and the stack's own resource. Their inputs are their outputs.
func (a *Analyzer) decodeResource(in *pulumirpc.AnalyzerResource) *graph.Resource {
	r := graph.New(in.GetUrn())
	if inputs, ok := a.inputs[r.URN]; ok && r.Type != stackType {
		r.Outputs = decodeProperties(neededOutputs(in.GetProperties(), inputs))
		r.Inputs = value.Overlay(inputs, r.Outputs)
	} else {
		r.Outputs = decodeProperties(in.GetProperties())
		r.Inputs = r.Outputs
	}
	r.Parent, r.Protect, r.IgnoreChanges = in.GetParent(), in.GetOptions().GetProtect(), in.GetOptions().GetIgnoreChanges()
	r.Provider = in.GetProvider().GetUrn()
	r.References = map[string][]string{}
	for name, deps := range in.GetPropertyDependencies() {
		if len(deps.GetUrns()) > 0 {
			r.References[name] = deps.GetUrns()
		}
	}
	return r
}

// ensureConfigured sets the stack that urn names, with the configuration that StackConfig
// returns. It does nothing if the engine has passed a configuration.
func (a *Analyzer) ensureConfigured(urn string) {
	if a.configured {
		return
	}
	a.configured = true
	stack, config := graph.StackName(urn), map[string]string(nil)
	if a.options.StackConfig != nil {
		config = a.options.StackConfig(stack)
	}
	a.setStack(stack, config)
}

// enforcementLevel converts a rule's level to the protocol's form. A level that the engine has set
// for this run takes precedence.
func (a *Analyzer) enforcementLevel(r *rule.Rule, level rule.Level) pulumirpc.EnforcementLevel {
	if runLevel, ok := a.runLevels[r.ID]; ok {
		return runLevel
	}
	switch level {
	case rule.Mandatory:
		return pulumirpc.EnforcementLevel_MANDATORY
	case rule.Advisory:
		return pulumirpc.EnforcementLevel_ADVISORY
	}
	return pulumirpc.EnforcementLevel_DISABLED
}

// newResponse converts violations to diagnostics, and undecided results to rules that are not
// applicable. It leaves out all other results.
func (a *Analyzer) newResponse(results []evaluate.Result) *pulumirpc.AnalyzeResponse {
	response := &pulumirpc.AnalyzeResponse{}
	for _, r := range results {
		level := a.enforcementLevel(r.Rule, r.Level)
		switch {
		case level == pulumirpc.EnforcementLevel_DISABLED: // not reported
		case r.Outcome == evaluate.Undecided:
			response.NotApplicable = append(response.NotApplicable, &pulumirpc.PolicyNotApplicable{PolicyName: r.Rule.ID, Reason: r.Text()})
		case r.Outcome == evaluate.Broken:
			if r.Waiver != nil {
				level = pulumirpc.EnforcementLevel_ADVISORY
			}
			response.Diagnostics = append(response.Diagnostics, &pulumirpc.AnalyzeDiagnostic{
				PolicyName: r.Rule.ID, PolicyPackName: Name, PolicyPackVersion: Version, Urn: r.Resource.URN,
				Description: r.Rule.Title, Message: r.Text(),
				EnforcementLevel: level, Severity: pulumirpc.PolicySeverity(r.Rule.Severity),
			})
		}
	}
	return response
}

// GetPluginInfo returns the version of the policy pack.
func (a *Analyzer) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// Cancel does nothing, because an evaluation takes milliseconds.
func (a *Analyzer) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}
