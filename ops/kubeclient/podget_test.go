package kubeclient

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"

	"github.com/progressive-framework/platform/ops/kubeclient/portforwardtest"
)

// newTestClients returns clients of an API server with one pod, ns/pod-0. respond returns the
// response of the pod to a request, or the error message of the kubelet.
func newTestClients(t *testing.T, respond func(port, request string) (response, failure string)) Clients {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !portforwardtest.IsPortForward(r, "ns", "pod-0") {
			http.Error(w, "pods \"x\" is forbidden", http.StatusForbidden)
			return
		}
		portforwardtest.Serve(w, r, func(port string, request *http.Request) (string, string) {
			return respond(port, request.Method+" "+request.URL.String())
		})
	}))
	t.Cleanup(server.Close)
	clients, err := newClients(&rest.Config{Host: server.URL})
	require.NoError(t, err)
	return clients
}

func TestPodIsReadThroughThePortForward(t *testing.T) {
	c := newTestClients(t, func(port, request string) (string, string) {
		body := port + " " + request
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body), ""
	})
	text, err := c.Get(t.Context(), "ns", "pod-0", 9090, "/metrics?x=1")
	require.NoError(t, err)
	require.Equal(t, "9090 GET /metrics?x=1", string(text))
}

func TestUnusableResponseOfAPodIsAnError(t *testing.T) {
	for _, row := range []struct{ reason, pod, response, failure, message string }{
		{"no permission", "pod-1", "", "", "port-forward to pod/pod-1"},
		{"nothing listens", "pod-0", "", "connection refused by the pod", "connection refused by the pod"},
		{"another status", "pod-0", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "", "/metrics responded with 503"},
		{"an incomplete response", "pod-0", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "", "unexpected EOF"},
		{"an endless response", "pod-0", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + strings.Repeat("x", maxBody+1), "", "more than 8388608 bytes"},
		{"no HTTP", "pod-0", "hello\r\n\r\n", "", "malformed HTTP"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			c := newTestClients(t, func(string, string) (string, string) { return row.response, row.failure })
			_, err := c.Get(t.Context(), "ns", row.pod, 9090, "/metrics")
			require.ErrorContains(t, err, row.message)
		})
	}
}
