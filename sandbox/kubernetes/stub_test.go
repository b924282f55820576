package kubernetes

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// stub is as much of an API server as a provider's decisions need: it stores
// what is applied, keeps who applied it, and answers as it is told. What an API
// server makes of an object is proven by the engine tests, on a real one.
type stub struct {
	url string

	mu       sync.Mutex
	objects  map[string]fields // by path
	requests []string          // METHOD path?query
	// onApply may change what is stored, or refuse it.
	onApply func(path string, o fields, force bool) error
	// onGet may change what is stored before it is read.
	onGet func(path string, o fields)
}

var stubKinds = map[string][]metav1.APIResource{
	"/api/v1": {{Name: "namespaces", Kind: "Namespace"}, {Name: "configmaps", Kind: "ConfigMap", Namespaced: true},
		{Name: "services", Kind: "Service", Namespaced: true}, {Name: "pods", Kind: "Pod", Namespaced: true}, {Name: "secrets", Kind: "Secret", Namespaced: true}},
	"/apis/apps/v1": {{Name: "deployments", Kind: "Deployment", Namespaced: true},
		{Name: "deployments/scale", Kind: "Scale", Group: "autoscaling", Version: "v1", Namespaced: true}},
}

func newStub(t *testing.T) *stub {
	t.Helper()
	s := &stub{objects: map[string]fields{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kinds, ok := stubKinds[r.URL.Path]; ok {
		answer(w, http.StatusOK, metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, APIResources: kinds})
		return
	}
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	got, status := s.handle(r)
	var known apierrors.APIStatus
	switch {
	case errors.As(status, &known):
		body := known.Status()
		body.Kind, body.APIVersion = "Status", "v1"
		answer(w, int(body.Code), body)
	case status != nil:
		http.Error(w, status.Error(), http.StatusInternalServerError)
	default:
		answer(w, http.StatusOK, got)
	}
}

func (s *stub) handle(r *http.Request) (any, error) {
	standing, found := s.objects[r.URL.Path]
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch {
	case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/pods"):
		return s.pods(r.URL.Path), nil
	case r.Method == http.MethodPatch:
		return s.apply(r, standing, name)
	case !found:
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "objects"}, name)
	case r.Method == http.MethodDelete:
		if _, held := lookup(standing, "metadata", "finalizers"); held {
			set(standing, "2026-01-01T00:00:00Z", "metadata", "deletionTimestamp")
			return standing, nil
		}
		delete(s.objects, r.URL.Path)
		return standing, nil
	default:
		if s.onGet != nil {
			s.onGet(r.URL.Path, standing)
			if standing, found = s.objects[r.URL.Path]; !found {
				return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "objects"}, name)
			}
		}
		return standing, nil
	}
}

func (s *stub) apply(r *http.Request, standing fields, name string) (any, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var sent fields
	if err := json.Unmarshal(raw, &sent); err != nil {
		return nil, err
	}
	q := r.URL.Query()
	if q.Get("fieldValidation") != "Strict" || r.Header.Get("Content-Type") != "application/apply-patch+yaml" {
		return nil, apierrors.NewBadRequest("the stub knows strict server-side apply only")
	}
	o := overlay(clone(standing), sent)
	if standing == nil {
		o = sent
		set(o, "uid-"+name, "metadata", "uid")
	}
	set(o, []any{fields{"manager": q.Get("fieldManager"), "operation": "Apply"}}, "metadata", "managedFields")
	if s.onApply != nil {
		if err := s.onApply(r.URL.Path, o, q.Get("force") == "true"); err != nil {
			return nil, err
		}
	}
	if q.Get("dryRun") == "" {
		s.objects[r.URL.Path] = o
	}
	return o, nil
}

func (s *stub) pods(path string) any {
	list := []any{}
	for at, o := range s.objects {
		if strings.HasPrefix(at, path+"/") {
			list = append(list, o)
		}
	}
	return fields{"apiVersion": "v1", "kind": "PodList", "items": list}
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// put stores an object as somebody else's.
func (s *stub) put(path string, o fields) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[path] = o
}

func (s *stub) get(path string) fields {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects[path] == nil {
		return nil
	}
	return clone(s.objects[path])
}

func (s *stub) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

func (s *stub) provider(t *testing.T, settings fields) *served {
	t.Helper()
	all := fields{"kubeconfig": kubeconfig(s.url)}
	for k, v := range settings {
		all[k] = v
	}
	return start(t, all)
}

func TestTheStubKeepsWhatIsApplied(t *testing.T) {
	s := newStub(t)
	one := newResource(t, s.provider(t, nil), "core/v1:ConfigMap", "c")
	require.NoError(t, one.create(fields{"metadata": fields{"name": "c"}, "data": fields{"a": "1"}}))
	require.Equal(t, "1", text(s.get("/api/v1/namespaces/shop/configmaps/c"), "data", "a"))
}
