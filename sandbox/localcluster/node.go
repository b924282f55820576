package cluster

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

	"github.com/progressive-framework/platform/sandbox/home"
)

// nodeChanges is what Start found in the kernel before it made the machine a
// node; it is kept in nodeState until Stop has put it back.
type nodeChanges struct {
	// Dir is the sandbox that the node belongs to.
	Dir string `json:"dir"`
	// Settings are the kernel's settings as they were, by their path below
	// /proc/sys.
	Settings map[string]string `json:"settings"`
}

// kernelSettings are those that the network plugins, kube-proxy and the kubelet
// change (kubelet: pkg/kubelet/cm, setupKernelTunables; kube-proxy:
// pkg/proxy/iptables, NewProxier; plugins: pkg/ip, EnableIP4Forward).
var kernelSettings = []string{
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

// synSent is how many seconds the kernel remembers a connection that got no
// answer, 120 by default. While no pod is ready, kube-proxy rejects connections
// to a node port on 127.0.0.1, but only after the kernel has noted them without
// their translation; whoever gets the same local port in that time is refused
// as well, with the pods long ready again (seen for two minutes after a kubelet
// was started anew).
const synSent = "net/netfilter/nf_conntrack_tcp_timeout_syn_sent"

// nodeSettings are those that Start makes; not every kernel has every one.
var nodeSettings = map[string]string{
	"net/ipv4/ip_forward":              "1",
	"net/ipv4/conf/all/route_localnet": "1",
	synSent:                            "3",
}

// readNode returns what is recorded; nil where the machine is no node.
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

// prepareNode records the kernel's settings, makes them what the node needs,
// and gives the node its folders, its cgroup and its address.
func prepareNode(h *home.Home) error {
	l := layout{h}
	n, err := readNode()
	if err != nil {
		return err
	}
	if n == nil {
		if err := recordNode(h); err != nil {
			return err
		}
	}
	for name, value := range nodeSettings {
		err := os.WriteFile("/proc/sys/"+name, []byte(value), 0)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("node: kernel setting %s: %w", name, err)
		}
	}
	for _, dir := range []string{l.run(), l.kubelet(), l.containerdRoot(), l.podLogs()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("node: %w", err)
		}
	}
	if err := makeCgroups(l.cgroup()); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return addAddress()
}

func recordNode(h *home.Home) error {
	n := nodeChanges{Dir: h.Dir, Settings: map[string]string{}}
	for _, name := range kernelSettings {
		raw, err := os.ReadFile("/proc/sys/" + name)
		if errors.Is(err, os.ErrNotExist) {
			continue // not every kernel has every one
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
	// Others may know that the machine is a node; a simulated cluster asks, too.
	return os.Chmod(nodeState, 0o644)
}

// restore puts the kernel's settings back.
func (n *nodeChanges) restore() error {
	var errs []error
	for name, value := range n.Settings {
		path := "/proc/sys/" + name
		if raw, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(raw)) == value {
			continue // some may not even be written to
		}
		if err := os.WriteFile(path, []byte(value), 0); err != nil {
			errs = append(errs, fmt.Errorf("kernel setting %s back to %s: %w", name, value, err))
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

// cgroupRoots are the folders below which a process's cgroups lie: one for each
// controller with version 1, one for all with version 2. Where both are mounted
// version 1 controls, and pods get a folder in version 2 all the same.
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
		f := strings.Fields(line)
		switch {
		case len(f) < 3:
		case f[2] == "cgroup":
			v1 = append(v1, f[1])
		case f[2] == "cgroup2":
			v2 = append(v2, f[1])
		}
	}
	all = slices.Concat(v1, v2)
	if len(v1) > 0 {
		return v1, all
	}
	return v2, all
}

// makeCgroups makes the cgroup that holds the pods; the kubelet wants to find
// it there.
func makeCgroups(name string) error {
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
		// Version 2: hand on the controllers that the parent has.
		if raw, err := os.ReadFile(filepath.Join(root, "cgroup.controllers")); err == nil {
			for _, c := range strings.Fields(string(raw)) {
				for _, d := range []string{root, dir} {
					if err := os.WriteFile(filepath.Join(d, "cgroup.subtree_control"), []byte("+"+c), 0); err != nil {
						return fmt.Errorf("cgroup: controller %s for %s: %w", c, d, err)
					}
				}
			}
		}
		// Version 1: a new cpuset is empty, and nothing may run in it.
		for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
			raw, err := os.ReadFile(filepath.Join(root, f))
			if err != nil || strings.TrimSpace(string(raw)) == "" {
				continue
			}
			if have, err := os.ReadFile(filepath.Join(dir, f)); err != nil || strings.TrimSpace(string(have)) != "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, f), raw, 0); err != nil {
				return fmt.Errorf("cgroup: %w", err)
			}
		}
	}
	return nil
}
