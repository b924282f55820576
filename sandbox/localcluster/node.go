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

// nodeRecord has the kernel's settings of the machine from before Start changed them for the
// node. It is stored in the file nodeRecordPath until Stop has restored the settings.
type nodeRecord struct {
	// Dir is the folder of the sandbox that uses the machine as its node.
	Dir string `json:"dir"`
	// Settings are the earlier values of changedSettings. The keys are paths below /proc/sys.
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
	synSentTimeout,
}

// synSentTimeout is a setting of the kernel's connection tracking. It is the number of seconds
// after which the kernel forgets a connection that got no response. The default is 120.
//
// While no pod is ready, kube-proxy rejects connections to a node port on 127.0.0.1. But the
// kernel already tracks the rejected connection, without an address translation. Until that
// entry expires, the kernel refuses every new connection from the same local port, although
// pods are ready again. With the default, this lasted two minutes after a restart of the
// kubelet.
const synSentTimeout = "net/netfilter/nf_conntrack_tcp_timeout_syn_sent"

// requiredSettings are the values that Start writes to the kernel's settings. Not every kernel
// has all of these settings.
var requiredSettings = map[string]string{
	"net/ipv4/ip_forward":              "1",
	"net/ipv4/conf/all/route_localnet": "1",
	synSentTimeout:                     "3",
}

// readNodeRecord returns the stored nodeRecord, or nil if the machine is not a node.
func readNodeRecord() (*nodeRecord, error) {
	raw, err := os.ReadFile(nodeRecordPath)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	var record nodeRecord
	if err := json.Unmarshal(raw, &record); err != nil {
		return nil, fmt.Errorf("node: %s: %w", nodeRecordPath, err)
	}
	return &record, nil
}

// prepareNode records the current kernel settings and writes requiredSettings. It creates the
// node's folders, cgroup and address.
func prepareNode(l *layout.Layout) error {
	paths := nodePaths{l}
	record, err := readNodeRecord()
	if err != nil {
		return err
	}
	if record == nil {
		if err := writeNodeRecord(l); err != nil {
			return err
		}
	}
	for name, value := range requiredSettings {
		err := os.WriteFile("/proc/sys/"+name, []byte(value), 0)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("node: kernel setting %s: %w", name, err)
		}
	}
	for _, dir := range []string{paths.runDir(), paths.kubeletDir(), paths.containerdRoot(), paths.podLogsDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("node: %w", err)
		}
	}
	if err := createCgroups(paths.cgroup()); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return addNodeAddress()
}

// writeNodeRecord writes the current values of changedSettings to nodeRecordPath.
func writeNodeRecord(l *layout.Layout) error {
	record := nodeRecord{Dir: l.Dir, Settings: map[string]string{}}
	for _, name := range changedSettings {
		raw, err := os.ReadFile("/proc/sys/" + name)
		if errors.Is(err, os.ErrNotExist) {
			continue // not every kernel has this setting
		}
		if err != nil {
			return fmt.Errorf("node: kernel setting %s: %w", name, err)
		}
		record.Settings[name] = strings.TrimSpace(string(raw))
	}
	raw, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(nodeRecordPath, raw); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	// The file must be readable for other users: a simulated cluster runs without root, and its
	// FindResidue reads the file.
	return os.Chmod(nodeRecordPath, 0o644)
}

// restoreSettings writes the recorded values back to the kernel's settings.
func (record *nodeRecord) restoreSettings() error {
	var errs []error
	for name, value := range record.Settings {
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

// newNodeAddr returns the node's address with the label addressLabel.
func newNodeAddr() *netlink.Addr {
	return &netlink.Addr{Label: addressLabel, IPNet: &net.IPNet{IP: net.ParseIP(NodeAddress), Mask: net.CIDRMask(32, 32)}}
}

func addNodeAddress() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("node: loopback device: %w", err)
	}
	if err := netlink.AddrAdd(lo, newNodeAddr()); err != nil && !errors.Is(err, syscall.EEXIST) {
		return fmt.Errorf("node: address %s on the loopback device: %w", NodeAddress, err)
	}
	return nil
}

func removeNodeAddress() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("loopback device: %w", err)
	}
	if err := netlink.AddrDel(lo, newNodeAddr()); err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) {
		return fmt.Errorf("address %s of the loopback device: %w", NodeAddress, err)
	}
	return nil
}

// readCgroupRoots returns the mount points of cgroup file systems. withControllers has only the
// mount points that have controllers. cgroup version 1 has a mount point for each controller,
// and version 2 has one mount point. If both versions are mounted, only version 1 has the
// controllers, but pods get a folder in both versions.
func readCgroupRoots() (withControllers, all []string, err error) {
	raw, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, nil, err
	}
	withControllers, all = parseCgroupRoots(string(raw))
	return withControllers, all, nil
}

// parseCgroupRoots returns the results of readCgroupRoots for the content of /proc/self/mounts.
func parseCgroupRoots(mounts string) (withControllers, all []string) {
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
func createCgroups(cgroup string) error {
	roots, _, err := readCgroupRoots()
	if err != nil {
		return err
	}
	if len(roots) == 0 {
		return errors.New("no cgroups are mounted: a local cluster needs them, below /sys/fs/cgroup")
	}
	for _, root := range roots {
		dir := filepath.Join(root, cgroup)
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
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			parentValue, err := os.ReadFile(filepath.Join(root, file))
			if err != nil || strings.TrimSpace(string(parentValue)) == "" {
				continue
			}
			if childValue, err := os.ReadFile(filepath.Join(dir, file)); err != nil || strings.TrimSpace(string(childValue)) != "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, file), parentValue, 0); err != nil {
				return fmt.Errorf("cgroup: %w", err)
			}
		}
	}
	return nil
}
