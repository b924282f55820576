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

// IsPortForward reports whether a request opens a port-forward to a pod.
func IsPortForward(r *http.Request, namespace, pod string) bool {
	return strings.HasSuffix(r.URL.Path, "/namespaces/"+namespace+"/pods/"+pod+"/portforward")
}

// Serve handles one HTTP request to the pod. respond returns the bytes of the response, or the error
// message of the kubelet if it can't connect to the port.
func Serve(w http.ResponseWriter, r *http.Request, respond func(port string, request *http.Request) (response, failure string)) {
	if _, err := httpstream.Handshake(r, w, []string{protocol}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream, 2)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	if connection == nil {
		return
	}
	defer connection.Close()
	errorStream, dataStream := <-streams, <-streams
	if dataStream.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
		errorStream, dataStream = dataStream, errorStream
	}
	if request, err := http.ReadRequest(bufio.NewReader(dataStream)); err == nil {
		response, failure := respond(dataStream.Headers().Get(corev1.PortHeader), request)
		_, _ = io.WriteString(errorStream, failure)
		_, _ = io.WriteString(dataStream, response)
	}
	_ = errorStream.Close()
	_ = dataStream.Close()
	<-connection.CloseChan()
}
