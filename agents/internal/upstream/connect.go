package upstream

import (
	"context"
	"errors"
	"net"
	"time"
)

const (
	// connectTimeout bounds one attempt to connect. It is five times the design document's
	// limit between agents (inter_agent_communication, 100 ms).
	connectTimeout = 500 * time.Millisecond
	// connectPause is the time between two attempts to connect. kube-proxy writes the kernel's
	// rules in several steps. Between two steps, the rules may contain no pod of the service.
	connectPause = 100 * time.Millisecond
)

// dialFunc connects to an address, as net.Dialer.DialContext does.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// connectTwice returns a dialFunc that tries a second time if the first attempt fails. An attempt to
// connect sends no byte of the request, so a second attempt is safe for every request.
//
// For each connection kube-proxy chooses one of the service's pods. It may choose a pod that
// has just ended, because the rules change some time later. If the pod does not respond, the
// kernel sends the first packet again, but to the same pod. Only a new connection can reach
// another pod.
func connectTwice(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := dial(ctx, network, address)
		if err == nil {
			return connection, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(connectPause):
			return dial(ctx, network, address)
		}
	}
}

// isConnectError reports whether err is from an attempt to connect. Then the service has not
// received the request.
func isConnectError(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && operation.Op == "dial"
}
