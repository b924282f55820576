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

// maxBody bounds a pod's answer in bytes. A service has about 30 kB of metrics, and ten
// minutes of Prometheus' answer a few times that for each pod.
const maxBody = 8 << 20

// PodGet sends a GET to a port of a pod and returns the body of a 200.
type PodGet func(ctx context.Context, namespace, pod string, port int, path string) ([]byte, error)

// forward returns a PodGet that goes through the API server and the pod's kubelet, as
// `kubectl port-forward` does: no network policy and no security group has to admit it. The
// proxy of the API server is no alternative. On EKS the control plane may not connect to
// pods' own ports (components/cluster/security.go).
func forward(config *rest.Config, client kubernetes.Interface) PodGet {
	return func(ctx context.Context, namespace, pod string, port int, path string) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		roundTripper, upgrader, err := spdy.RoundTripperFor(config)
		if err != nil {
			return nil, err
		}
		url := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").URL()
		link, _, err := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: roundTripper, Timeout: requestTimeout}, http.MethodPost, url).Dial(forwardProtocol)
		if err != nil {
			return nil, fmt.Errorf("port-forward to pod/%s: %w", pod, err)
		}
		defer link.Close()
		defer context.AfterFunc(ctx, func() { _ = link.Close() })()
		return get(ctx, link, port, path)
	}
}

// get sends a GET on a connection to a pod.
func get(ctx context.Context, link httpstream.Connection, port int, path string) ([]byte, error) {
	conn, failure, err := dial(link, port)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://pod:"+strconv.Itoa(port)+path, nil)
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
	response, err := client.Do(request)
	if err != nil {
		select {
		case text := <-failure: // what the kubelet says explains more
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
		return nil, fmt.Errorf("the answer to %s has more than %d bytes", path, maxBody)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answered %s", path, response.Status)
	}
	return body, nil
}

// dial opens the two streams of the protocol: failure gets what the kubelet says when it
// can't connect.
func dial(link httpstream.Connection, port int) (conn net.Conn, failure <-chan string, err error) {
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, "0")
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	failures, err := link.CreateStream(headers)
	if err != nil {
		return nil, nil, fmt.Errorf("stream for errors: %w", err)
	}
	_ = failures.Close() // it is only read
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := link.CreateStream(headers)
	if err != nil {
		return nil, nil, fmt.Errorf("stream for data: %w", err)
	}
	said := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(failures, 4<<10))
		said <- string(text)
	}()
	return &streamConn{data}, said, nil
}

// streamConn is a stream as a net.Conn. Deadlines are those of the connection that
// carries it.
type streamConn struct{ httpstream.Stream }

func (*streamConn) LocalAddr() net.Addr              { return forwarded{} }
func (*streamConn) RemoteAddr() net.Addr             { return forwarded{} }
func (*streamConn) SetDeadline(time.Time) error      { return nil }
func (*streamConn) SetReadDeadline(time.Time) error  { return nil }
func (*streamConn) SetWriteDeadline(time.Time) error { return nil }

type forwarded struct{}

func (forwarded) Network() string { return "port-forward" }
func (forwarded) String() string  { return "pod" }
