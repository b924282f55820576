package localcluster

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// The addresses and names of a sandbox's cluster; see the package comment.
const (
	PodCIDR     = "100.64.0.0/16"
	ServiceCIDR = "100.65.0.0/16"
	// APIService is the address of the service kubernetes.default.svc.
	APIService = "100.65.0.1"
	// DNSAddress is the address that pods send their DNS queries to.
	DNSAddress    = "100.65.0.10"
	ClusterDomain = "cluster.local"
	// NodeName and NodeAddress belong to the single node of a local cluster.
	NodeName    = "sandbox"
	NodeAddress = "100.66.0.1"
	// Region and Zone are the labels of that node.
	Region = "us-east-1"
	Zone   = "us-east-1a"
	// podGateway is the host's end of every pod's link: the first address of
	// PodCIDR.
	podGateway = "100.64.0.1"
	// addressLabel marks the node's address on the loopback device.
	addressLabel = "lo:sandbox"
)

// nodePaths returns the paths of a local cluster's files.
type nodePaths struct{ layout *layout.Layout }

// id is part of paths outside the sandbox's folder, and differs for each
// sandbox.
func (paths nodePaths) id() string {
	sum := sha256.Sum256([]byte(paths.layout.Dir))
	return "progressive-" + hex.EncodeToString(sum[:4])
}

// run is the folder of sockets and of containerd's volatile state. It is outside
// the sandbox's folder, because the path of a unix socket has at most 107
// characters. It is in /run because a reboot must delete it: it also ends mounts,
// network namespaces and containers.
func (paths nodePaths) run() string { return "/run/" + paths.id() }

func (paths nodePaths) containerdSocket() string { return paths.run() + "/containerd.sock" }
func (paths nodePaths) containerdState() string  { return paths.run() + "/containerd" }
func (paths nodePaths) containerdRoot() string   { return filepath.Join(paths.layout.Dir, "containerd") }

// kubeletSocket is the longest path of a socket below the kubelet's folder.
const kubeletSocket = "/pod-resources/kubelet.sock"

// kubelet is the folder of the pods' volumes. It is outside the sandbox's folder
// if that folder's path is too long for the sockets in it.
func (paths nodePaths) kubelet() string {
	dir := filepath.Join(paths.layout.Dir, "kubelet")
	if len(dir+kubeletSocket) > 107 {
		return "/var/lib/" + paths.id()
	}
	return dir
}

func (paths nodePaths) config(name string) string {
	return filepath.Join(paths.layout.Dir, "config", name)
}

// cgroup is the parent of all cgroups of pods, below each controller's root.
func (paths nodePaths) cgroup() string { return "/" + paths.id() }

// podLogs holds the output of the containers.
func (paths nodePaths) podLogs() string { return filepath.Join(paths.layout.Logs(), "pods") }

// nodeState is the file with nodeChanges. There is one for the machine, because
// two local clusters would conflict in iptables and in the node's address.
const nodeState = "/run/progressive-node.json"
