package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"

	"github.com/progressive-framework/platform/sandbox/home"
)

// The addresses and names of a sandbox's cluster; package doc says why these.
const (
	PodCIDR     = "100.64.0.0/16"
	ServiceCIDR = "100.65.0.0/16"
	// APIService is the address of the service kubernetes.default.svc.
	APIService = "100.65.0.1"
	// DNSAddress is the address that pods send their DNS queries to.
	DNSAddress    = "100.65.0.10"
	ClusterDomain = "cluster.local"
	// NodeName and NodeAddress are those of the one node of a local cluster.
	NodeName    = "sandbox"
	NodeAddress = "100.66.0.1"
	// Region and Zone are the labels of that node.
	Region = "us-east-1"
	Zone   = "us-east-1a"
	// podGateway is the host's end of every pod's link: the first address of
	// PodCIDR.
	podGateway = "100.64.0.1"
	// addressLabel marks the node's address on the loopback device as ours.
	addressLabel = "lo:sandbox"
)

// layout says where the files of a cluster lie.
type layout struct{ h *home.Home }

// id tells the runtime files of one sandbox from those of another.
func (l layout) id() string {
	sum := sha256.Sum256([]byte(l.h.Dir))
	return "progressive-" + hex.EncodeToString(sum[:4])
}

// run is the folder of sockets and of containerd's volatile state. It lies
// outside the sandbox's folder because the path of a unix socket has at most
// 107 characters, and in /run because a reboot must forget it: mounts, network
// namespaces and containers do not outlive one either.
func (l layout) run() string { return "/run/" + l.id() }

func (l layout) containerdSocket() string { return l.run() + "/containerd.sock" }
func (l layout) containerdState() string  { return l.run() + "/containerd" }
func (l layout) containerdRoot() string   { return filepath.Join(l.h.Dir, "containerd") }

// kubeletSocket is the longest path below the kubelet's folder that has to fit
// a socket's address.
const kubeletSocket = "/pod-resources/kubelet.sock"

// kubelet is the folder of the pods' volumes. It moves out of a sandbox whose
// own path is too long for the sockets in it.
func (l layout) kubelet() string {
	dir := filepath.Join(l.h.Dir, "kubelet")
	if len(dir+kubeletSocket) > 107 {
		return "/var/lib/" + l.id()
	}
	return dir
}

func (l layout) config(name string) string { return filepath.Join(l.h.Dir, "config", name) }

// cgroup is the parent of all cgroups of pods, below each controller's root.
func (l layout) cgroup() string { return "/" + l.id() }

// podLogs holds the output of the containers.
func (l layout) podLogs() string { return filepath.Join(l.h.Logs(), "pods") }

// nodeState says what Start changed in the kernel, for Stop to put back. There
// is one for the machine: two local clusters would share iptables and the
// node's address.
const nodeState = "/run/progressive-node.json"
