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
type cores struct{ first, others unix.CPUSet }

// newCores assigns the first CPU that the process may use to one set, and all
// others to the other set.
func newCores() (c cores, err error) {
	if err := unix.SchedGetaffinity(0, &c.others); err != nil {
		return c, fmt.Errorf("get the CPU affinity: %w", err)
	}
	if c.others.Count() < 2 {
		return c, errors.New("this machine has one CPU, must have at least 2: one for the server and one for the load")
	}
	first := 0
	for !c.others.IsSet(first) {
		first++
	}
	c.first.Set(first)
	c.others.Clear(first)
	return c, nil
}

// isolate binds the measured process to the first CPU. It binds this process and
// all its descendants to the other CPUs. A new child process inherits the binding.
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
	descendants := []int{os.Getpid()} // grows in the loop
	for i := 0; i < len(descendants); i++ {
		if err := bind(descendants[i], &c.others); err != nil {
			return err
		}
		descendants = append(descendants, children[descendants[i]]...)
	}
	return bind(pid, &c.first)
}

// bind restricts every thread of a process to the CPUs. It returns nil for a
// process that has exited.
func bind(pid int, cpus *unix.CPUSet) error {
	threads, err := procfs.AllThreads(pid)
	if errors.Is(err, os.ErrNotExist) {
		return nil // the process has exited
	}
	for _, t := range threads {
		if bindErr := unix.SchedSetaffinity(t.PID, cpus); !errors.Is(bindErr, unix.ESRCH) {
			err = errors.Join(err, bindErr)
		}
	}
	return err
}

// readCPUSeconds returns the CPU time that the process has used.
func readCPUSeconds(pid int) (float64, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0, err
	}
	stat, err := p.Stat()
	return stat.CPUTime(), err
}
