package kubernetes

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// cluster is the API server that the provider's settings lead to. Making one
// asks nothing of it; what it serves is learnt by API version, when a type of
// that version is first needed.
type cluster struct {
	server    string
	namespace string // of objects that name none
	objects   dynamic.Interface
	discovery discovery.DiscoveryInterface

	mu    sync.Mutex
	known map[schema.GroupVersion]map[string]mapping // by kind
}

// mapping is how the API server serves a kind.
type mapping struct {
	resource   schema.GroupVersionResource
	namespaced bool
}

func newCluster(c config, warn func(context.Context, string)) (*cluster, error) {
	cfg, namespace, err := c.connection()
	if err != nil {
		return nil, err
	}
	cfg.WarningHandlerWithContext = warner(warn)
	objects, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", cfg.Host, err)
	}
	found, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", cfg.Host, err)
	}
	return &cluster{
		server: cfg.Host, namespace: namespace, objects: objects, discovery: found,
		known: map[schema.GroupVersion]map[string]mapping{},
	}, nil
}

// warner passes the API server's warnings on, such as that of a deprecated version.
type warner func(context.Context, string)

// HandleWarningHeaderWithContext is rest.WarningHandlerWithContext; 299 is the
// one code that the API server uses.
func (w warner) HandleWarningHeaderWithContext(ctx context.Context, code int, _, message string) {
	if w != nil && code == 299 && message != "" {
		w(ctx, message)
	}
}

var _ rest.WarningHandlerWithContext = warner(nil)

// mapping says how the API server serves the kind. A kind that is not there is
// looked for again at the next call: its definition may be made meanwhile.
func (c *cluster) mapping(ctx context.Context, gvk schema.GroupVersionKind) (mapping, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	gv := gvk.GroupVersion()
	if m, ok := c.known[gv][gvk.Kind]; ok {
		return m, nil
	}
	if err := ctx.Err(); err != nil {
		return mapping{}, context.Cause(ctx)
	}
	list, err := c.discovery.ServerResourcesForGroupVersion(gv.String())
	switch {
	case apierrors.IsNotFound(err):
		return mapping{}, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
	case err != nil:
		return mapping{}, err
	}
	kinds := map[string]mapping{}
	for _, r := range list.APIResources {
		if r.Group == "" && r.Version == "" || r.Group == gv.Group && r.Version == gv.Version { // no scale and the like
			if _, sub := kinds[r.Kind]; !sub {
				kinds[r.Kind] = mapping{resource: gv.WithResource(r.Name), namespaced: r.Namespaced}
			}
		}
	}
	c.known[gv] = kinds
	if m, ok := kinds[gvk.Kind]; ok {
		return m, nil
	}
	return mapping{}, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
}

// client returns where objects of the kind are read and written.
func (c *cluster) client(ctx context.Context, gvk schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	m, err := c.mapping(ctx, gvk)
	if err != nil {
		return nil, err
	}
	if m.namespaced {
		if namespace == "" {
			namespace = c.namespace
		}
		return c.objects.Resource(m.resource).Namespace(namespace), nil
	}
	return c.objects.Resource(m.resource), nil
}

// title names an object as a person does: Deployment shop/web.
func title(o *unstructured.Unstructured) string {
	return o.GetKind() + " " + objectID(o.GetNamespace(), o.GetName())
}
