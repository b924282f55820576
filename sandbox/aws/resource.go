package aws

import (
	"context"
	"errors"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/progressive-framework/platform/sandbox/aws/rules"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// resourceRequest is the part of a request that identifies the resource.
type resourceRequest interface {
	GetUrn() string
	GetType() string
	GetName() string
}

// resourceType returns the type of the resource, or "" if the URN is not valid. Engines before
// 3.130 send only the URN.
func resourceType(req resourceRequest) string {
	if t := req.GetType(); t != "" {
		return t
	}
	parts := strings.Split(req.GetUrn(), "::") // urn:pulumi:STACK::PROJECT::PARENTTYPE$TYPE::NAME
	if len(parts) < 3 {
		return ""
	}
	return parts[2][strings.LastIndex(parts[2], "$")+1:]
}

// resourceName returns the name of the resource. Engines before 3.130 send only the URN.
func resourceName(req resourceRequest) string {
	if name := req.GetName(); name != "" {
		return name
	}
	parts := strings.Split(req.GetUrn(), "::")
	return parts[len(parts)-1]
}

// Check completes the inputs of a resource, and returns a failure for each refused input.
func (p *provider) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	cloud, err := p.configuredCloud()
	if err != nil {
		return nil, err
	}
	check := rules.CheckRequest{
		Token: resourceType(req), Name: resourceName(req), Seed: req.GetRandomSeed(),
		Olds: wire.Decode(req.GetOlds()), News: wire.Decode(req.GetNews()),
	}
	if a := req.GetAutonaming(); a != nil {
		check.Proposed = a.GetProposedName()
		switch a.GetMode() {
		case pulumirpc.CheckRequest_AutonamingOptions_DISABLE:
			check.Autonaming = rules.AutonamingDisabled
		case pulumirpc.CheckRequest_AutonamingOptions_ENFORCE:
			check.Autonaming = rules.AutonamingEnforce
		case pulumirpc.CheckRequest_AutonamingOptions_PROPOSE:
			check.Autonaming = rules.AutonamingPropose
		}
	}
	in, failures, err := cloud.Check(check)
	var unknown *rules.UnknownTypeError
	if errors.As(err, &unknown) {
		return &pulumirpc.CheckResponse{Failures: []*pulumirpc.CheckFailure{{Reason: unknown.Error()}}}, nil
	}
	if err != nil {
		return nil, statusError(err)
	}
	inputs, err := encode(in)
	return &pulumirpc.CheckResponse{Inputs: inputs, Failures: encodeFailures(failures)}, statusError(err)
}

// diffKinds maps a kind of difference to two of the engine's kinds: for a change in place,
// and for a replacement of the resource.
var diffKinds = map[string]struct{ inPlace, replace pulumirpc.PropertyDiff_Kind }{
	rules.Add:    {pulumirpc.PropertyDiff_ADD, pulumirpc.PropertyDiff_ADD_REPLACE},
	rules.Delete: {pulumirpc.PropertyDiff_DELETE, pulumirpc.PropertyDiff_DELETE_REPLACE},
	rules.Change: {pulumirpc.PropertyDiff_UPDATE, pulumirpc.PropertyDiff_UPDATE_REPLACE},
}

// Diff compares the new inputs with the state.
func (p *provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	cloud, err := p.configuredCloud()
	if err != nil {
		return nil, err
	}
	diff, err := cloud.Diff(resourceType(req), wire.Decode(req.GetOlds()), wire.Decode(req.GetNews()), req.GetIgnoreChanges())
	if err != nil {
		return nil, statusError(err)
	}
	out := &pulumirpc.DiffResponse{
		Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true,
		DetailedDiff: map[string]*pulumirpc.PropertyDiff{}, DeleteBeforeReplace: diff.DeleteBeforeReplace,
	}
	for _, d := range diff.Differences {
		out.Changes = pulumirpc.DiffResponse_DIFF_SOME
		kind := diffKinds[d.Kind].inPlace
		if d.Replace {
			kind = diffKinds[d.Kind].replace
			out.Replaces = append(out.Replaces, d.Path)
		}
		out.DetailedDiff[d.Path] = &pulumirpc.PropertyDiff{Kind: kind}
		topLevel, _, _ := strings.Cut(d.Path, ".")
		topLevel, _, _ = strings.Cut(topLevel, "[")
		out.Diffs = append(out.Diffs, topLevel)
	}
	return out, nil
}

// Create creates a resource. In a preview it creates nothing and returns the expected state.
func (p *provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	cloud, err := p.configuredCloud()
	if err != nil {
		return nil, err
	}
	token, in := resourceType(req), rules.Object(wire.Decode(req.GetProperties()))
	out := &pulumirpc.CreateResponse{}
	if req.GetPreview() {
		state, err := cloud.PreviewCreate(token, in)
		if err != nil {
			return nil, statusError(err)
		}
		out.Properties, err = encode(state)
		return out, statusError(err)
	}
	err = p.withFaults(ctx, "create", token, req.GetUrn(), func() error {
		id, state, err := cloud.Create(ctx, token, in)
		if err != nil {
			return err
		}
		out.Id = id
		out.Properties, err = encode(state)
		return err
	})
	if err != nil {
		return nil, statusError(err)
	}
	return out, nil
}

// Read returns the current state of a resource. If the resource no longer exists, the id in
// the response is empty.
func (p *provider) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	cloud, err := p.configuredCloud()
	if err != nil {
		return nil, err
	}
	token := resourceType(req)
	out := &pulumirpc.ReadResponse{}
	err = p.withFaults(ctx, "read", token, req.GetUrn(), func() error {
		state, ok, err := cloud.Read(ctx, token, req.GetId())
		if err != nil || !ok {
			return err
		}
		in, err := cloud.ProgramInputs(token, state, wire.Decode(req.GetInputs()))
		if err != nil {
			return err
		}
		out.Id = req.GetId()
		if out.Inputs, err = encode(in); err != nil {
			return err
		}
		out.Properties, err = encode(state)
		return err
	})
	if err != nil {
		return nil, statusError(err)
	}
	return out, nil
}

// Update changes a resource. In a preview it changes nothing and returns the expected state.
func (p *provider) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	cloud, err := p.configuredCloud()
	if err != nil {
		return nil, err
	}
	token, in := resourceType(req), rules.Object(wire.Decode(req.GetNews()))
	out := &pulumirpc.UpdateResponse{}
	if req.GetPreview() {
		state, err := cloud.PreviewUpdate(token, wire.Decode(req.GetOlds()), in, req.GetIgnoreChanges())
		if err != nil {
			return nil, statusError(err)
		}
		out.Properties, err = encode(state)
		return out, statusError(err)
	}
	err = p.withFaults(ctx, "update", token, req.GetUrn(), func() error {
		state, err := cloud.Update(ctx, token, req.GetId(), in, req.GetIgnoreChanges())
		if err != nil {
			return err
		}
		out.Properties, err = encode(state)
		return err
	})
	if err != nil {
		return nil, statusError(err)
	}
	return out, nil
}

// Delete deletes a resource.
func (p *provider) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	cloud, err := p.configuredCloud()
	if err != nil {
		return nil, err
	}
	token := resourceType(req)
	err = p.withFaults(ctx, "delete", token, req.GetUrn(), func() error { return cloud.Delete(ctx, token, req.GetId()) })
	if err != nil {
		return nil, statusError(err)
	}
	return &emptypb.Empty{}, nil
}
