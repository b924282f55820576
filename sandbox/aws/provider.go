package aws

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/progressive-framework/platform/sandbox/aws/faults"
	"github.com/progressive-framework/platform/sandbox/aws/rules"
	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
	"github.com/progressive-framework/platform/sandbox/languagehost/enginesession"
	"github.com/progressive-framework/platform/sandbox/layout"
)

// announcement is the message that the stand-in logs at every start.
const announcement = "AWS stand-in of the sandbox: nothing is created at AWS"

// provider implements the calls of the Pulumi engine. The engine removes the marks of secret
// values before a call, and adds the marks again to the response. So the provider does not
// handle these marks.
type provider struct {
	pulumirpc.UnimplementedResourceProviderServer

	layout  *layout.Layout
	store   *store.Store
	faults  faults.File
	session *enginesession.Session // nil in tests without an engine
	now     func() time.Time
	exit    func(code int)

	mu    sync.Mutex
	cloud *rules.Cloud // nil until Configure
}

// GetPluginInfo returns the version of the SDK from which package schema was generated.
func (p *provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	version, err := schema.Version()
	return &pulumirpc.PluginInfo{Version: version}, err
}

// CheckConfig returns failures for keys that the stand-in does not accept.
func (p *provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	_, failures, err := parseConfig(wire.Decode(req.GetNews()))
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: encodeFailures(failures)}, nil
}

// DiffConfig compares two configurations of a provider. If the region or the account
// differs, the provider and all its resources are replaced.
func (p *provider) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	oldConfig, oldFailures, err := parseConfig(wire.Decode(req.GetOlds()))
	if err != nil {
		return nil, err
	}
	newConfig, newFailures, err := parseConfig(wire.Decode(req.GetNews()))
	if err != nil {
		return nil, err
	}
	out := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}
	if len(oldFailures) > 0 || len(newFailures) > 0 || fmt.Sprint(oldConfig) != fmt.Sprint(newConfig) {
		out.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	if oldConfig.region != newConfig.region {
		out.Replaces, out.Diffs = append(out.Replaces, "region"), append(out.Diffs, "region")
	}
	if oldConfig.account != newConfig.account {
		out.Replaces, out.Diffs = append(out.Replaces, "allowedAccountIds"), append(out.Diffs, "allowedAccountIds")
	}
	return out, nil
}

// Configure creates the Cloud of the configured account and region, and logs the
// announcement. SANDBOX_RUN_FROM is the network address from which the program connects.
func (p *provider) Configure(ctx context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	props := wire.Decode(req.GetArgs())
	conf, failures, err := parseConfig(props)
	if err != nil {
		return nil, err
	}
	if len(failures) > 0 {
		return nil, status.Error(codes.InvalidArgument, joinFailures(failures).Error())
	}
	client, err := rules.ParseClient(os.Getenv(rules.RunFromVariable))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	p.mu.Lock()
	p.cloud = &rules.Cloud{
		Client: client, Role: conf.role, Layout: p.layout, Store: p.store, Account: conf.account, Region: conf.region, Partition: rules.Partition,
		DefaultTags: conf.defaultTags, Now: p.now,
	}
	p.mu.Unlock()
	p.log(ctx, pulumirpc.LogSeverity_INFO, "", announcement)
	return &pulumirpc.ConfigureResponse{SupportsPreview: true, SupportsAutonamingConfiguration: true}, nil
}

// configuredCloud returns the Cloud that Configure created. It returns an error before
// Configure.
func (p *provider) configuredCloud() (*rules.Cloud, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cloud == nil {
		return nil, status.Error(codes.FailedPrecondition, "the AWS stand-in was not configured")
	}
	return p.cloud, nil
}

// log adds a line to the engine's diagnostics. Without an engine, it does nothing.
func (p *provider) log(ctx context.Context, severity pulumirpc.LogSeverity, urn, message string) {
	if p.session != nil {
		p.session.Log(ctx, urn, severity, message)
	}
}

// Attach connects to an engine. It is called if the engine did not start the plugin itself.
func (p *provider) Attach(_ context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	if p.session == nil {
		return &emptypb.Empty{}, nil
	}
	return &emptypb.Empty{}, statusError(p.session.Dial(req.GetAddress()))
}

// Cancel ends the calls that wait because of a fault or a delay.
func (p *provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	if p.session != nil {
		p.session.Cancel()
	}
	return &emptypb.Empty{}, nil
}

// Invoke calls a Pulumi function.
func (p *provider) Invoke(ctx context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	cloud, err := p.configuredCloud()
	if err != nil {
		return nil, err
	}
	out := &pulumirpc.InvokeResponse{}
	err = p.withFaults(ctx, "invoke", req.GetTok(), "", func() error {
		result, failures, err := cloud.Invoke(ctx, req.GetTok(), wire.Decode(req.GetArgs()))
		if err != nil {
			return err
		}
		out.Failures = encodeFailures(failures)
		out.Return, err = wire.Encode(result)
		return err
	})
	return out, statusError(err)
}

// encodeFailures converts failures to messages of the engine's protocol.
func encodeFailures(list []rules.Failure) []*pulumirpc.CheckFailure {
	out := make([]*pulumirpc.CheckFailure, len(list))
	for i, f := range list {
		// Property is not set, because the engine can't show the value of a nested
		// property. So the path is part of the reason.
		out[i] = &pulumirpc.CheckFailure{Reason: fmt.Sprintf("%s: %s", f.Path, f.Reason)}
	}
	return out
}

// joinFailures returns one error with all failures.
func joinFailures(list []rules.Failure) error {
	var errs []error
	for _, f := range list {
		errs = append(errs, fmt.Errorf("%s: %s", f.Path, f.Reason))
	}
	return errors.Join(errs...)
}

// statusError converts an error to an error with a gRPC status. The engine shows the text of the
// error unchanged. The result is nil for nil.
func statusError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Unknown, err.Error())
}

// encode converts properties to a message of the engine's protocol.
func encode(o rules.Object) (*structpb.Struct, error) {
	s, err := wire.Encode(o)
	if err != nil {
		return nil, fmt.Errorf("AWS stand-in: %w", err)
	}
	return s, nil
}
