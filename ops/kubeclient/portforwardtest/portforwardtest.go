// Package portforwardtest implements the pod's side of a port-forward, for tests of code that reads
// pods.
package portforwardtest

import (
	"bufio"
	"io"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// protocol is the subprotocol of `kubectl port-forward`.
const protocol = "portforward.k8s.io"

// Is reports whether a request opens a port-forward to a pod.
func Is(r *http.Request, namespace, pod string) bool {
	return strings.HasSuffix(r.URL.Path, "/namespaces/"+namespace+"/pods/"+pod+"/portforward")
}

// Serve handles one HTTP request to the pod. answer returns the bytes of the response, or the
// kubelet's message if it can't connect.
func Serve(w http.ResponseWriter, r *http.Request, answer func(port string, request *http.Request) (response, failure string)) {
	if _, err := httpstream.Handshake(r, w, []string{protocol}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream, 2)
	link := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	if link == nil {
		return
	}
	defer link.Close()
	failures, data := <-streams, <-streams
	if data.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
		failures, data = data, failures
	}
	if request, err := http.ReadRequest(bufio.NewReader(data)); err == nil {
		response, failure := answer(data.Headers().Get(corev1.PortHeader), request)
		_, _ = io.WriteString(failures, failure)
		_, _ = io.WriteString(data, response)
	}
	_ = failures.Close()
	_ = data.Close()
	<-link.CloseChan()
}
