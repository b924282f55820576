package cluster

import (
	"context"
	"slices"
	"time"

	"github.com/progressive-framework/platform/sandbox/home"
)

// The names of the components: of their processes, logs and records, and the
// NAME of `sandbox run NAME`.
const (
	Registry          = "registry"
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Containerd        = "containerd"
	Kubelet           = "kubelet"
	Proxy             = "kube-proxy"
	Kwok              = "kwok"
	Volumes           = "volumes"
)

// Forward is the process that leads to the front door in a person's own
// cluster. It is no component: it starts after the platform.
const Forward = "forward"

// Component is one row of the table that everything here walks.
type Component struct {
	Name string
	// Kinds are the kinds of cluster that it belongs to.
	Kinds []string
	// After are the components that must be healthy before it starts, and that
	// stop only after it.
	After []string
	// Ports are what it takes on 127.0.0.1, the one to show first.
	Ports func(home.Ports) []home.NamedPort
	// Flags are those of the command of that name in Kubernetes; package
	// components passes them on.
	Flags func(*home.Home) []string
	// Files are what it reads when it starts, by path.
	Files func(*home.Home) []string
	// Env is its environment beside home.Variable.
	Env []string
	// Healthy tells whether it does its work.
	Healthy func(context.Context, *home.Home) error
	// Limit is how long it may take to become healthy, on a machine that
	// compiles something else meanwhile.
	Limit time.Duration
	// Grace is how long it may take to end by itself.
	Grace time.Duration
}

var (
	everywhere = []string{home.ClusterLocal, home.ClusterSimulated, home.ClusterExisting}
	ours       = []string{home.ClusterLocal, home.ClusterSimulated}
	local      = []string{home.ClusterLocal}
	simulated  = []string{home.ClusterSimulated}
)

// lean makes the garbage collector run twice as often as by default. In an idle
// sandbox that takes the API server from 225 MB to 180 MB; with the others it
// makes a difference of 3 MB at most.
var lean = []string{"GOGC=50"}

// Components are the processes of a cluster, in the order in which they start.
var Components = []Component{
	{
		Name: Registry, Kinds: everywhere,
		Ports:   func(p home.Ports) []home.NamedPort { return ports("registry", p.Registry) },
		Healthy: registryHealthy,
		Limit:   30 * time.Second, Grace: 5 * time.Second,
	},
	{
		Name: Etcd, Kinds: ours,
		Ports: func(p home.Ports) []home.NamedPort {
			return append(ports("etcd", p.EtcdClient), ports("etcd (peers)", p.EtcdPeer)...)
		},
		Healthy: etcdHealthy,
		// It would wait seconds for its clients; what it acknowledged is written.
		Limit: time.Minute, Grace: 2 * time.Second,
	},
	{
		Name: APIServer, Kinds: ours, After: []string{Etcd},
		Ports: func(p home.Ports) []home.NamedPort { return ports("API server", p.APIServer) },
		Flags: apiServerFlags, Healthy: apiServerHealthy, Env: lean,
		// It would wait for whoever still watches; etcd holds all that matters.
		Limit: 2 * time.Minute, Grace: 5 * time.Second,
	},
	{
		Name: ControllerManager, Kinds: ours, After: []string{APIServer},
		Ports: func(p home.Ports) []home.NamedPort { return ports("controller manager", p.ControllerManager) },
		Flags: controllerManagerFlags, Healthy: controllerManagerHealthy,
		Limit: time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: Scheduler, Kinds: ours, After: []string{APIServer},
		Ports: func(p home.Ports) []home.NamedPort { return ports("scheduler", p.Scheduler) },
		Flags: schedulerFlags, Healthy: schedulerHealthy,
		Limit: time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: Containerd, Kinds: local,
		Files:   func(h *home.Home) []string { return []string{layout{h}.config(containerdConfig)} },
		Healthy: containerdHealthy,
		Limit:   time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: Kubelet, Kinds: local, After: []string{APIServer, Containerd},
		Ports: func(p home.Ports) []home.NamedPort {
			return append(ports("kubelet", p.Kubelet), ports("kubelet (health)", p.KubeletHealth)...)
		},
		Flags: kubeletFlags, Healthy: kubeletHealthy,
		Files: func(h *home.Home) []string { return []string{layout{h}.config(kubeletConfig)} },
		Limit: 2 * time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: Proxy, Kinds: local, After: []string{APIServer, Kubelet},
		Ports: func(p home.Ports) []home.NamedPort {
			// kube-proxy does not listen on node ports, but what does would no
			// longer be reached.
			return slices.Concat(ports("kube-proxy (health)", p.ProxyHealth),
				ports("kube-proxy (metrics)", p.ProxyMetrics), ports("front door (node port)", p.NodePort))
		},
		Flags: proxyFlags, Healthy: proxyHealthy,
		Limit: time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: Kwok, Kinds: simulated, After: []string{APIServer},
		// It plays the kubelet, and so answers where that would.
		Ports:   func(p home.Ports) []home.NamedPort { return ports("simulated nodes (health)", p.KubeletHealth) },
		Healthy: kwokHealthy,
		Limit:   time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: Volumes, Kinds: ours, After: []string{APIServer},
		Ports:   func(p home.Ports) []home.NamedPort { return ports("volumes (health)", p.Volumes) },
		Healthy: volumesHealthy,
		Limit:   time.Minute, Grace: 5 * time.Second,
	},
}

func ports(name string, port int) []home.NamedPort { return []home.NamedPort{{Name: name, Port: port}} }

// In returns the components that a sandbox is made of.
func In(h *home.Home) []Component {
	var in []Component
	for _, c := range Components {
		switch {
		case !slices.Contains(c.Kinds, h.Cluster):
		case c.Name == Registry && h.Settings.Registry != "": // the person's own
		default:
			in = append(in, c)
		}
	}
	return in
}

// ByName returns a row of the table.
func ByName(name string) (Component, bool) {
	i := slices.IndexFunc(Components, func(c Component) bool { return c.Name == name })
	if i < 0 {
		return Component{}, false
	}
	return Components[i], true
}
