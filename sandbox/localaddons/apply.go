package localaddons

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// fieldManager is the name of the field manager in server-side apply.
const fieldManager = "progressive-sandbox"

// A new API server refuses some objects for a short time, because it reports healthy before it
// creates the namespace kube-system and the pool of service addresses. applyTimeout limits the time
// for all objects. applyPause is the pause between two attempts.
const (
	applyTimeout = time.Minute
	applyPause   = 250 * time.Millisecond
)

// apiClient applies and reads objects of the API server.
type apiClient struct{ client dynamic.Interface }

func newAPIClient(l *layout.Layout) (*apiClient, error) {
	config, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", l.Kubeconfig(), err)
	}
	// The default limit of five requests a second would delay the addons.
	config.QPS, config.Burst = 100, 200
	config.Timeout = 30 * time.Second
	return newAPIClientFor(config)
}

func newAPIClientFor(config *rest.Config) (*apiClient, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	return &apiClient{client}, nil
}

// resource returns the client for an object's resource. It guesses the plural of the kind
// instead of requesting it from the API server. The guess is right, because no kind in
// the manifests has an irregular plural.
func (c *apiClient) resource(o *unstructured.Unstructured) dynamic.ResourceInterface {
	plural, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
	if ns := o.GetNamespace(); ns != "" {
		return c.client.Resource(plural).Namespace(ns)
	}
	return c.client.Resource(plural)
}

// apply applies the objects by server-side apply. The sandbox becomes the manager of all fields of
// the objects, also of fields that another manager has changed.
func (c *apiClient) apply(ctx context.Context, objects []*unstructured.Unstructured, detail func(string)) error {
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	for _, object := range objects {
		detail("apply " + describeObject(object))
		if err := c.applyOne(ctx, object); err != nil {
			return fmt.Errorf("apply %s: %w", describeObject(object), err)
		}
	}
	return nil
}

// applyOne applies one object, and tries again after a transient error until ctx ends.
func (c *apiClient) applyOne(ctx context.Context, object *unstructured.Unstructured) error {
	for {
		_, err := c.resource(object).Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
		if err == nil || !isTransient(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server was not ready for the object within %s: %w", applyTimeout, err)
		case <-time.After(applyPause):
		}
	}
}

// describeObject returns an object's kind, namespace and name for messages.
func describeObject(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetKind() + " " + o.GetName()
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

// isTransient reports whether a later try may succeed.
func isTransient(err error) bool {
	return apierrors.IsNotFound(err) || // the namespace does not exist yet
		apierrors.IsServiceUnavailable(err) ||
		apierrors.IsInternalError(err) ||
		apierrors.IsServerTimeout(err) ||
		apierrors.IsTimeout(err) ||
		apierrors.IsTooManyRequests(err) ||
		errors.Is(err, syscall.ECONNREFUSED) ||
		errors.Is(err, syscall.ECONNRESET)
}
