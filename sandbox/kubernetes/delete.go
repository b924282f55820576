package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Delete deletes the object with all that it owns and waits until it is gone.
// One that is not there is deleted already.
func (p *provider) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	cfg, cl, err := p.configured()
	if err != nil {
		return nil, err
	}
	t, err := newTarget(req, req.GetOldInputs(), managerOf(req.GetProperties(), req.GetUrn()))
	if err != nil {
		return nil, badRequest(err)
	}
	deadline, err := deadlineOf(req.GetTimeout(), t.inputs)
	if err != nil {
		return nil, badRequest(err)
	}
	ctx, end := p.session.Bound(withURN(ctx, t.urn))
	defer end()
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()

	err = p.delete(limited, cl, t, req.GetId(), deadline)
	switch {
	case isNoKind(err):
		return &emptypb.Empty{}, nil // the definition is gone, and its objects with it
	case isUnreachable(err) && cfg.DeleteUnreachable:
		p.session.Log(ctx, t.urn, pulumirpc.LogSeverity_WARNING, "the cluster does not answer, and deleteUnreachable is set: "+req.GetId()+" counts as deleted")
		return &emptypb.Empty{}, nil
	case err != nil:
		return nil, refusal("deleting", t.gvk.Kind+" "+req.GetId(), err)
	}
	return &emptypb.Empty{}, nil
}

func (p *provider) delete(ctx context.Context, cl *cluster, t *target, id string, limit time.Duration) error {
	live, err := p.find(ctx, cl, t, id)
	if err != nil || live == nil {
		return err
	}
	foreground, uid := metav1.DeletePropagationForeground, live.GetUID()
	err = retry(ctx, func() error {
		return t.client.Delete(ctx, live.GetName(), metav1.DeleteOptions{
			PropagationPolicy: &foreground, Preconditions: &metav1.Preconditions{UID: &uid},
		})
	})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case text(t.inputs, "metadata", "annotations", annotationSkipAwait) == "true":
		return nil
	}
	defer p.session.Status(ctx, t.urn, "")
	shown := ""
	for between := pace(0); ; {
		seen, err := p.find(ctx, cl, t, id)
		switch {
		case isNoKind(err), err == nil && (seen == nil || seen.GetUID() != uid):
			return nil
		case err == nil:
			live = seen
		}
		if held := heldBy(live); held != shown {
			p.session.Status(ctx, t.urn, "waiting until it is gone"+held)
			shown = held
		}
		if !between.wait(ctx) {
			if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
				return cause
			}
			return fmt.Errorf("it is still there after %s%s", limit, heldBy(live))
		}
	}
}

// heldBy says what keeps an object that is being deleted.
func heldBy(o *unstructured.Unstructured) string {
	var by []string
	if f := o.GetFinalizers(); len(f) > 0 {
		by = append(by, "finalizers "+strings.Join(f, ", "))
	}
	for _, c := range conditions(o) {
		if o.GetKind() == "Namespace" && text(c, "status") == "True" {
			by = append(by, text(c, "message"))
		}
	}
	if len(by) == 0 {
		return ""
	}
	return ": held by " + strings.Join(by, "; ")
}
