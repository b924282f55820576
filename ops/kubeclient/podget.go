package kubeclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// forwardProtocol is the subprotocol of `kubectl port-forward`.
const forwardProtocol = "portforward.k8s.io"

// maxBody limits a pod's response in bytes. The metrics of a service have about 30 kB. The response
// of Prometheus has the counters of all pods. It has several times as many bytes for each pod.
const maxBody = 8 << 20

// PodGet sends a GET to a port of a pod and returns the body of a response with status 200. The
// error for another status is a *StatusError.
type PodGet func(ctx context.Context, namespace, pod string, port int, path string) ([]byte, error)

// StatusError is a response of a pod with a status other than 200.
type StatusError struct {
	Path string
	Code int
	Body []byte
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s responded with %d %s", e.Path, e.Code, http.StatusText(e.Code))
}

// newPodGet returns a PodGet that uses the API server and the pod's kubelet, as `kubectl
// port-forward` does. So no network policy and no security group has to allow the connection. The
// proxy of the API server does not work on EKS: its control plane may not connect to the ports of
// pods (components/cluster/security.go).
func newPodGet(config *rest.Config, client kubernetes.Interface) PodGet {
	return func(ctx context.Context, namespace, pod string, port int, path string) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		roundTripper, upgrader, err := spdy.RoundTripperFor(config)
		if err != nil {
			return nil, err
		}
		url := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").URL()
		connection, _, err := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: roundTripper, Timeout: requestTimeout}, http.MethodPost, url).Dial(forwardProtocol)
		if err != nil {
			return nil, fmt.Errorf("port-forward to pod/%s: %w", pod, err)
		}
		defer connection.Close()
		defer context.AfterFunc(ctx, func() { _ = connection.Close() })()
		return getFromPod(ctx, connection, port, path)
	}
}

// getFromPod sends a GET over a connection to a pod.
func getFromPod(ctx context.Context, connection httpstream.Connection, port int, path string) ([]byte, error) {
	conn, failure, err := openStreams(connection, port)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://pod:"+strconv.Itoa(port)+path, nil) //nolint:gosec // the only connection leads to the pod
	if err != nil {
		return nil, err
	}
	client := http.Client{
		Transport: &http.Transport{
			DialContext:       func(context.Context, string, string) (net.Conn, error) { return conn, nil },
			DisableKeepAlives: true, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request) //nolint:gosec // see above
	if err != nil {
		select {
		case text := <-failure: // the kubelet's message explains more
			if text != "" {
				err = errors.New(text)
			}
		case <-time.After(100 * time.Millisecond):
		}
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > maxBody:
		return nil, fmt.Errorf("the response to %s has more than %d bytes", path, maxBody)
	case response.StatusCode != http.StatusOK:
		return nil, &StatusError{path, response.StatusCode, body}
	}
	return body, nil
}

// openStreams opens the two streams of the protocol: one for errors and one for data. The channel
// failure has the error message of the kubelet if the kubelet can't connect to the port. Otherwise
// it has "".
func openStreams(connection httpstream.Connection, port int) (conn net.Conn, failure <-chan string, err error) {
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, "0")
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	errorStream, err := connection.CreateStream(headers)
	if err != nil {
		return nil, nil, fmt.Errorf("stream for errors: %w", err)
	}
	_ = errorStream.Close() // this side writes nothing to the stream for errors
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	dataStream, err := connection.CreateStream(headers)
	if err != nil {
		return nil, nil, fmt.Errorf("stream for data: %w", err)
	}
	message := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(errorStream, 4<<10))
		message <- string(text)
	}()
	return &streamConn{dataStream}, message, nil
}

// streamConn implements net.Conn with a stream. It ignores deadlines, because the connection of the
// stream has a deadline.
type streamConn struct{ httpstream.Stream }

func (*streamConn) LocalAddr() net.Addr              { return portForwardAddr{} }
func (*streamConn) RemoteAddr() net.Addr             { return portForwardAddr{} }
func (*streamConn) SetDeadline(time.Time) error      { return nil }
func (*streamConn) SetReadDeadline(time.Time) error  { return nil }
func (*streamConn) SetWriteDeadline(time.Time) error { return nil }

// portForwardAddr is the address of both ends of a streamConn.
type portForwardAddr struct{}

func (portForwardAddr) Network() string { return "port-forward" }
func (portForwardAddr) String() string  { return "pod" }
