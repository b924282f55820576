package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// cores are the processors of this machine: what is measured at saturation has
// the first for itself.
type cores struct {
	first, rest, all unix.CPUSet
	proc             procfs.FS
}

func newCores() (*cores, error) {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, err
	}
	c := &cores{proc: proc}
	if err := unix.SchedGetaffinity(0, &c.all); err != nil {
		return nil, fmt.Errorf("which processors there are: %w", err)
	}
	if c.all.Count() < 2 {
		return nil, errors.New("this machine has one processor, and bench needs one for what it measures and another for the load")
	}
	c.rest = c.all
	first := 0
	for !c.all.IsSet(first) {
		first++
	}
	c.first.Set(first)
	c.rest.Clear(first)
	return c, nil
}

// alone gives the process the first core, and this one with all that it
// started the others.
func (c *cores) alone(pid int) error {
	return errors.Join(c.bindAll(&c.rest), c.bind(pid, &c.first))
}

// together lets all of them run anywhere again.
func (c *cores) together() error { return c.bindAll(&c.all) }

// bindAll binds this process and all that it and they started.
func (c *cores) bindAll(to *unix.CPUSet) error {
	procs, err := c.proc.AllProcs()
	if err != nil {
		return err
	}
	children := map[int][]int{}
	for _, p := range procs {
		if stat, err := p.Stat(); err == nil { // it may have ended
			children[stat.PPID] = append(children[stat.PPID], stat.PID)
		}
	}
	tree := []int{os.Getpid()}
	for i := 0; i < len(tree); i++ {
		if err := c.bind(tree[i], to); err != nil {
			return err
		}
		tree = append(tree, children[tree[i]]...)
	}
	return nil
}

// bind binds every thread of a process; one that it starts later inherits that.
func (c *cores) bind(pid int, to *unix.CPUSet) error {
	threads, err := c.proc.AllThreads(pid)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it has ended
	}
	if err != nil {
		return err
	}
	for _, t := range threads {
		if err := unix.SchedSetaffinity(t.PID, to); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("bind thread %d of process %d: %w", t.PID, pid, err)
		}
	}
	return nil
}

// used is how many seconds of a processor the process has had.
func (c *cores) used(pid int) float64 {
	p, err := c.proc.Proc(pid)
	if err != nil {
		return 0
	}
	stat, err := p.Stat()
	if err != nil {
		return 0
	}
	return stat.CPUTime()
}
