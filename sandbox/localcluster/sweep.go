package localcluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// containerd, its shims, the network plugins and the kubelet always write to these folders
// outside the sandbox. Stop removes only the sandbox's files from these folders. It then
// removes each folder that is empty.
const (
	shimSockets   = "/run/containerd/s"
	networkCache  = "/var/lib/cni/results"
	containerLogs = "/var/log/containers"
	devicePlugins = "/var/lib/kubelet/device-plugins"
)

// sharedFolders are the folders of the constants above, and their parents. A subfolder comes
// before its parent, because only an empty folder can be removed.
var sharedFolders = []string{
	shimSockets, "/run/containerd",
	networkCache, "/var/lib/cni",
	containerLogs,
	devicePlugins, "/var/lib/kubelet",
}

// sweepScope selects the residue that a sweep removes.
type sweepScope string

const (
	processesOnly sweepScope = "processes" // the machine is not the node of the sandbox
	wholeNode     sweepScope = "node"      // the machine is the node of the sandbox
)

// sweep kills the remaining processes of a cluster, and removes the rest of its residue if scope
// is wholeNode.
func sweep(ctx context.Context, l *layout.Layout, scope sweepScope) error {
	if err := killRemainingProcesses(ctx, l); err != nil {
		return err
	}
	if scope == processesOnly {
		return nil
	}
	// The order matters. Mounts are removed before their folders. The sockets of the shims are
	// removed before the folder runDir, because files in that folder contain the sockets'
	// paths. A network namespace is also a mount, and its devices disappear with the namespace.
	return errors.Join(
		unmountAll(l),
		removePodLinks(),
		removeNodeAddress(),
		removeRules(ctx),
		removeCounters(),
		removeCgroups(l),
		removeHostFiles(l),
		os.RemoveAll(nodePaths{l}.runDir()),
	)
}

// killRemainingProcesses kills all processes of findRemainingProcesses: shims, containers, and
// components without a record. It repeats this until no such process exists.
func killRemainingProcesses(ctx context.Context, l *layout.Layout) error {
	ctx, cancel := context.WithTimeout(ctx, cleanupLimit)
	defer cancel()
	for {
		remaining := findRemainingProcesses(l)
		if len(remaining) == 0 {
			return nil
		}
		for _, p := range remaining {
			if err := syscall.Kill(p.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill %s: %w", p, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("these processes do not end: %v: %w", remaining, context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// unmountAll unmounts the mount points of findMounts.
func unmountAll(l *layout.Layout) error {
	mountPoints, err := findMounts(l)
	if err != nil {
		return err
	}
	var errs []error
	for _, mountPoint := range slices.Backward(mountPoints) { // a later mount may cover an earlier one
		if err := syscall.Unmount(mountPoint, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			errs = append(errs, fmt.Errorf("unmount %s: %w", mountPoint, err))
		}
	}
	return errors.Join(errs...)
}

// removePodLinks deletes the network devices of findPodLinks. The kernel then also deletes the
// device at the other end, in the pod.
func removePodLinks() error {
	links, err := findPodLinks()
	if err != nil {
		return err
	}
	var errs []error
	for _, link := range links {
		err := netlink.LinkDel(link)
		var notFound netlink.LinkNotFoundError
		if err != nil && !errors.As(err, &notFound) && !errors.Is(err, syscall.ENODEV) {
			errs = append(errs, fmt.Errorf("network device %s: %w", link.Attrs().Name, err))
		}
	}
	return errors.Join(errs...)
}

// removeCgroups deletes the sandbox's cgroups, subfolders first, because only a cgroup
// without subfolders can be removed. The files in a cgroup's folder need not be removed.
func removeCgroups(l *layout.Layout) error {
	dirs, err := findCgroups(l)
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range dirs {
		var folders []string
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				folders = append(folders, path)
			}
			return nil
		})
		errs = append(errs, err)
		for _, path := range slices.Backward(folders) {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, fmt.Errorf("cgroup: %w", err))
			}
		}
	}
	return errors.Join(errs...)
}

// removeHostFiles deletes the sandbox's files in folders that do not belong to the sandbox.
func removeHostFiles(l *layout.Layout) error {
	var errs []error
	for _, path := range findHostFiles(l) {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, dir := range sharedFolders {
		_ = os.Remove(dir) // a folder that is not empty must stay, and then this call fails
	}
	return errors.Join(errs...)
}
