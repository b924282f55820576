package localcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// FindResidue returns the state that a sandbox's cluster has on the machine outside the
// sandbox's folder. The entries are processes, mounts, network devices and addresses, rules of
// iptables, cgroups and files. Each entry starts with its kind or with the tool that shows it.
// After Stop the list is empty.
//
// Without root it lists only processes, because only root can create the other things.
func FindResidue(ctx context.Context, l *layout.Layout) ([]string, error) {
	var residue []string
	for _, p := range findRemainingProcesses(l) {
		residue = append(residue, p.String())
	}
	if os.Geteuid() != 0 {
		return residue, nil
	}
	record, err := readNodeRecord()
	if err != nil {
		return residue, err
	}
	needsNoNode := record == nil && l.Cluster != layout.ClusterLocal
	isNodeOfAnother := record != nil && record.Dir != l.Dir
	if needsNoNode || isNodeOfAnother {
		// The machine is not the node of this sandbox, so this sandbox has created only
		// processes. Rules and devices with the same names may belong to another sandbox or to
		// another Kubernetes cluster on this machine.
		return residue, nil
	}
	if record != nil {
		residue = append(residue, "file "+nodeRecordPath)
	}
	var errs []error
	add := func(kind string, names []string, err error) {
		errs = append(errs, err)
		for _, name := range names {
			residue = append(residue, kind+" "+name)
		}
	}
	mountPoints, err := findMounts(l)
	add("mount", mountPoints, err)
	links, err := findPodLinks()
	add("network device", linkNames(links), err)
	address, err := findNodeAddress()
	add("address", address, err)
	for _, tool := range ruleTools {
		tables, err := readRules(ctx, tool)
		var names []string
		for _, r := range tables {
			for _, c := range r.chains {
				names = append(names, r.name+" chain "+c)
			}
			for _, j := range r.jumps {
				names = append(names, r.name+" rule "+j)
			}
		}
		add(tool, names, err)
	}
	counters, err := findCounters()
	add("nfacct", counters, err)
	groups, err := findCgroups(l)
	add("cgroup", groups, err)
	add("file", findHostFiles(l), nil)
	if _, err := os.Stat(nodePaths{l}.runDir()); err == nil {
		residue = append(residue, "folder "+nodePaths{l}.runDir())
	}
	return residue, errors.Join(errs...)
}

// sandboxProcess is a process of the sandbox that was found in /proc, not by its record
// (package process).
type sandboxProcess struct {
	pid     int
	command string
}

func (s sandboxProcess) String() string { return fmt.Sprintf("process %d (%s)", s.pid, s.command) }

// findRemainingProcesses finds the processes of a sandbox in /proc, without their records. It
// finds components by command line and environment, containerd and its shims by their socket,
// and containers by their cgroup. Processes that end meanwhile are skipped.
func findRemainingProcesses(l *layout.Layout) []sandboxProcess {
	paths := nodePaths{l}
	inCgroup := map[int]bool{}
	dirs, _ := findCgroups(l)
	for _, dir := range dirs {
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Name() == "cgroup.procs" {
				raw, _ := os.ReadFile(path)
				for _, f := range strings.Fields(string(raw)) {
					if pid, err := strconv.Atoi(f); err == nil {
						inCgroup[pid] = true
					}
				}
			}
			return nil
		})
	}
	var found []sandboxProcess
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil || len(raw) == 0 {
			continue // a zombie or a kernel thread
		}
		args := strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")
		switch {
		case inCgroup[pid],
			slices.Contains(args, paths.containerdSocket()),
			slices.Contains(args, paths.config(containerdConfig)),
			isComponent(l, pid, args):
			found = append(found, sandboxProcess{pid, strings.Join(args[:min(3, len(args))], " ")})
		}
	}
	return found
}

