package localcluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// nodeChanges records the kernel's settings of the machine before Start changed them for
// the node. The record is stored in nodeState until Stop has restored the settings.
type nodeChanges struct {
	// Dir is the sandbox that the node belongs to.
	Dir string `json:"dir"`
	// Settings are the former values of changedSettings. The keys are paths below /proc/sys.
	Settings map[string]string `json:"settings"`
}

// changedSettings are the kernel's settings that the network plugins, kube-proxy, the kubelet
// and Start change. Sources: setupKernelTunables in pkg/kubelet/cm and NewProxier in
// pkg/proxy/iptables (repository kubernetes), EnableIP4Forward in pkg/ip (repository
// containernetworking/plugins).
var changedSettings = []string{
	"net/ipv4/ip_forward",
	"net/ipv4/conf/all/route_localnet",
	"net/ipv4/conf/default/route_localnet",
	"vm/overcommit_memory",
	"vm/panic_on_oom",
	"kernel/panic",
	"kernel/panic_on_oops",
	"kernel/keys/root_maxkeys",
	"kernel/keys/root_maxbytes",
	synSent,
}

// synSent is the kernel's setting for how many seconds it tracks a connection without an
// answer. The default is 120.
//
// While no pod is ready, kube-proxy rejects connections to a node port on 127.0.0.1. But the
// kernel already tracks the rejected connection, without an address translation. Until that
// entry expires, the kernel refuses every new connection from the same local port, although
// pods are ready again. With the default, this lasted two minutes after a restart of the
// kubelet.
const synSent = "net/netfilter/nf_conntrack_tcp_timeout_syn_sent"

// requiredSettings are the values that Start writes to the kernel's settings. Not every kernel
// has all of these settings.
var requiredSettings = map[string]string{
	"net/ipv4/ip_forward":              "1",
	"net/ipv4/conf/all/route_localnet": "1",
	synSent:                            "3",
}

// readNode returns the stored nodeChanges, or nil if the machine is not a node.
func readNode() (*nodeChanges, error) {
	raw, err := os.ReadFile(nodeState)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	var n nodeChanges
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, fmt.Errorf("node: %s: %w", nodeState, err)
	}
	return &n, nil
}

// prepareNode records the current kernel settings and writes requiredSettings. It creates the
// node's folders, cgroup and address.
func prepareNode(l *layout.Layout) error {
	paths := nodePaths{l}
	n, err := readNode()
	if err != nil {
		return err
	}
	if n == nil {
		if err := recordNode(l); err != nil {
			return err
		}
	}
	for name, value := range requiredSettings {
		err := os.WriteFile("/proc/sys/"+name, []byte(value), 0)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("node: kernel setting %s: %w", name, err)
		}
	}
	for _, dir := range []string{paths.run(), paths.kubelet(), paths.containerdRoot(), paths.podLogs()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("node: %w", err)
		}
	}
	if err := createCgroups(paths.cgroup()); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return addAddress()
}

// recordNode writes the current values of changedSettings to nodeState.
func recordNode(l *layout.Layout) error {
	n := nodeChanges{Dir: l.Dir, Settings: map[string]string{}}
	for _, name := range changedSettings {
		raw, err := os.ReadFile("/proc/sys/" + name)
		if errors.Is(err, os.ErrNotExist) {
			continue // not every kernel has this setting
		}
		if err != nil {
			return fmt.Errorf("node: kernel setting %s: %w", name, err)
		}
		n.Settings[name] = strings.TrimSpace(string(raw))
	}
	raw, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(nodeState, raw); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	// The file must be readable for other users: a simulated cluster runs without root,
	// and its Residue reads the file.
	return os.Chmod(nodeState, 0o644)
}

// restore writes the recorded values back to the kernel's settings.
func (n *nodeChanges) restore() error {
	var errs []error
	for name, value := range n.Settings {
		path := "/proc/sys/" + name
		if raw, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(raw)) == value {
			continue // no write, because some settings are read-only on some machines
		}
		if err := os.WriteFile(path, []byte(value), 0); err != nil {
			errs = append(errs, fmt.Errorf("restore kernel setting %s to %s: %w", name, value, err))
		}
	}
	return errors.Join(errs...)
}

func nodeAddr() *netlink.Addr {
	return &netlink.Addr{Label: addressLabel, IPNet: &net.IPNet{IP: net.ParseIP(NodeAddress), Mask: net.CIDRMask(32, 32)}}
}

func addAddress() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("node: loopback device: %w", err)
	}
	if err := netlink.AddrAdd(lo, nodeAddr()); err != nil && !errors.Is(err, syscall.EEXIST) {
		return fmt.Errorf("node: address %s on the loopback device: %w", NodeAddress, err)
	}
	return nil
}

func removeAddress() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.AddrDel(lo, nodeAddr()); err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) {
		return fmt.Errorf("address %s of the loopback device: %w", NodeAddress, err)
	}
	return nil
}

// cgroupRoots returns the mount points of cgroup file systems. The result control has only the
// mount points that have controllers. cgroup version 1 has a mount point for each controller,
// and version 2 has one mount point. If both versions are mounted, only version 1 has the
// controllers, but pods get a folder in both versions.
func cgroupRoots() (control, all []string, err error) {
	raw, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, nil, err
	}
	control, all = parseCgroupRoots(string(raw))
	return control, all, nil
}

func parseCgroupRoots(mounts string) (control, all []string) {
	var v1, v2 []string
	for _, line := range strings.Split(mounts, "\n") {
		fields := strings.Fields(line) // device, mount point, type, and others
		switch {
		case len(fields) < 3:
		case fields[2] == "cgroup":
			v1 = append(v1, fields[1])
		case fields[2] == "cgroup2":
			v2 = append(v2, fields[1])
		}
	}
	all = slices.Concat(v1, v2)
	if len(v1) > 0 {
		return v1, all
	}
	return v2, all
}

// createCgroups creates the parent cgroup of all pods, because the kubelet
// expects it to exist.
func createCgroups(name string) error {
	roots, _, err := cgroupRoots()
	if err != nil {
		return err
	}
	if len(roots) == 0 {
		return errors.New("no cgroups are mounted: a local cluster needs them, below /sys/fs/cgroup")
	}
	for _, root := range roots {
		dir := filepath.Join(root, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
		// Version 2: enable the parent's controllers for the child.
		if raw, err := os.ReadFile(filepath.Join(root, "cgroup.controllers")); err == nil {
			for _, c := range strings.Fields(string(raw)) {
				for _, d := range []string{root, dir} {
					if err := os.WriteFile(filepath.Join(d, "cgroup.subtree_control"), []byte("+"+c), 0); err != nil {
						return fmt.Errorf("cgroup: controller %s for %s: %w", c, d, err)
					}
				}
			}
		}
		// Version 1: no process may run in a new cpuset until it has CPUs and memory. The
		// new cpuset gets those of its parent.
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
			parentValue, err := os.ReadFile(filepath.Join(root, name))
			if err != nil || strings.TrimSpace(string(parentValue)) == "" {
				continue
			}
			if own, err := os.ReadFile(filepath.Join(dir, name)); err != nil || strings.TrimSpace(string(own)) != "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), parentValue, 0); err != nil {
				return fmt.Errorf("cgroup: %w", err)
			}
		}
	}
	return nil
}
