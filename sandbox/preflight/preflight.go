// Package preflight finds problems that would make the start of a sandbox fail. Its checks
// run before anything is built or started, and report all problems together. The package
// and its imports use only the standard library, because the bootstrap runs the checks
// before anything else is built.
package preflight

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/process"
)

// ErrNotRoot is the error for a local cluster if the user is not root.
var ErrNotRoot = errors.New("a local cluster needs root, for containers and their network: " +
	"run it as root (sudo -E make up), or use a cluster that you have: make up CLUSTER=" + layout.ClusterExisting)

// startSpace is the free space in bytes that the disk of the sandbox's folder must have.
// Images, etcd's data and logs of one `up` take about a third of this space. The rest is a
// reserve, because the kubelet evicts pods when a disk is nearly full.
const startSpace = 2 << 30

// Check returns an error if the cluster needs root and the user is not root, if a port is in use, or
// if the disk has too little free space.
func Check(l *layout.Layout, ports []layout.NamedPort) error {
	errs := []error{checkUser(l.Cluster, os.Geteuid())}
	if err := process.CheckPorts(ports); err != nil {
		errs = append(errs, fmt.Errorf("%w\n  Other ports: make up SANDBOX_PORTS=registry=5002,apiServer=7443", err))
	}
	return errors.Join(append(errs, CheckSpace([]Need{{l.Dir, "the sandbox", startSpace}}))...)
}

func checkUser(cluster string, euid int) error {
	if cluster == layout.ClusterLocal && euid != 0 {
		return ErrNotRoot
	}
	return nil
}

// Need is the disk space that one folder will take.
type Need struct {
	// Dir is the folder, which may not exist yet. What describes the content of the folder in
	// messages.
	Dir, What string
	Bytes     uint64
}

// CheckSpace adds up the needs for each disk and returns an error that names every
// disk that is too small.
func CheckSpace(needs []Need) error { return checkSpace(needs, Disk) }

// checkSpace is CheckSpace with another function in place of Disk. Tests use it.
func checkSpace(needs []Need, disk func(dir string) (id, free uint64, err error)) error {
	var (
		diskIDs      []uint64                                   // ids of disks
		free, need   = map[uint64]uint64{}, map[uint64]uint64{} // bytes by the id of the disk
		descriptions = map[uint64][]string{}                    // descriptions of the needs by the id of the disk
	)
	for _, n := range needs {
		id, freeBytes, err := disk(n.Dir)
		if err != nil {
			return err
		}
		if descriptions[id] == nil {
			diskIDs = append(diskIDs, id)
		}
		free[id], need[id] = freeBytes, need[id]+n.Bytes
		descriptions[id] = append(descriptions[id], fmt.Sprintf("%s for %s in %s", FormatGibibytes(n.Bytes), n.What, n.Dir))
	}
	var errs []error
	for _, id := range diskIDs {
		if free[id] < need[id] {
			errs = append(errs, fmt.Errorf("no space left: %s free, %s needed: %s: free some space, or move a folder with the variables "+
				"GOMODCACHE, GOCACHE, TMPDIR and %s", FormatGibibytes(free[id]), FormatGibibytes(need[id]), strings.Join(descriptions[id], ", "), layout.Variable))
		}
	}
	return errors.Join(errs...)
}

// Disk returns the id and the free bytes of the file system of dir. If dir does not exist
// yet, Disk uses the nearest existing folder above dir.
func Disk(dir string) (id, free uint64, err error) {
	existing := dir
	for {
		var fileSystem syscall.Statfs_t
		var status syscall.Stat_t
		if err = errors.Join(syscall.Statfs(existing, &fileSystem), syscall.Stat(existing, &status)); err == nil {
			return status.Dev, fileSystem.Bavail * uint64(fileSystem.Bsize), nil
		}
		if !errors.Is(err, os.ErrNotExist) || existing == filepath.Dir(existing) {
			return 0, 0, fmt.Errorf("disk of %s: %w", dir, err)
		}
		existing = filepath.Dir(existing)
	}
}

// FormatGibibytes formats a number of bytes in GiB.
func FormatGibibytes(n uint64) string { return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30)) }
