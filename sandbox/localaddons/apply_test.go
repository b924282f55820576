package localaddons

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
)

// apiServer is a fake of the part of the Kubernetes API that Install needs. It records the
// applied objects. Its first responses have the status codes in refusals.
type apiServer struct {
	mu       sync.Mutex
	refusals []int
	applied  []string                  // paths of objects, in order
	managers map[string]bool           // field managers of the applied objects
	status   map[string]map[string]any // objects with a status, by path
	pods     []any
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	respond := func(code int, object any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(object)
	}
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/api/v1/namespaces/kube-system/pods":
		respond(200, map[string]any{"apiVersion": "v1", "kind": "PodList", "items": s.pods})
	case r.Method == http.MethodGet:
		respond(200, s.status[r.URL.Path])
	case r.Method == http.MethodPatch && len(s.refusals) > 0:
		code := s.refusals[0]
		s.refusals = s.refusals[1:]
		reason := map[int]string{404: "NotFound", 503: "ServiceUnavailable", 500: "InternalError", 403: "Forbidden", 422: "Invalid"}[code]
		respond(code, map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": reason, "message": "refused by the test server", "code": code})
	case r.Method == http.MethodPatch && r.Header.Get("Content-Type") == "application/apply-patch+yaml" && r.URL.Query().Get("force") == "true":
		body, _ := io.ReadAll(r.Body)
		var object map[string]any
		_ = json.Unmarshal(body, &object)
		s.applied = append(s.applied, r.URL.Path)
		s.managers[r.URL.Query().Get("fieldManager")] = true
		respond(200, object)
	default:
		respond(400, map[string]any{"apiVersion": "v1", "kind": "Status", "message": r.Method + " " + r.URL.String()})
	}
}

// newClient starts the server and returns a client for it.
func (s *apiServer) newClient(t *testing.T) *apiClient {
	t.Helper()
	s.managers = map[string]bool{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, err := newAPIClientFor(&rest.Config{Host: server.URL, QPS: 1000, Burst: 1000})
	require.NoError(t, err)
	return c
}

func ignoreDetail(string) {}

const (
	corednsPath    = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
	metricsPath    = "/apis/apps/v1/namespaces/kube-system/deployments/metrics-server"
	apiServicePath = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"
)

func TestApplyRetriesTransientErrors(t *testing.T) {
	objects := renderAll(t, sampleValues)
	s := &apiServer{refusals: []int{404, 503, 500}} // there is no namespace, the server is not ready, there are no addresses
	require.NoError(t, s.newClient(t).apply(t.Context(), objects, ignoreDetail))
	require.Len(t, s.applied, len(objects))
	require.Equal(t, "/api/v1/namespaces/kube-system/serviceaccounts/coredns", s.applied[0])
	require.Contains(t, s.applied, corednsPath)
	require.Contains(t, s.applied, "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:coredns")
	require.Contains(t, s.applied, apiServicePath)
	require.Equal(t, map[string]bool{fieldManager: true}, s.managers)
}

func TestApplyDoesNotRetryPermanentErrors(t *testing.T) {
	objects := renderAll(t, sampleValues)
	for _, code := range []int{403, 422} {
		s := &apiServer{refusals: []int{code}}
		err := s.newClient(t).apply(t.Context(), objects, ignoreDetail)
		require.ErrorContains(t, err, "apply ServiceAccount kube-system/coredns")
		require.ErrorContains(t, err, "refused by the test server")
		require.Empty(t, s.applied)
	}
}

// newDeployment returns a Deployment of one replica. available is the number of available
// replicas, 0 or 1.
func newDeployment(name string, available int64) map[string]any {
	condition := "True"
	if available == 0 {
		condition = "False"
	}
	return map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": name, "namespace": "kube-system", "generation": int64(2)},
		"spec":     map[string]any{"replicas": int64(1)},
		"status": map[string]any{
			"observedGeneration": int64(2), "replicas": int64(1), "updatedReplicas": int64(1),
			"readyReplicas": available, "availableReplicas": available,
			"conditions": []any{map[string]any{"type": "Available", "status": condition}},
		},
	}
}

// newAPIService returns the APIService of metrics-server. available is the status of the condition
// Available: "True" or "False".
func newAPIService(available string) map[string]any {
	return map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": map[string]any{"name": "v1beta1.metrics.k8s.io"},
		"status":   map[string]any{"conditions": []any{map[string]any{"type": "Available", "status": available, "message": "no endpoints"}}},
	}
}

func TestAwaitWaitsForEachObjectInTurn(t *testing.T) {
	objects := renderAll(t, sampleValues)
	s := &apiServer{status: map[string]map[string]any{
		corednsPath: newDeployment("coredns", 0), metricsPath: newDeployment("metrics-server", 0), apiServicePath: newAPIService("False"),
	}}
	c := s.newClient(t)
	// When awaitReady reports that it waits for an object, this object becomes ready.
	var shown []string
	ready := map[string]map[string]any{
		corednsPath: newDeployment("coredns", 1), metricsPath: newDeployment("metrics-server", 1), apiServicePath: newAPIService("True"),
	}
	order := []string{corednsPath, metricsPath, apiServicePath}
	require.NoError(t, c.awaitReady(t.Context(), objects, func(text string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		path := order[len(shown)]
		s.status[path] = ready[path]
		shown = append(shown, text)
	}))
	require.Len(t, shown, 3)
	require.Contains(t, shown[0], "Deployment kube-system/coredns: ")
	require.Contains(t, shown[1], "Deployment kube-system/metrics-server: ")
	require.Equal(t, "APIService v1beta1.metrics.k8s.io: no endpoints", shown[2])
}

func TestProblemsOfPodsHaveTheirReasons(t *testing.T) {
	objects := renderAll(t, sampleValues)
	s := &apiServer{pods: []any{map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "coredns-1"},
		"status": map[string]any{
			"conditions": []any{map[string]any{"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "containers with unready status: [coredns]"}},
			"containerStatuses": []any{map[string]any{"name": "coredns",
				"state": map[string]any{"waiting": map[string]any{"reason": "ImagePullBackOff", "message": "not found"}}}},
		},
	}}}
	c := s.newClient(t)
	for _, o := range objects {
		if o.GetKind() != "Deployment" {
			continue
		}
		problems, err := c.listPodProblems(t.Context(), o)
		require.NoError(t, err)
		require.Equal(t, []string{
			"pod coredns-1: ContainersNotReady: containers with unready status: [coredns]",
			"pod coredns-1: container coredns: ImagePullBackOff: not found",
		}, problems)
	}
}
