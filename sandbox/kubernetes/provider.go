// Package kubernetes is the stand-in for pulumi-resource-kubernetes, the
// provider behind github.com/pulumi/pulumi-kubernetes/sdk/v4: server-side apply
// of API objects through client-go against a real API server.
//
// It owns the life of API objects: checking, naming, comparing, applying,
// waiting until they are ready, reading and deleting them. It does not own
// Helm, YAML files, Kustomize, Patch and List resources: each is refused by
// name. README.md says what it knows and how it differs from the real provider.
package kubernetes

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/progressive-framework/platform/sandbox/languagehost/engine"
)

// Serve does what the executable pulumi-resource-kubernetes does: it listens on
// a free port of 127.0.0.1, writes the port and a newline to stdout, and serves
// the engine until ctx ends or the engine is gone. The caller cancels ctx on
// SIGINT, which is how the engine ends its plugins.
func Serve(ctx context.Context, stdout io.Writer) error {
	return engine.Serve(ctx, stdout, func(server *grpc.Server, session *engine.Session) error {
		pulumirpc.RegisterResourceProviderServer(server, newProvider(session))
		return nil
	})
}

// provider is the ResourceProvider service of one pulumi:providers:kubernetes.
type provider struct {
	pulumirpc.UnimplementedResourceProviderServer

	session *engine.Session

	mu      sync.Mutex
	config  config
	cluster *cluster // nil until Configure
	// standing holds, by URN, the identity of each object that the engine's
	// state has: an object of that name is no lost creation (see create).
	standing map[string]string
}

func newProvider(session *engine.Session) *provider {
	return &provider{session: session, standing: map[string]string{}}
}

// Handshake takes the engine's address and says what the provider can.
func (p *provider) Handshake(_ context.Context, req *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	if req.GetEngineAddress() != "" {
		if err := p.session.Meet(req.GetEngineAddress()); err != nil {
			return nil, fmt.Errorf("handshake: %w", err)
		}
	}
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true, SupportsAutonamingConfiguration: true}, nil
}

// GetPluginInfo names the provider whose place this one takes.
func (p *provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: pluginVersion}, nil
}

// Attach takes the engine's address where the plugin was started by hand.
func (p *provider) Attach(_ context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, p.session.Meet(req.GetAddress())
}

// Cancel ends what runs. Objects that are waited for are kept in the state as
// not initialized, so that the next update waits for them again.
func (p *provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	p.session.Cancel()
	return &emptypb.Empty{}, nil
}

// CheckConfig validates the provider's settings.
func (p *provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	inputs, _, err := decode(req.GetNews())
	if err != nil {
		return nil, badRequest(err)
	}
	_, wrong := parseConfig(inputs)
	res := &pulumirpc.CheckResponse{Inputs: req.GetNews()}
	for _, w := range wrong {
		res.Failures = append(res.Failures, &pulumirpc.CheckFailure{Property: w.Property, Reason: w.Property + " " + w.Reason})
	}
	return res, nil
}

// DiffConfig says whether a change of the provider's settings leads to another
// cluster, in which case everything in it is created anew.
func (p *provider) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	before, _, err := decode(req.GetOldInputs())
	if err != nil {
		return nil, badRequest(err)
	}
	after, _, err := decode(req.GetNews())
	if err != nil {
		return nil, badRequest(err)
	}
	changes := compare(before, after)
	if len(changes) == 0 {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	res := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_SOME}
	for _, c := range changes {
		if top := c.path[:1].String(); !slices.Contains(res.Diffs, top) {
			res.Diffs = append(res.Diffs, top)
		}
	}
	from, _ := parseConfig(before)
	to, _ := parseConfig(after)
	// A kubeconfig that a preview does not know yet may lead anywhere.
	if !hasUnknown(after) {
		if by := replaces(from, to); by != "" {
			res.Replaces = []string{by}
			if !slices.Contains(res.Diffs, by) {
				res.Diffs = append(res.Diffs, by)
			}
		}
	}
	return res, nil
}

// Configure takes the provider's settings. It asks the API server nothing.
func (p *provider) Configure(_ context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	inputs, _, err := decode(req.GetArgs())
	if err != nil {
		return nil, badRequest(err)
	}
	c, wrong := parseConfig(inputs)
	if len(wrong) > 0 {
		return nil, status.Errorf(codes.InvalidArgument, "provider kubernetes: %s %s", wrong[0].Property, wrong[0].Reason)
	}
	warn := p.warn
	if c.QuietDeprecations {
		warn = nil
	}
	cl, err := newCluster(c, warn)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "provider kubernetes: %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.config, p.cluster = c, cl
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true, SupportsAutonamingConfiguration: true}, nil
}

func (p *provider) warn(ctx context.Context, message string) {
	p.session.Log(ctx, urnOf(ctx), pulumirpc.LogSeverity_WARNING, message)
}

// configured returns the settings and the cluster.
func (p *provider) configured() (config, *cluster, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cluster == nil {
		return config{}, nil, status.Error(codes.FailedPrecondition, "provider kubernetes: Configure has not been called")
	}
	return p.config, p.cluster, nil
}

func (p *provider) stands(urn, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.standing[urn] = id
}

func (p *provider) standingID(urn string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.standing[urn]
}

// Invoke refuses every function: those of the SDK render YAML, Helm charts and
// Kustomize directories.
func (p *provider) Invoke(_ context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	return nil, lacks("the function " + req.GetTok())
}

// Call refuses every method.
func (p *provider) Call(_ context.Context, req *pulumirpc.CallRequest) (*pulumirpc.CallResponse, error) {
	return nil, lacks("the method " + req.GetTok())
}

// Construct refuses every component.
func (p *provider) Construct(_ context.Context, req *pulumirpc.ConstructRequest) (*pulumirpc.ConstructResponse, error) {
	return nil, lacks("the component " + req.GetType())
}

// GetSchema has nothing to give: the schema is that of the SDK, 20 MB of it.
func (p *provider) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return nil, lacks("the package's schema")
}

func lacks(what string) error {
	return status.Errorf(codes.Unimplemented, "%s is not in the stand-in for the Kubernetes provider: %s", what, realPlugin)
}

func badRequest(err error) error { return status.Error(codes.InvalidArgument, err.Error()) }

type urnKey struct{}

func withURN(ctx context.Context, urn string) context.Context {
	return context.WithValue(ctx, urnKey{}, urn)
}

func urnOf(ctx context.Context) string {
	urn, _ := ctx.Value(urnKey{}).(string)
	return urn
}

// sortedKeys are m's keys in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
