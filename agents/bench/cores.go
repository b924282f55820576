package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// cores are the CPUs of this machine: the first is for the measured process,
// the others for everything else.
type cores struct{ first, rest unix.CPUSet }

// newCores assigns the first CPU that the process may use to one set, and all
// others to the other set.
func newCores() (c cores, err error) {
	if err := unix.SchedGetaffinity(0, &c.rest); err != nil {
		return c, fmt.Errorf("get the CPU affinity: %w", err)
	}
	if c.rest.Count() < 2 {
		return c, errors.New("this machine has one CPU, must have at least 2: one for the server and one for the load")
	}
	first := 0
	for !c.rest.IsSet(first) {
		first++
	}
	c.first.Set(first)
	c.rest.Clear(first)
	return c, nil
}

// isolate binds the measured process to the first core, and this process with
// its descendants to the others. New child processes inherit the binding.
func (c cores) isolate(pid int) error {
	processes, err := procfs.AllProcs()
	if err != nil {
		return err
	}
	children := map[int][]int{}
	for _, p := range processes {
		if stat, err := p.Stat(); err == nil { // the process may have exited
			children[stat.PPID] = append(children[stat.PPID], stat.PID)
		}
	}
	tree := []int{os.Getpid()}
	for i := 0; i < len(tree); i++ {
		if err := bind(tree[i], &c.rest); err != nil {
			return err
		}
		tree = append(tree, children[tree[i]]...)
	}
	return bind(pid, &c.first)
}

// bind binds every thread of a process.
func bind(pid int, to *unix.CPUSet) error {
	threads, err := procfs.AllThreads(pid)
	if errors.Is(err, os.ErrNotExist) {
		return nil // the process has exited
	}
	for _, t := range threads {
		if bindErr := unix.SchedSetaffinity(t.PID, to); !errors.Is(bindErr, unix.ESRCH) {
			err = errors.Join(err, bindErr)
		}
	}
	return err
}

// cpuSeconds returns the CPU time that the process has used.
func cpuSeconds(pid int) (float64, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0, err
	}
	stat, err := p.Stat()
	return stat.CPUTime(), err
}
