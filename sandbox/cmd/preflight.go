package cmd

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/progressive-framework/platform/sandbox/cluster"
	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/process"
)

// minFree is what must be free on the disk of the sandbox's folder: images,
// the API server's data and logs of one `up` take about a third of it, and the
// kubelet evicts pods when a disk runs full.
const minFree = 2 << 30

// preflight looks for everything that would make `up` fail later, and reports
// all of it at once.
func preflight(h *home.Home) error {
	var errs []error
	if h.Cluster == home.ClusterLocal && os.Geteuid() != 0 {
		errs = append(errs, cluster.ErrNotRoot)
	}
	var wanted []home.NamedPort
	for _, c := range cluster.In(h) {
		// What runs already holds its own ports.
		if c.Ports != nil && !process.Alive(h, c.Name) {
			wanted = append(wanted, c.Ports(h.Ports)...)
		}
	}
	if h.Cluster == home.ClusterExisting && !process.Alive(h, forwardName) {
		wanted = append(wanted, home.NamedPort{Name: "front door", Port: h.Ports.NodePort})
	}
	if err := process.CheckPorts(wanted); err != nil {
		errs = append(errs, fmt.Errorf("%w\n  Other ports: make up SANDBOX_PORTS=registry=5002,apiServer=7443", err))
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(h.Dir, &fs); err != nil {
		errs = append(errs, fmt.Errorf("disk of %s: %w", h.Dir, err))
	} else if free := fs.Bavail * uint64(fs.Bsize); free < minFree {
		errs = append(errs, fmt.Errorf("no space left: %s is on a disk with %d MB free, %d MB are needed: free some, or put the sandbox elsewhere by %s",
			h.Dir, free>>20, minFree>>20, home.Variable))
	}
	return errors.Join(errs...)
}
