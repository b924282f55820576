package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const gib = 1 << 30

// What a cold `make up` takes, on linux/amd64 with Go 1.26: 2.4 GB of modules
// (524 of them, with their archives), 0.7 GB of compiled packages (4,924), the
// linker's work folder, and 0.9 GB of executables, images, logs and the
// cluster's data. Rounded up, for the next version of everything.
const (
	coldModules = 3 * gib
	coldCache   = 2 * gib
	coldWork    = 1 * gib
	coldSandbox = 2 * gib
)

// roomFor refuses a cold build for which a disk has not the room: a build that
// dies half an hour later tells less and costs more. Where everything has been
// built once it asks nothing.
func roomFor(ctx context.Context, w where, builds []executable) error {
	if !isCold(builds) {
		return nil
	}
	dirs := goFolders(ctx, w)
	if len(dirs) != 2 {
		return errors.New("go env GOMODCACHE GOCACHE does not answer: is Go installed, and newer than 1.21?")
	}
	return checkSpace([]need{
		{dirs[0], "Go modules", coldModules},
		{dirs[1], "compiled packages", coldCache},
		{os.TempDir(), "the linker", coldWork},
		{w.sandbox, "the sandbox", coldSandbox},
	}, freeBytes, usedBytes)
}

// goFolders are the module cache and the build cache.
func goFolders(ctx context.Context, w where) []string {
	raw, err := w.goCommand(ctx, ".", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(raw)), "\n")
}

// need is the room that one folder takes once all is built.
type need struct {
	dir, what string
	bytes     uint64
}

// disk is a file system: its id and its free bytes.
type disk struct {
	id   uint64
	free uint64
}

// checkSpace adds up the needs per disk, less what the folders hold already,
// and names every disk that is too small.
func checkSpace(needs []need, free func(dir string) (disk, error), used func(dir string) uint64) error {
	type sum struct {
		disk  disk
		bytes uint64
		parts []string
	}
	var order []uint64
	sums := map[uint64]*sum{}
	for _, n := range needs {
		d, err := free(n.dir)
		if err != nil {
			return err
		}
		if sums[d.id] == nil {
			sums[d.id] = &sum{disk: d}
			order = append(order, d.id)
		}
		missing := n.bytes - min(n.bytes, used(n.dir))
		sums[d.id].bytes += missing
		sums[d.id].parts = append(sums[d.id].parts, fmt.Sprintf("%s for %s in %s", gigabytes(missing), n.what, n.dir))
	}
	var short []string
	for _, id := range order {
		if s := sums[id]; s.disk.free < s.bytes {
			short = append(short, fmt.Sprintf("%s free, %s needed: %s",
				gigabytes(s.disk.free), gigabytes(s.bytes), strings.Join(s.parts, ", ")))
		}
	}
	if len(short) == 0 {
		return nil
	}
	return fmt.Errorf("no space left for the build:\n%s\n  Free some, or move the caches by the variables GOMODCACHE, GOCACHE, TMPDIR and PROGRESSIVE_SANDBOX",
		indent(strings.Join(short, "\n")))
}

// freeBytes looks at the file system on which dir is or will be.
func freeBytes(dir string) (disk, error) {
	existing := dir
	for {
		var fs syscall.Statfs_t
		err := syscall.Statfs(existing, &fs)
		if err == nil {
			var st syscall.Stat_t
			if err := syscall.Stat(existing, &st); err != nil {
				return disk{}, fmt.Errorf("disk of %s: %w", dir, err)
			}
			return disk{id: st.Dev, free: fs.Bavail * uint64(fs.Bsize)}, nil
		}
		if !os.IsNotExist(err) || existing == filepath.Dir(existing) {
			return disk{}, fmt.Errorf("disk of %s: %w", dir, err)
		}
		existing = filepath.Dir(existing)
	}
}

// usedBytes adds up the files below dir. It is asked only before a cold build,
// where the caches are small or the build will be long.
func usedBytes(dir string) uint64 {
	if filepath.Clean(dir) == filepath.Clean(os.TempDir()) {
		return 0 // what lies there is not ours
	}
	var total uint64
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what cannot be read does not count
		}
		if info, err := d.Info(); err == nil {
			total += uint64(info.Size())
		}
		return nil
	})
	return total
}

// spaceReport tells how full the disks of the build are, after one was full.
func spaceReport(ctx context.Context, w where) []string {
	var report []string
	for _, dir := range append(goFolders(ctx, w), os.TempDir(), w.sandbox) {
		if d, err := freeBytes(dir); err == nil {
			report = append(report, fmt.Sprintf("%s: %s free", dir, gigabytes(d.free)))
		}
	}
	return report
}

func gigabytes(n uint64) string { return fmt.Sprintf("%.1f GB", float64(n)/gib) }
