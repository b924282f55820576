package cluster

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

	"github.com/progressive-framework/platform/sandbox/home"
)

// Leftovers lists everything of a sandbox's cluster that is in the machine
// beside its own folder: processes, mounts, network devices and addresses,
// rules of iptables, cgroups, files. After Stop it is empty. Each line names
// the thing as its tool would.
//
// What only root can see is not looked for by another user, who cannot have
// made it either.
func Leftovers(ctx context.Context, h *home.Home) ([]string, error) {
	var left []string
	for _, p := range strayProcesses(h) {
		left = append(left, p.String())
	}
	if os.Geteuid() != 0 {
		return left, nil
	}
	n, err := readNode()
	if err != nil {
		return left, err
	}
	switch {
	case n == nil && h.Cluster != home.ClusterLocal, n != nil && n.Dir != h.Dir:
		// It made none. There may be rules and devices like ours, of another
		// sandbox or of whatever else of Kubernetes runs here.
		return left, nil
	case n != nil:
		left = append(left, "file "+nodeState)
	}
	var errs []error
	add := func(what string, names []string, err error) {
		errs = append(errs, err)
		for _, name := range names {
			left = append(left, what+" "+name)
		}
	}
	points, err := mounts(h)
	add("mount", points, err)
	links, err := podLinks()
	add("network device", linkNames(links), err)
	address, err := hasAddress()
	add("address", address, err)
	for _, tool := range ruleTools {
		all, err := savedRules(ctx, tool)
		var names []string
		for _, r := range all {
			for _, c := range r.chains {
				names = append(names, r.table+" chain "+c)
			}
			for _, j := range r.jumps {
				names = append(names, r.table+" rule "+j)
			}
		}
		add(tool, names, err)
	}
	counters, err := foundCounters()
	add("nfacct", counters, err)
	groups, err := cgroups(h)
	add("cgroup", groups, err)
	add("file", strays(h), nil)
	if _, err := os.Stat(layout{h}.run()); err == nil {
		left = append(left, "folder "+layout{h}.run())
	}
	return left, errors.Join(errs...)
}

// stray is a process of the sandbox, found by what it is.
type stray struct {
	pid  int
	what string
}

func (s stray) String() string { return fmt.Sprintf("process %d (%s)", s.pid, s.what) }

// strayProcesses finds the components of a sandbox by their command line and
// environment, containerd and its shims by the socket they were given, and the
// containers by their cgroup.
func strayProcesses(h *home.Home) []stray {
	l := layout{h}
	inCgroup := map[int]bool{}
	dirs, _ := cgroups(h)
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
	var found []stray
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil || len(raw) == 0 {
			continue // a zombie or the kernel's own
		}
		args := strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")
		switch {
		case inCgroup[pid],
			slices.Contains(args, l.containerdSocket()),
			slices.Contains(args, l.config(containerdConfig)),
			isComponent(h, pid, args):
			found = append(found, stray{pid, strings.Join(args[:min(3, len(args))], " ")})
		}
	}
	return found
}

// isComponent recognizes `sandbox run NAME` of this sandbox.
func isComponent(h *home.Home, pid int, args []string) bool {
	if len(args) != 3 || args[1] != "run" {
		return false
	}
	if _, ok := ByName(args[2]); !ok {
		return false
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && slices.ContainsFunc(bytes.Split(raw, []byte{0}), func(kv []byte) bool {
		return string(kv) == home.Variable+"="+h.Dir
	})
}

// mounts are the mount points at and below the folders of the node, in the order
// in which they were mounted. The kubelet mounts its folder onto itself.
func mounts(h *home.Home) ([]string, error) {
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	l := layout{h}
	return parseMounts(string(raw), l.run(), l.kubelet(), l.containerdRoot()), nil
}

func parseMounts(mountinfo string, below ...string) []string {
	var points []string
	for _, line := range strings.Split(mountinfo, "\n") {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		point := unescape.Replace(f[4])
		if slices.ContainsFunc(below, func(dir string) bool { return point == dir || strings.HasPrefix(point, dir+"/") }) {
			points = append(points, point)
		}
	}
	return points
}

// unescape undoes how the kernel writes a path into a table.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// podLinks are the devices that have the pods' gateway as their address: the
// host's end of each pod's link.
func podLinks() ([]netlink.Link, error) {
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("network addresses: %w", err)
	}
	var links []netlink.Link
	for _, a := range addrs {
		if !a.IP.Equal(net.ParseIP(podGateway)) {
			continue
		}
		// One that went meanwhile is none.
		if l, err := netlink.LinkByIndex(a.LinkIndex); err == nil {
			links = append(links, l)
		}
	}
	return links, nil
}

func linkNames(links []netlink.Link) []string {
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.Attrs().Name
	}
	return names
}

func hasAddress() ([]string, error) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, err
	}
	addrs, err := netlink.AddrList(lo, netlink.FAMILY_V4)
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		if a.Label == addressLabel {
			return []string{a.IPNet.String() + " on lo"}, nil
		}
	}
	return nil, nil
}

// cgroups are the sandbox's folders below the roots of the cgroups.
func cgroups(h *home.Home) ([]string, error) {
	_, roots, err := cgroupRoots()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, root := range roots {
		dir := filepath.Join(root, layout{h}.cgroup())
		if _, err := os.Stat(dir); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// strays are the sandbox's files in folders of the machine.
func strays(h *home.Home) []string {
	l := layout{h}
	var files []string
	// Each bundle of a container names the socket of its shim.
	bundles, _ := filepath.Glob(filepath.Join(l.containerdState(), "io.containerd.runtime.v2.task", "*", "*", "address"))
	for _, b := range bundles {
		raw, err := os.ReadFile(b)
		if socket, ok := strings.CutPrefix(strings.TrimSpace(string(raw)), "unix://"); err == nil && ok {
			if _, err := os.Lstat(socket); err == nil {
				files = append(files, socket)
			}
		}
	}
	files = append(files, networkResults(networkCache)...)
	for _, name := range []string{"kubelet.sock", "kubelet_internal_checkpoint"} {
		path := filepath.Join(devicePlugins, name)
		if _, err := os.Lstat(path); err == nil {
			files = append(files, path)
		}
	}
	links, _ := filepath.Glob(filepath.Join(containerLogs, "*"))
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, l.podLogs()+"/") {
			files = append(files, link)
		}
	}
	return files
}

// networkResults are what the network plugins noted of our pods: of our own
// network, and of the loopback device that goes with it and that bears the same
// name for everybody.
func networkResults(cache string) []string {
	const device = "-eth0"
	own, _ := filepath.Glob(filepath.Join(cache, networkName+"-*"+device))
	files := own
	for _, path := range own {
		pod := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), networkName+"-"), device)
		loopback, _ := filepath.Glob(filepath.Join(cache, "*-loopback-"+pod+"-lo"))
		files = append(files, loopback...)
	}
	return files
}
