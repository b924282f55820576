package kubernetes

import (
	"context"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// previewCreate asks the API server by dry run what it would make of the
// object. What it can't say yet (a value that is unknown, a namespace or a
// definition that the same update makes, a cluster that is not up) leaves the
// inputs as they are.
func (p *provider) previewCreate(ctx context.Context, cfg config, cl *cluster, t *target) (*pulumirpc.CreateResponse, error) {
	out := foreseen(t.gvk, t.inputs, t.inputs)
	// One that is to be deleted first still stands: a dry run would compare the
	// new one with it.
	replacing := p.standingID(t.urn) == t.id()
	if !hasUnknown(t.inputs) && !replacing {
		dry, err := p.dryCreate(ctx, cfg, cl, t)
		switch {
		case err == nil:
			out = foreseen(t.gvk, t.inputs, dry.Object)
		case !p.tooEarly(ctx, t, err):
			return nil, refusal("creating", t.title(), err)
		}
	}
	outputs, err := record{live: out, inputs: t.inputs, manager: t.manager, hide: t.hide}.encode()
	if err != nil {
		return nil, badRequest(err)
	}
	return &pulumirpc.CreateResponse{Properties: outputs}, nil
}

func (p *provider) dryCreate(ctx context.Context, cfg config, cl *cluster, t *target) (*unstructured.Unstructured, error) {
	var err error
	if t.client, err = cl.client(ctx, t.gvk, text(t.inputs, "metadata", "namespace")); err != nil {
		return nil, err
	}
	standing, err := t.get(ctx)
	if err != nil {
		return nil, err
	}
	if standing != nil && standing.GetDeletionTimestamp() == nil {
		if _, err := p.mayTake(cfg, t, standing); err != nil {
			return nil, err
		}
	}
	return t.apply(ctx, true, true)
}

// previewUpdate is previewCreate for an object that stands.
func (p *provider) previewUpdate(ctx context.Context, cfg config, cl *cluster, t *target, before map[string]any, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	olds, hidden, err := decode(req.GetOlds())
	if err != nil {
		return nil, badRequest(err)
	}
	t.hide.merge(hidden)
	out := overlay(clone(olds), t.inputs)
	if !hasUnknown(t.inputs) {
		t.client, err = cl.client(ctx, t.gvk, text(t.inputs, "metadata", "namespace"))
		if err == nil {
			standing, getErr := t.get(ctx)
			if err = getErr; err == nil {
				dry, dryErr := t.ignoring(req.GetIgnoreChanges(), standing).settle(ctx, forced(cfg, t.inputs), true, before)
				if err = dryErr; err == nil {
					out = dry.Object
				}
			}
		}
		if err != nil && !p.tooEarly(ctx, t, err) {
			return nil, refusal("updating", t.title(), err)
		}
	}
	outputs, err := record{live: out, inputs: t.inputs, manager: t.manager, hide: t.hide}.encode()
	if err != nil {
		return nil, badRequest(err)
	}
	return &pulumirpc.UpdateResponse{Properties: outputs}, nil
}

// tooEarly says whether the preview can't know yet what err complains of.
func (p *provider) tooEarly(ctx context.Context, t *target, err error) bool {
	switch {
	case missingNamespace(err), isNoKind(err) && !builtIn(t.gvk.Group):
		return true
	case isUnreachable(err):
		p.session.Log(ctx, t.urn, pulumirpc.LogSeverity_WARNING,
			"the cluster does not answer, so that the preview shows "+t.title()+" unchecked: "+err.Error())
		return true
	}
	return false
}

// overlay puts what over has on top of under: objects are merged, all else is replaced.
func overlay(under, over map[string]any) map[string]any {
	for name, value := range over {
		o, isObject := value.(map[string]any)
		u, was := under[name].(map[string]any)
		if isObject && was {
			under[name] = overlay(u, o)
		} else {
			under[name] = clone[any](value)
		}
	}
	return under
}
