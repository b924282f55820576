package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// bytesize is a number of bytes.
type bytesize int64

func (b bytesize) String() string { return fmt.Sprintf("%d MB", b/1_000_000) }

// sampleInterval is the interval between two measurements of the memory of a process tree.
const sampleInterval = 25 * time.Millisecond

// watchTreeMemory measures the memory of a process and its descendants, which is the sum of their
// proportional set sizes (PSS). In this sum, shared pages count once. The returned function
// ends the measurement and returns the peak.
func watchTreeMemory(pid int) (stop func() bytesize) {
	var peak bytesize
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(sampleInterval)
		defer tick.Stop()
		for {
			var current bytesize
			for _, p := range findProcessTree(pid) {
				current += readPSS(p)
			}
			peak = max(peak, current)
			select {
			case <-quit:
				return
			case <-tick.C:
			}
		}
	}()
	return func() bytesize {
		close(quit)
		<-done
		return peak
	}
}

// findProcessTree returns pid and the ids of its descendants.
func findProcessTree(pid int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, f := range stats {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // the process has ended
		}
		// The second field is the command's name in brackets, which may contain any character.
		// So the other fields are those after the last bracket.
		fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
		child, childErr := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		parent, parentErr := strconv.Atoi(fields[1])
		if childErr == nil && parentErr == nil {
			children[parent] = append(children[parent], child)
		}
	}
	pids := []int{pid}
	for i := 0; i < len(pids); i++ {
		pids = append(pids, children[pids[i]]...)
	}
	return pids
}

// findShims lists the shim processes of the sandbox's containerd.
func findShims() []int {
	var pids []int
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well formed
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // the process has ended
		}
		if line := string(raw); strings.Contains(line, "containerd-shim") && strings.Contains(line, "/run/progressive-") {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// readPSS returns a process's proportional set size, or zero if it can't be read, because the process
// has ended.
func readPSS(pid int) bytesize {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		if value, ok := strings.CutPrefix(scanner.Text(), "Pss:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				return 0
			}
			return bytesize(kb * 1024)
		}
	}
	return 0
}

// describeMachine describes the machine of the measurement.
func describeMachine() string {
	model := "unknown processor"
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if value, ok := strings.CutPrefix(line, "model name"); ok {
				model = strings.TrimSpace(strings.TrimLeft(value, "\t :"))
				break
			}
		}
	}
	memory := ""
	if raw, err := os.ReadFile("/proc/meminfo"); err == nil {
		if fields := strings.Fields(string(raw)); len(fields) > 1 {
			if kb, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				memory = fmt.Sprintf(", %d GB", kb*1024/1_000_000_000)
			}
		}
	}
	return fmt.Sprintf("%d cores (%s)%s, %s %s/%s", runtime.NumCPU(), model, memory, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
