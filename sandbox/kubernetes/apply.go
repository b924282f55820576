package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

const (
	// retries is how often a request is repeated that the API server could not
	// serve, with retryPause before the first and twice as long each time.
	retries    = 5
	retryPause = 200 * time.Millisecond
	// definitionLimit is how long a kind may be missing whose definition was
	// made a moment ago: the API server serves it shortly after.
	definitionLimit = 15 * time.Second
)

// target is one object of the cluster on its way through a call.
type target struct {
	urn     string
	gvk     schema.GroupVersionKind
	inputs  map[string]any
	hide    secrets
	manager string
	client  dynamic.ResourceInterface
}

func (t *target) name() string { return text(t.inputs, "metadata", "name") }

func (t *target) id() string {
	return objectID(text(t.inputs, "metadata", "namespace"), t.name())
}

func (t *target) title() string { return t.gvk.Kind + " " + t.id() }

// record makes the state of a live object.
func (t *target) record(live *unstructured.Unstructured, pending bool) record {
	return record{live: live.Object, inputs: t.inputs, manager: t.manager, pending: pending, hide: t.hide}
}

// get reads the live object, nil where there is none.
func (t *target) get(ctx context.Context) (*unstructured.Unstructured, error) {
	live, err := t.client.Get(ctx, t.name(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return live, err
}

// apply sends the inputs by server-side apply. Fields that the API server does
// not know are refused.
func (t *target) apply(ctx context.Context, force, dryRun bool) (*unstructured.Unstructured, error) {
	raw, err := json.Marshal(object(t.gvk, t.inputs).Object)
	if err != nil {
		return nil, err
	}
	options := metav1.PatchOptions{FieldManager: t.manager, Force: &force, FieldValidation: metav1.FieldValidationStrict}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	var live *unstructured.Unstructured
	err = retry(ctx, func() error {
		live, err = t.client.Patch(ctx, t.name(), types.ApplyPatchType, raw, options)
		return err
	})
	return live, err
}

// retry repeats do while the API server can't serve it.
func retry(ctx context.Context, do func() error) error {
	pause := retryPause
	for n := 1; ; n++ {
		err := do()
		if err == nil || n > retries || !isTransient(err) {
			return err
		}
		if !sleep(ctx, pause) {
			return context.Cause(ctx)
		}
		pause *= 2
	}
}

// sleep waits and reports whether ctx still stands.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// pace is the pause between two looks at an object: short at first, because
// most are ready at once, then pollEvery.
type pace time.Duration

func (p *pace) wait(ctx context.Context) bool {
	*p = min(max(2**p, pace(firstPoll)), pace(pollEvery))
	return sleep(ctx, time.Duration(*p))
}

// settle applies over fields that another manager holds where that is what the
// user asked for: by annotation, by setting, or because the state already has
// the value that is live now. That a refresh put there, so that the preview
// showed it as drift; taking it back is what the update is for.
func (t *target) settle(ctx context.Context, force, dryRun bool, before map[string]any) (*unstructured.Unstructured, error) {
	live, err := t.apply(ctx, force, dryRun)
	if !apierrors.IsConflict(err) || force {
		return live, err
	}
	standing, getErr := t.get(ctx)
	if getErr != nil || standing == nil || before == nil || !reflect.DeepEqual(project(before, standing.Object), before) ||
		!knownConflicts(err, before) {
		return nil, conflictError(t.title(), err)
	}
	return t.apply(ctx, true, dryRun)
}

// forced says whether the user wants fields taken from other managers.
func forced(cfg config, inputs map[string]any) bool {
	switch text(inputs, "metadata", "annotations", annotationPatchForce) {
	case "true":
		return true
	case "false":
		return false
	}
	return cfg.PatchForce
}

// Create applies a new object and waits until it is ready.
//
// An object of that name that is there already is an error, unless it bears
// this resource's own field manager and is not the one that the state knows:
// then an earlier update made it and was killed before that was recorded, and
// it is taken over.
func (p *provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	cfg, cl, err := p.configured()
	if err != nil {
		return nil, err
	}
	t, err := newTarget(req, req.GetProperties(), managerName(req.GetUrn()))
	if err != nil {
		return nil, badRequest(err)
	}
	ctx, end := p.session.Bound(withURN(ctx, t.urn))
	defer end()
	if req.GetPreview() {
		return p.previewCreate(ctx, cfg, cl, t)
	}
	deadline, err := deadlineOf(req.GetTimeout(), t.inputs)
	if err != nil {
		return nil, badRequest(err)
	}
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()

	if t.client, err = p.awaitKind(limited, cl, t); err != nil {
		return nil, refusal("creating", t.title(), err)
	}
	if err := p.clearTheWay(limited, cfg, t); err != nil {
		return nil, refusal("creating", t.title(), err)
	}
	live, err := t.apply(limited, forced(cfg, t.inputs), false)
	if apierrors.IsConflict(err) {
		return nil, conflictError(t.title(), err)
	}
	if err != nil {
		return nil, refusal("creating", t.title(), err)
	}
	outputs, err := p.ready(ctx, cl, t, live, deadline)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CreateResponse{Id: t.id(), Properties: outputs}, nil
}

// ready waits for an object that was applied and returns what the state keeps
// of it. One that does not become ready is kept as well, within the error.
func (p *provider) ready(ctx context.Context, cl *cluster, t *target, live *unstructured.Unstructured, limit time.Duration) (*structpb.Struct, error) {
	live, reasons := p.await(ctx, cl, t, live, limit)
	outputs, err := t.record(live, len(reasons) > 0).encode()
	if err != nil {
		return nil, badRequest(err)
	}
	if len(reasons) > 0 {
		return nil, initFailed(t.id(), outputs, nil, reasons...)
	}
	return outputs, nil
}

func newTarget(req interface {
	GetType() string
	GetUrn() string
}, properties *structpb.Struct, manager string) (*target, error) {
	gvk, err := parseType(typeOfRequest(req))
	if err != nil {
		return nil, err
	}
	inputs, hide, err := decode(properties)
	if err != nil {
		return nil, err
	}
	return &target{urn: req.GetUrn(), gvk: gvk, inputs: inputs, hide: hide, manager: manager}, nil
}

// awaitKind returns the client of the object's kind; a kind from a definition
// that is being made is waited for.
func (p *provider) awaitKind(ctx context.Context, cl *cluster, t *target) (dynamic.ResourceInterface, error) {
	ctx, cancel := context.WithTimeout(ctx, definitionLimit)
	defer cancel()
	for between := pace(0); ; {
		client, err := cl.client(ctx, t.gvk, text(t.inputs, "metadata", "namespace"))
		if err == nil || !isNoKind(err) || builtIn(t.gvk.Group) {
			return client, err
		}
		p.session.Status(ctx, t.urn, "waiting for the definition of "+t.gvk.Kind)
		if !between.wait(ctx) {
			return nil, err
		}
	}
}

// clearTheWay decides about an object that stands where one is to be created.
func (p *provider) clearTheWay(ctx context.Context, cfg config, t *target) error {
	for between := pace(0); ; {
		standing, err := t.get(ctx)
		switch {
		case err != nil:
			return err
		case standing == nil:
			return nil
		case standing.GetDeletionTimestamp() != nil:
			p.session.Status(ctx, t.urn, "waiting until the "+title(standing)+" of before is gone"+heldBy(standing))
			if !between.wait(ctx) {
				return fmt.Errorf("one of that name is still being deleted%s: %w", heldBy(standing), context.Cause(ctx))
			}
		default:
			ours, err := p.mayTake(cfg, t, standing)
			if ours {
				p.session.Log(ctx, t.urn, pulumirpc.LogSeverity_INFO,
					"taking over the "+title(standing)+" that an interrupted update made")
			}
			return err
		}
	}
}

// mayTake says whether an object that stands already may become this
// resource's: as one of its own that was never recorded, or because the user
// says so.
func (p *provider) mayTake(cfg config, t *target, standing *unstructured.Unstructured) (ours bool, err error) {
	switch {
	case managedBy(standing, t.manager) && p.standingID(t.urn) != t.id():
		return true, nil
	case cfg.Upsert || forced(cfg, t.inputs):
		return false, nil
	}
	return false, fmt.Errorf("it exists already and this resource did not make it; delete it, or take it over by `pulumi import %s NAME %s` "+
		"or by the provider's setting upsertExistingObjects", typeOf(t.gvk), t.id())
}

// managedBy says whether the manager has ever applied the object.
func managedBy(o *unstructured.Unstructured, manager string) bool {
	for _, f := range o.GetManagedFields() {
		if f.Manager == manager && f.Operation == metav1.ManagedFieldsOperationApply {
			return true
		}
	}
	return false
}

// Update applies changed inputs and waits until the object is ready again.
func (p *provider) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	cfg, cl, err := p.configured()
	if err != nil {
		return nil, err
	}
	t, err := newTarget(req, req.GetNews(), managerOf(req.GetOlds(), req.GetUrn()))
	if err != nil {
		return nil, badRequest(err)
	}
	before, err := oldInputs(req.GetOldInputs(), req.GetOlds())
	if err != nil {
		return nil, badRequest(err)
	}
	ctx, end := p.session.Bound(withURN(ctx, t.urn))
	defer end()
	if req.GetPreview() {
		return p.previewUpdate(ctx, cfg, cl, t, before, req)
	}
	deadline, err := deadlineOf(req.GetTimeout(), t.inputs)
	if err != nil {
		return nil, badRequest(err)
	}
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()

	if t.client, err = p.awaitKind(limited, cl, t); err != nil {
		return nil, refusal("updating", t.title(), err)
	}
	standing, err := t.get(limited)
	if err == nil && (standing == nil || standing.GetDeletionTimestamp() != nil) {
		p.session.Log(ctx, t.urn, pulumirpc.LogSeverity_WARNING, t.title()+" was deleted by somebody else and is made again")
		standing, err = nil, p.clearTheWay(limited, cfg, t)
	}
	if err != nil {
		return nil, refusal("updating", t.title(), err)
	}
	live, err := t.ignoring(req.GetIgnoreChanges(), standing).settle(limited, forced(cfg, t.inputs), false, before)
	if err != nil {
		return nil, refusal("updating", t.title(), err)
	}
	outputs, err := p.ready(ctx, cl, t, live, deadline)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.UpdateResponse{Properties: outputs}, nil
}
