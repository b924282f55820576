package cluster

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

	"github.com/progressive-framework/platform/sandbox/home"
)

// Places outside the sandbox that containerd, its shims, the network plugins
// and the kubelet write to whatever they are told. Only what is ours in them is
// removed, and the folders where that leaves them empty.
const (
	shimSockets   = "/run/containerd/s"
	networkCache  = "/var/lib/cni/results"
	containerLogs = "/var/log/containers"
	devicePlugins = "/var/lib/kubelet/device-plugins"
)

// sharedFolders are those places and what was made above them, children first.
var sharedFolders = []string{
	shimSockets, "/run/containerd",
	networkCache, "/var/lib/cni",
	containerLogs,
	devicePlugins, "/var/lib/kubelet",
}

// sweep removes what an orderly stop leaves, and everything that a disorderly
// one does. Processes are looked for in any case; the rest only where the
// machine is this sandbox's node.
func sweep(ctx context.Context, h *home.Home, node bool) error {
	if err := killAll(ctx, h); err != nil {
		return err
	}
	if !node {
		return nil
	}
	// Mounts go before the folders they are in, sockets before the bundles that
	// name them, and devices go with the network namespaces, which are mounts.
	return errors.Join(
		unmountAll(h),
		removeLinks(),
		removeAddress(),
		removeRules(ctx),
		removeCounters(),
		removeCgroups(h),
		removeStrays(h),
		os.RemoveAll(layout{h}.run()),
	)
}

// killAll ends the processes that no record leads to: shims, containers, and
// components whose record was lost.
func killAll(ctx context.Context, h *home.Home) error {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	for {
		left := strayProcesses(h)
		if len(left) == 0 {
			return nil
		}
		for _, p := range left {
			if err := syscall.Kill(p.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill %s: %w", p, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("these processes do not end: %v: %w", left, context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func unmountAll(h *home.Home) error {
	points, err := mounts(h)
	if err != nil {
		return err
	}
	var errs []error
	for _, point := range slices.Backward(points) { // the latest lies on top
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			errs = append(errs, fmt.Errorf("unmount %s: %w", point, err))
		}
	}
	return errors.Join(errs...)
}

// removeLinks deletes the host's ends of the pods' links.
func removeLinks() error {
	links, err := podLinks()
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range links {
		err := netlink.LinkDel(l)
		var gone netlink.LinkNotFoundError
		if err != nil && !errors.As(err, &gone) && !errors.Is(err, syscall.ENODEV) {
			errs = append(errs, fmt.Errorf("network device %s: %w", l.Attrs().Name, err))
		}
	}
	return errors.Join(errs...)
}

// removeCgroups deletes from the leaves up: a cgroup's folder can only be
// removed when it has none below, and its files go by themselves.
func removeCgroups(h *home.Home) error {
	dirs, err := cgroups(h)
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range dirs {
		var all []string
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				all = append(all, path)
			}
			return nil
		})
		errs = append(errs, err)
		for _, path := range slices.Backward(all) {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, fmt.Errorf("cgroup: %w", err))
			}
		}
	}
	return errors.Join(errs...)
}

// removeStrays deletes our files in places of the machine.
func removeStrays(h *home.Home) error {
	var errs []error
	for _, path := range strays(h) {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, dir := range sharedFolders {
		_ = os.Remove(dir) // fails, as it should, where something is in it
	}
	return errors.Join(errs...)
}