// isComponent reports whether the process is `sandbox run NAME` of this sandbox.
func isComponent(l *layout.Layout, pid int, args []string) bool {
	if len(args) != 3 || args[1] != "run" {
		return false
	}
	if _, ok := ComponentByName(args[2]); !ok {
		return false
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && slices.ContainsFunc(bytes.Split(raw, []byte{0}), func(variable []byte) bool {
		return string(variable) == layout.Variable+"="+l.Dir
	})
}

// findMounts returns the mount points at and below the node's folders, in the order in which
// they were mounted. The kubelet bind-mounts its folder onto itself.
func findMounts(l *layout.Layout) ([]string, error) {
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	paths := nodePaths{l}
	return parseMounts(string(raw), paths.runDir(), paths.kubeletDir(), paths.containerdRoot()), nil
}

// parseMounts returns the mount points in a mountinfo file that are at or below one of the folders
// in below.
func parseMounts(mountinfo string, below ...string) []string {
	var mountPoints []string
	for _, line := range strings.Split(mountinfo, "\n") {
		fields := strings.Fields(line) // the fifth field is the mount point (proc(5))
		if len(fields) < 5 {
			continue
		}
		mountPoint := unescape.Replace(fields[4])
		if slices.ContainsFunc(below, func(dir string) bool { return mountPoint == dir || strings.HasPrefix(mountPoint, dir+"/") }) {
			mountPoints = append(mountPoints, mountPoint)
		}
	}
	return mountPoints
}

// unescape decodes the kernel's escapes in paths of mountinfo.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// findPodLinks returns the host's end of each pod's link. These are the network devices with
// the address podGateway.
func findPodLinks() ([]netlink.Link, error) {
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("network addresses: %w", err)
	}
	var links []netlink.Link
	for _, a := range addrs {
		if !a.IP.Equal(net.ParseIP(podGateway)) {
			continue
		}
		// An error means that the device was removed meanwhile.
		if link, err := netlink.LinkByIndex(a.LinkIndex); err == nil {
			links = append(links, link)
		}
	}
	return links, nil
}

func linkNames(links []netlink.Link) []string {
	names := make([]string, len(links))
	for i, link := range links {
		names[i] = link.Attrs().Name
	}
	return names
}

// findNodeAddress returns a list with the node's address. The list is empty if the loopback
// device does not have the address.
func findNodeAddress() ([]string, error) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, fmt.Errorf("loopback device: %w", err)
	}
	addrs, err := netlink.AddrList(lo, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("addresses of the loopback device: %w", err)
	}
	for _, a := range addrs {
		if a.Label == addressLabel {
			return []string{a.IPNet.String() + " on lo"}, nil
		}
	}
	return nil, nil
}

// findCgroups returns the sandbox's cgroups below each root.
func findCgroups(l *layout.Layout) ([]string, error) {
	_, roots, err := readCgroupRoots()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, root := range roots {
		dir := filepath.Join(root, nodePaths{l}.cgroup())
		if _, err := os.Stat(dir); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// findHostFiles returns the sandbox's files in folders that do not belong to the sandbox.
func findHostFiles(l *layout.Layout) []string {
	paths := nodePaths{l}
	var files []string
	// The bundle of each container has a file with the path of its shim's socket.
	bundles, _ := filepath.Glob(filepath.Join(paths.containerdState(), "io.containerd.runtime.v2.task", "*", "*", "address"))
	for _, b := range bundles {
		raw, err := os.ReadFile(b)
		if socket, ok := strings.CutPrefix(strings.TrimSpace(string(raw)), "unix://"); err == nil && ok {
			if _, err := os.Lstat(socket); err == nil {
				files = append(files, socket)
			}
		}
	}
	files = append(files, findNetworkResults(networkCache)...)
	for _, name := range []string{"kubelet.sock", "kubelet_internal_checkpoint"} {
		path := filepath.Join(devicePlugins, name)
		if _, err := os.Lstat(path); err == nil {
			files = append(files, path)
		}
	}
	links, _ := filepath.Glob(filepath.Join(containerLogs, "*"))
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, paths.podLogsDir()+"/") {
			files = append(files, link)
		}
	}
	return files
}

// findNetworkResults returns the files in which the CNI plugins cache their results for the
// sandbox's pods. Each pod has a file for the sandbox's network and a file for its loopback
// device. The network name of the loopback device is the same in every cluster, so its file is
// found by the pod's id.
func findNetworkResults(cache string) []string {
	const device = "-eth0"
	podFiles, _ := filepath.Glob(filepath.Join(cache, networkName+"-*"+device))
	files := podFiles
	for _, path := range podFiles {
		pod := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), networkName+"-"), device)
		loopback, _ := filepath.Glob(filepath.Join(cache, "*-loopback-"+pod+"-lo"))
		files = append(files, loopback...)
	}
	return files
}
