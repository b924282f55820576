package kubernetes

import (
	"context"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Read returns the live object and, as its inputs, the live values of what the
// inputs of the state set. An object that is gone has no id. Without a state,
// which is an import, the inputs are the object without what the cluster wrote.
func (p *provider) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	cfg, cl, err := p.configured()
	if err != nil {
		return nil, err
	}
	t, err := newTarget(req, req.GetInputs(), managerOf(req.GetProperties(), req.GetUrn()))
	if err != nil {
		return nil, badRequest(err)
	}
	if len(t.inputs) == 0 {
		if t.inputs, err = oldInputs(nil, req.GetProperties()); err != nil {
			return nil, badRequest(err)
		}
	}
	_, hidden, err := decode(req.GetProperties())
	if err != nil {
		return nil, badRequest(err)
	}
	t.hide.merge(hidden)
	ctx, end := p.session.Bound(withURN(ctx, t.urn))
	defer end()

	live, err := p.find(ctx, cl, t, req.GetId())
	if err == nil && live != nil && live.GetDeletionTimestamp() != nil {
		// There is no way back for it: an update waits until it is gone and
		// makes it anew.
		p.session.Log(ctx, t.urn, pulumirpc.LogSeverity_WARNING, title(live)+" is being deleted and counts as gone")
		live = nil
	}
	switch {
	case isNoKind(err) || err == nil && live == nil:
		return &pulumirpc.ReadResponse{}, nil
	case isUnreachable(err) && cfg.DeleteUnreachable:
		p.session.Log(ctx, t.urn, pulumirpc.LogSeverity_WARNING, "the cluster does not answer, and deleteUnreachable is set: "+req.GetId()+" counts as deleted")
		return &pulumirpc.ReadResponse{}, nil
	case err != nil:
		return nil, refusal("reading", t.gvk.Kind+" "+req.GetId(), err)
	}

	if imported := len(t.inputs) == 0; imported {
		t.inputs = importable(live)
	} else {
		t.inputs = project(t.inputs, live.Object)
	}
	inputs, err := encode(t.inputs, record{inputs: t.inputs, hide: t.hide}.hideIn(t.inputs))
	if err != nil {
		return nil, badRequest(err)
	}
	wasPending := req.GetProperties().GetFields()[hiddenPending].GetBoolValue()
	why := p.unready(ctx, cl, t, live, wasPending)
	outputs, err := t.record(live, len(why) > 0).encode()
	if err != nil {
		return nil, badRequest(err)
	}
	if len(why) > 0 {
		return nil, initFailed(t.id(), outputs, inputs, why...)
	}
	return &pulumirpc.ReadResponse{Id: objectID(live.GetNamespace(), live.GetName()), Inputs: inputs, Properties: outputs}, nil
}

// find reads the object that id names.
func (p *provider) find(ctx context.Context, cl *cluster, t *target, id string) (*unstructured.Unstructured, error) {
	namespace, name := parseID(id)
	var err error
	if t.client, err = cl.client(ctx, t.gvk, namespace); err != nil {
		return nil, err
	}
	named := *t
	named.inputs = map[string]any{"metadata": map[string]any{"name": name}}
	return named.get(ctx)
}

// unready says why an object counts as not initialized: it failed, or it was
// never seen ready. One that was ready before and is on its way again, because
// an autoscaler is at work, is as it should be.
func (p *provider) unready(ctx context.Context, cl *cluster, t *target, live *unstructured.Unstructured, wasPending bool) []string {
	check, err := judgeOf(t.gvk, t.inputs)
	if err != nil || check == nil {
		return nil
	}
	v, err := check(ctx, cl, live)
	if err != nil || v.ready || !v.failed && !wasPending {
		return nil
	}
	return reasons(ctx, cl, t, live, "is not ready", v)
}

// clusterWritten are the fields that are the cluster's to write and not a program's.
var clusterWritten = [][]string{
	{"status"},
	{"metadata", "uid"}, {"metadata", "resourceVersion"}, {"metadata", "generation"}, {"metadata", "creationTimestamp"},
	{"metadata", "managedFields"}, {"metadata", "selfLink"},
	{"metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"},
	{"metadata", "annotations", "deployment.kubernetes.io/revision"},
}

// importable is what a program would have written of a live object.
func importable(live *unstructured.Unstructured) map[string]any {
	inputs := clone(live.Object)
	for _, keys := range clusterWritten {
		unstructured.RemoveNestedField(inputs, keys...)
	}
	if a, ok := lookup(inputs, "metadata", "annotations"); ok && isZero(a) {
		unstructured.RemoveNestedField(inputs, "metadata", "annotations")
	}
	return inputs
}
