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
	// podGateway is the address of the host on the link to each pod. It is the first address of
	// PodCIDR.
	podGateway = "100.64.0.1"
	// addressLabel marks the node's address on the loopback device.
	addressLabel = "lo:sandbox"
)

// nodePaths has methods that return the paths of a local cluster's files.
type nodePaths struct{ layout *layout.Layout }

// id returns a name that differs for each sandbox. It is part of the sandbox's paths
// outside its folder.
func (paths nodePaths) id() string {
	sum := sha256.Sum256([]byte(paths.layout.Dir))
	return "progressive-" + hex.EncodeToString(sum[:4])
}

// runDir returns the folder of the sockets and of containerd's volatile state. The folder is
// not in the sandbox's folder, because the path of a unix socket has at most maxSocketPath
// characters. The folder is in /run, because the state describes mounts, network namespaces and
// containers. A reboot removes all of these, and it also empties /run.
func (paths nodePaths) runDir() string { return "/run/" + paths.id() }

func (paths nodePaths) containerdSocket() string { return paths.runDir() + "/containerd.sock" }
func (paths nodePaths) containerdState() string  { return paths.runDir() + "/containerd" }
func (paths nodePaths) containerdRoot() string   { return filepath.Join(paths.layout.Dir, "containerd") }

// maxSocketPath is the maximum length of the path of a unix socket (unix(7): 108 bytes with the
// final zero byte).
const maxSocketPath = 107

// kubeletSocket is the longest path of a socket below the kubelet's folder.
const kubeletSocket = "/pod-resources/kubelet.sock"

// kubeletDir returns the folder of the pods' volumes. If the path of the sandbox's folder is
// too long for the kubelet's sockets, the folder is in /var/lib.
func (paths nodePaths) kubeletDir() string {
	dir := filepath.Join(paths.layout.Dir, "kubelet")
	if len(dir+kubeletSocket) > maxSocketPath {
		return "/var/lib/" + paths.id()
	}
	return dir
}

// config returns the path of a configuration file of the node, or the folder of these files if
// name is empty.
func (paths nodePaths) config(name string) string {
	return filepath.Join(paths.layout.Dir, "config", name)
}

// cgroup returns the path of the parent of all pods' cgroups. The path is relative to the mount
// points of readCgroupRoots.
func (paths nodePaths) cgroup() string { return "/" + paths.id() }

// podLogsDir returns the folder in which the kubelet stores the output of the containers.
func (paths nodePaths) podLogsDir() string { return filepath.Join(paths.layout.Logs(), "pods") }

// nodeRecordPath is the file that stores the nodeRecord. There is one file for the machine,
// because a machine can run only one local cluster. Two would conflict in iptables and in the
// node's address.
const nodeRecordPath = "/run/progressive-node.json"
