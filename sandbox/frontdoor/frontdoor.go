// Package frontdoor forwards connections from the sandbox's node port on this machine to
// a service of a user's own cluster. The connections go through the API server of that
// cluster, as with `kubectl port-forward`. So the platform has the same URL on every kind
// of cluster.
//
// Each connection is forwarded to a pod that is ready when the connection is opened. So new
// connections reach new pods after a rollout, as with kube-proxy.
package frontdoor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// Target is the service to which connections are forwarded.
type Target struct {
	Namespace string
	Service   string
	// Port is the service's port, not the pod's.
	Port int
}

// lookupTimeout limits the search for a ready pod.
const lookupTimeout = 10 * time.Second

// forwardProtocol is the subprotocol of `kubectl port-forward`.
const forwardProtocol = "portforward.k8s.io"

// Run listens on 127.0.0.1 at the sandbox's node port until ctx ends, and forwards connections
// to the target. If no pod is ready, Run closes each new connection and logs the reason.
func Run(ctx context.Context, l *layout.Layout, target Target) error {
	config, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig())
	if err != nil {
		return fmt.Errorf("forward: kubeconfig %s: %w", l.Kubeconfig(), err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Ports.NodePort))
	var listenConfig net.ListenConfig
	listener, err := listenConfig.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	slog.Info("forwarding", "address", address, "namespace", target.Namespace, "service", target.Service)
	f := &forwarder{config: config, client: client, target: target}
	return f.serve(ctx, listener)
}

// forwarder forwards connections to the ready pods of a target.
type forwarder struct {
	config *rest.Config
	client kubernetes.Interface
	target Target
}

// serve accepts and forwards connections until ctx ends. It returns when all connections are
// closed.
func (f *forwarder) serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	var openConnections sync.WaitGroup
	defer openConnections.Wait()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("forward: %w", err)
		}
		openConnections.Go(func() {
			defer conn.Close()
			if err := f.forwardConnection(ctx, conn); err != nil && ctx.Err() == nil {
				slog.Warn("connection not forwarded", "error", err)
			}
		})
	}
}

// forwardConnection forwards one connection to a ready pod.
func (f *forwarder) forwardConnection(ctx context.Context, conn net.Conn) error {
	pod, port, err := f.pickPod(ctx)
	if err != nil {
		return err
	}
	transport, upgrader, err := spdy.RoundTripperFor(f.config)
	if err != nil {
		return err
	}
	url := f.client.CoreV1().RESTClient().Post().Resource("pods").
		Namespace(f.target.Namespace).Name(pod).SubResource("portforward").URL()
	dialer := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	podConn, _, err := dialer.Dial(forwardProtocol)
	if err != nil {
		return fmt.Errorf("port-forward to pod %s: %w", pod, err)
	}
	defer podConn.Close()
	stop := context.AfterFunc(ctx, func() { _ = podConn.Close(); _ = conn.Close() })
	defer stop()
	return copyBothWays(podConn, conn, port)
}

// copyBothWays copies data in both directions between conn and a port of the pod. podConn is the
// connection to the pod through the API server. The protocol has one stream for errors and one for
// data.
func copyBothWays(podConn httpstream.Connection, conn net.Conn, port int) error {
	headers := http.Header{}
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, "0")
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	errorStream, err := podConn.CreateStream(headers)
	if err != nil {
		return fmt.Errorf("stream for errors: %w", err)
	}
	_ = errorStream.Close() // closes only the sending direction; the stream can still be read
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	dataStream, err := podConn.CreateStream(headers)
	if err != nil {
		return fmt.Errorf("stream for data: %w", err)
	}
	remoteErr := make(chan error, 1)
	go func() {
		message, err := io.ReadAll(io.LimitReader(errorStream, 4<<10))
		if err == nil && len(message) > 0 {
			err = errors.New(string(message))
		}
		remoteErr <- err
	}()
	go func() {
		_, _ = io.Copy(dataStream, conn)
		_ = dataStream.Close()
	}()
	_, copyErr := io.Copy(conn, dataStream)
	_ = podConn.Close()
	if err := <-remoteErr; err != nil {
		return err
	}
	return copyErr
}

// pickPod returns a random ready pod of the service and the pod's port.
func (f *forwarder) pickPod(ctx context.Context) (pod string, port int, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	service, err := f.client.CoreV1().Services(f.target.Namespace).Get(ctx, f.target.Service, metav1.GetOptions{})
	if err != nil {
		return "", 0, err
	}
	portName, found := "", false
	for _, p := range service.Spec.Ports {
		if int(p.Port) == f.target.Port {
			portName, found = p.Name, true
		}
	}
	if !found {
		return "", 0, fmt.Errorf("service %s/%s has no port %d", f.target.Namespace, f.target.Service, f.target.Port)
	}
	endpointSlices, err := f.client.DiscoveryV1().EndpointSlices(f.target.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: discoveryv1.LabelServiceName + "=" + f.target.Service,
	})
	if err != nil {
		return "", 0, err
	}
	type candidate struct {
		pod  string
		port int
	}
	var candidates []candidate
	for _, slice := range endpointSlices.Items {
		for _, p := range slice.Ports {
			if p.Name == nil || *p.Name != portName || p.Port == nil {
				continue
			}
			for _, e := range slice.Endpoints {
				if isReadyPod(e) {
					candidates = append(candidates, candidate{e.TargetRef.Name, int(*p.Port)})
				}
			}
		}
	}
	if len(candidates) == 0 {
		return "", 0, fmt.Errorf("service %s/%s has no ready pod", f.target.Namespace, f.target.Service)
	}
	chosen := candidates[rand.IntN(len(candidates))]
	return chosen.pod, chosen.port, nil
}

// isReadyPod reports whether an endpoint is a pod that is ready.
func isReadyPod(e discoveryv1.Endpoint) bool {
	return e.Conditions.Ready != nil && *e.Conditions.Ready && e.TargetRef != nil && e.TargetRef.Kind == "Pod"
}
