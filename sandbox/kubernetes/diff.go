package kubernetes

import (
	"context"
	"slices"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Diff compares the inputs of the state with those of the program. What the
// API server fills in is in neither, so that it is never a difference; what
// somebody changed out of band is in the first after a refresh.
func (p *provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	cfg, _, err := p.configured()
	if err != nil {
		return nil, err
	}
	gvk, err := parseType(typeOfRequest(req))
	if err != nil {
		return nil, badRequest(err)
	}
	before, err := oldInputs(req.GetOldInputs(), req.GetOlds())
	if err != nil {
		return nil, badRequest(err)
	}
	after, _, err := decode(req.GetNews())
	if err != nil {
		return nil, badRequest(err)
	}
	p.stands(req.GetUrn(), req.GetId())

	changes := compare(before, after)
	if len(changes) == 0 {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	res := &pulumirpc.DiffResponse{
		Changes: pulumirpc.DiffResponse_DIFF_SOME, HasDetailedDiff: true, DetailedDiff: map[string]*pulumirpc.PropertyDiff{},
	}
	for _, c := range changes {
		kind := c.kind
		if replacedBy(gvk.GroupKind(), c.path, cfg) {
			kind++ // each kind is followed by the one that replaces
			res.Replaces = append(res.Replaces, c.path.String())
		}
		res.DetailedDiff[c.path.String()] = &pulumirpc.PropertyDiff{Kind: kind, InputDiff: true}
		if top := c.path[:1].String(); !slices.Contains(res.Diffs, top) {
			res.Diffs = append(res.Diffs, top)
		}
	}
	// Two objects of one name can't stand at the same time.
	res.DeleteBeforeReplace = len(res.Replaces) > 0 &&
		text(after, "metadata", "annotations", annotationAutonamed) != "true" &&
		text(before, "metadata", "name") == text(after, "metadata", "name") &&
		text(before, "metadata", "namespace") == text(after, "metadata", "namespace")
	return res, nil
}
