package frontdoor

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// fakeAPI is an API server with one service and its endpoints. It also has the pods' side
// of a port-forward: a pod answers every line with "POD:PORT LINE".
type fakeAPI struct {
	t       *testing.T
	ready   atomic.Pointer[string] // the name of the ready pod, or nil
	refuses atomic.Bool            // the pod refuses the connection
}

func (a *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/services/front"):
		a.writeJSON(w, corev1.Service{
			TypeMeta: metav1.TypeMeta{Kind: "Service", APIVersion: "v1"},
			Spec:     corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "metrics", Port: 9090}, {Name: "http", Port: 80}}},
		})
	case strings.HasSuffix(r.URL.Path, "/endpointslices"):
		if r.URL.Query().Get("labelSelector") != "kubernetes.io/service-name=front" {
			http.Error(w, "the label selector must select the service", http.StatusBadRequest)
			return
		}
		a.writeJSON(w, discoveryv1.EndpointSliceList{
			TypeMeta: metav1.TypeMeta{Kind: "EndpointSliceList", APIVersion: "discovery.k8s.io/v1"},
			Items:    []discoveryv1.EndpointSlice{a.endpoints()},
		})
	case strings.HasSuffix(r.URL.Path, "/portforward"):
		a.forward(w, r)
	default:
		http.NotFound(w, r)
	}
}

// writeJSON writes an object as the response.
func (a *fakeAPI) writeJSON(w http.ResponseWriter, object any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object)
}

// endpoints returns the service's endpoints: one pod that is not ready, and the ready pod
// if there is one.
func (a *fakeAPI) endpoints() discoveryv1.EndpointSlice {
	port := func(name string, number int32) discoveryv1.EndpointPort {
		return discoveryv1.EndpointPort{Name: &name, Port: &number}
	}
	endpoint := func(pod string, ready bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{
			Conditions: discoveryv1.EndpointConditions{Ready: &ready},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Name: pod},
		}
	}
	slice := discoveryv1.EndpointSlice{
		Ports:     []discoveryv1.EndpointPort{port("metrics", 9090), port("http", 8080)},
		Endpoints: []discoveryv1.Endpoint{endpoint("starting", false)},
	}
	if pod := a.ready.Load(); pod != nil {
		slice.Endpoints = append(slice.Endpoints, endpoint(*pod, true))
	}
	return slice
}

// forward serves the pod's side of a port-forward.
func (a *fakeAPI) forward(w http.ResponseWriter, r *http.Request) {
	pod := strings.Split(r.URL.Path, "/")[6] // /api/v1/namespaces/NAMESPACE/pods/POD/portforward
	if _, err := httpstream.Handshake(r, w, []string{forwardProtocol}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream, 2)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	if conn == nil {
		return
	}
	defer conn.Close()
	var errorStream, dataStream httpstream.Stream
	for range 2 {
		s := <-streams
		if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
			errorStream = s
		} else {
			dataStream = s
		}
	}
	if a.refuses.Load() {
		_, _ = io.WriteString(errorStream, "connection refused by the pod")
		_ = errorStream.Close()
		_ = dataStream.Close()
		<-conn.CloseChan()
		return
	}
	_ = errorStream.Close()
	scanner := bufio.NewScanner(dataStream)
	for scanner.Scan() {
		fmt.Fprintf(dataStream, "%s:%s %s\n", pod, dataStream.Headers().Get(corev1.PortHeader), scanner.Text())
	}
	_ = dataStream.Close()
	<-conn.CloseChan()
}

// startForwarder runs a forwarder on a free port and returns its address.
func startForwarder(t *testing.T, a *fakeAPI) string {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	config := &rest.Config{Host: server.URL}
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	f := &forwarder{config: config, client: client, target: Target{Namespace: "ns", Service: "front", Port: 80}}
	go func() { done <- f.serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done, "a canceled forwarder returns no error")
	})
	return listener.Addr().String()
}

// exchangeLine sends one line and returns the line that comes back.
func exchangeLine(t *testing.T, conn net.Conn, line string) (string, error) {
	t.Helper()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	if _, err := fmt.Fprintln(conn, line); err != nil {
		return "", err
	}
	response, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(response), err
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestConnectionsAreForwardedToTheReadyPod(t *testing.T) {
	a := &fakeAPI{t: t}
	address := startForwarder(t, a)

	_, err := exchangeLine(t, dial(t, address), "early")
	require.Error(t, err, "no pod is ready: the connection is closed")

	first, second := "a", "b"
	a.ready.Store(&first)
	open := dial(t, address)
	response, err := exchangeLine(t, open, "one")
	require.NoError(t, err)
	require.Equal(t, "a:8080 one", response, "the pod's port, not the service's")

	a.ready.Store(&second) // a rollout
	response, err = exchangeLine(t, dial(t, address), "two")
	require.NoError(t, err)
	require.Equal(t, "b:8080 two", response, "a new connection goes to the new pod")
	response, err = exchangeLine(t, open, "three")
	require.NoError(t, err)
	require.Equal(t, "a:8080 three", response, "an open connection stays with its pod")

	a.refuses.Store(true)
	_, err = exchangeLine(t, dial(t, address), "four")
	require.Error(t, err, "a connection that the pod refuses is closed")
}

func TestPickPodNamesTheMissingObject(t *testing.T) {
	a := &fakeAPI{t: t}
	server := httptest.NewServer(a)
	defer server.Close()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	require.NoError(t, err)
	for _, tc := range []struct {
		reason string
		target Target
		want   string
	}{
		{"no pod is ready", Target{"ns", "front", 80}, "service ns/front has no ready pod"},
		{"the service has other ports", Target{"ns", "front", 81}, "service ns/front has no port 81"},
		{"no such service", Target{"ns", "other", 80}, "not find"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, _, err := (&forwarder{client: client, target: tc.target}).pickPod(t.Context())
			require.ErrorContains(t, err, tc.want)
		})
	}
}
