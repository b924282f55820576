package layout

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// FindFreePorts returns ports that no process listens on. They are from 20000 to 29999, because
// Linux gives ports from 32768 to connections and to listeners on port 0. Such a listener could
// take a port before the sandbox listens on it.
func FindFreePorts() (Ports, error) {
	const first, last = 20000, 29999
	var (
		ports     Ports
		listeners []net.Listener
	)
	defer func() {
		for _, listener := range listeners {
			listener.Close()
		}
	}()
	candidates := rand.Perm(last - first + 1)
	for _, port := range []*int{
		&ports.APIServer, &ports.EtcdClient, &ports.EtcdPeer, &ports.ControllerManager, &ports.Scheduler,
		&ports.Kubelet, &ports.KubeletHealth, &ports.ProxyHealth, &ports.ProxyMetrics, &ports.Volumes, &ports.Registry, &ports.NodePort,
	} {
		for *port == 0 {
			if len(candidates) == 0 {
				return Ports{}, fmt.Errorf("no free port from %d to %d of 127.0.0.1: stop processes that listen there", first, last)
			}
			candidate := first + candidates[0]
			candidates = candidates[1:]
			if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", candidate)); err == nil {
				listeners = append(listeners, listener)
				*port = candidate
			}
		}
	}
	return ports, nil
}
