package localcluster

import (
	"context"
	"slices"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// The names of the components. `sandbox run NAME`, the logs and the process records use
// them.
const (
	Registry          = "registry"
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Containerd        = "containerd"
	Kubelet           = "kubelet"
	Proxy             = "kube-proxy"
	NetworkPolicies   = "kube-network-policies"
	Kwok              = "kwok"
	Volumes           = "volumes"
)

// Forward is the name of the process that forwards to the front service in the user's own
// cluster. It is not a component, because it starts after the platform is deployed.
const Forward = "forward"

// Component is one row of the table Components, on which start, stop, status
// and the search for residue are based.
type Component struct {
	Name string
	// Kinds are the kinds of cluster that have the component.
	Kinds []string
	// After are the components that must be healthy before this one starts. They stop
	// only after this one has stopped.
	After []string
	// Ports are the component's ports on 127.0.0.1. The status shows the first one.
	Ports func(layout.Ports) []layout.NamedPort
	// Flags are the flags of the component's Kubernetes command; package components
	// passes them to the command.
	Flags func(*layout.Layout) []string
	// Files are the paths of files that the component reads when it starts.
	Files func(*layout.Layout) []string
	// GOGC is the environment variable GOGC: by how many percent the heap grows before Go's
	// garbage collector runs. Values below Go's default of 100 save memory and cost CPU time. An
	// idle cluster has enough CPU time; docs/performance.md has the measured memory. A simulated
	// cluster has the default, because it exists only while Pulumi runs. So has 0.
	GOGC int
	// CheckHealth returns an error if the component does not work.
	CheckHealth func(context.Context, *layout.Layout) error
	// StartTimeout is how long the component may take to become healthy. It is long enough for
	// a machine that compiles something at the same time.
	StartTimeout time.Duration
	// Grace is how long the component may take to end after SIGTERM.
	Grace time.Duration
}

var (
	allKinds        = []string{layout.ClusterLocal, layout.ClusterSimulated, layout.ClusterExisting}
	ownControlPlane = []string{layout.ClusterLocal, layout.ClusterSimulated} // the control plane is part of the sandbox
	localOnly       = []string{layout.ClusterLocal}
	simulatedOnly   = []string{layout.ClusterSimulated}
)

// Components are the processes of a cluster, in the order in which they start.
var Components = []Component{
	{
		Name: Registry, GOGC: 50, Kinds: allKinds,
		Ports:        func(p layout.Ports) []layout.NamedPort { return singlePort("registry", p.Registry) },
		CheckHealth:  checkRegistry,
		StartTimeout: 30 * time.Second, Grace: 5 * time.Second,
	},
	{
		Name: Etcd, GOGC: 50, Kinds: ownControlPlane,
		Ports: func(p layout.Ports) []layout.NamedPort {
			return append(singlePort("etcd", p.EtcdClient), singlePort("etcd (peers)", p.EtcdPeer)...)
		},
		CheckHealth: checkEtcd,
		// After SIGTERM, etcd waits for its clients for several seconds. A short Grace is safe,
		// because a kill loses no acknowledged write.
		StartTimeout: time.Minute, Grace: 2 * time.Second,
	},
	{
		Name: APIServer, Kinds: ownControlPlane, After: []string{Etcd},
		Ports: func(p layout.Ports) []layout.NamedPort { return singlePort("API server", p.APIServer) },
		Flags: apiServerFlags, CheckHealth: checkAPIServer, GOGC: 25, // it has the largest heap
		// After SIGTERM, the API server waits until all watches end. A short Grace is safe,
		// because the data are in etcd, so a kill loses none.
		StartTimeout: 2 * time.Minute, Grace: 5 * time.Second,
	},
	{
		Name: ControllerManager, GOGC: 50, Kinds: ownControlPlane, After: []string{APIServer},
		Ports: func(p layout.Ports) []layout.NamedPort { return singlePort("controller manager", p.ControllerManager) },
		Flags: controllerManagerFlags, CheckHealth: checkControllerManager,
		StartTimeout: time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: Scheduler, GOGC: 50, Kinds: ownControlPlane, After: []string{APIServer},
		Ports: func(p layout.Ports) []layout.NamedPort { return singlePort("scheduler", p.Scheduler) },
		Flags: schedulerFlags, CheckHealth: checkScheduler,
		StartTimeout: time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: Containerd, GOGC: 50, Kinds: localOnly,
		Files:        func(l *layout.Layout) []string { return []string{nodePaths{l}.config(containerdConfig)} },
		CheckHealth:  checkContainerd,
		StartTimeout: time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: Kubelet, GOGC: 50, Kinds: localOnly, After: []string{APIServer, Containerd},
		Ports: func(p layout.Ports) []layout.NamedPort {
			return append(singlePort("kubelet", p.Kubelet), singlePort("kubelet (health)", p.KubeletHealth)...)
		},
		Flags: kubeletFlags, CheckHealth: checkKubelet,
		Files:        func(l *layout.Layout) []string { return []string{nodePaths{l}.config(kubeletConfig)} },
		StartTimeout: 2 * time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: Proxy, GOGC: 50, Kinds: localOnly, After: []string{APIServer, Kubelet},
		Ports: func(p layout.Ports) []layout.NamedPort {
			// kube-proxy does not listen on node ports, but its iptables rules handle all
			// packets to them. Another process that listens on a node port would get no packet.
			// So the node port is in this list, and Start requires that it is free.
			return slices.Concat(singlePort("kube-proxy (health)", p.ProxyHealth),
				singlePort("kube-proxy (metrics)", p.ProxyMetrics), singlePort("front door (node port)", p.NodePort))
		},
		Flags: proxyFlags, CheckHealth: checkProxy,
		StartTimeout: time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: NetworkPolicies, GOGC: 50, Kinds: localOnly, After: []string{APIServer, Kubelet},
		CheckHealth:  checkNetworkPolicies,
		StartTimeout: time.Minute, Grace: 5 * time.Second,
	},
	{
		Name: Kwok, Kinds: simulatedOnly, After: []string{APIServer},
		// kwok replaces the kubelet, so it uses the kubelet's port.
		Ports: func(p layout.Ports) []layout.NamedPort {
			return singlePort("simulated nodes (health)", p.KubeletHealth)
		},
		CheckHealth:  checkKwok,
		StartTimeout: time.Minute, Grace: 10 * time.Second,
	},
	{
		Name: Volumes, GOGC: 50, Kinds: ownControlPlane, After: []string{APIServer},
		Ports:        func(p layout.Ports) []layout.NamedPort { return singlePort("volumes (health)", p.Volumes) },
		CheckHealth:  checkVolumes,
		StartTimeout: time.Minute, Grace: 5 * time.Second,
	},
}

// singlePort returns a list of one port.
func singlePort(name string, port int) []layout.NamedPort {
	return []layout.NamedPort{{Name: name, Port: port}}
}

// ComponentsFor returns the components that a sandbox's kind of cluster has. The component
// Registry is missing if the settings name a registry of the user.
func ComponentsFor(l *layout.Layout) []Component {
	var components []Component
	for _, c := range Components {
		replacedByUser := c.Name == Registry && l.Settings.Registry != ""
		if slices.Contains(c.Kinds, l.Cluster) && !replacedByUser {
			components = append(components, c)
		}
	}
	return components
}

// ComponentByName returns the component with this name, and false if there is none.
func ComponentByName(name string) (Component, bool) {
	i := slices.IndexFunc(Components, func(c Component) bool { return c.Name == name })
	if i < 0 {
		return Component{}, false
	}
	return Components[i], true
}
