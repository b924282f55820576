package localcluster

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/process"
)

// ComponentStatus is the status of one component; `sandbox status --json` prints
// it.
type ComponentStatus struct {
	Name string `json:"name"`
	// PID is the id of the process. It is zero if the component does not run.
	PID int `json:"pid"`
	// Port is the component's port on 127.0.0.1, or zero if it has none.
	Port int `json:"port,omitempty"`
	// Healthy reports whether the health check succeeds. If not, Reason has the error.
	Healthy bool   `json:"healthy"`
	Reason  string `json:"reason,omitempty"`
	// RSS is the resident memory in bytes. The components share one executable, and the
	// RSS of each contains all of the shared memory.
	RSS int64 `json:"rssBytes"`
	// PSS is the proportional set size in bytes. In the sum over all components, shared
	// memory counts once.
	PSS int64 `json:"pssBytes"`
}

// Status returns the status of each component of a sandbox's cluster, in the
// order in which they start.
func Status(ctx context.Context, l *layout.Layout) []ComponentStatus {
	components := ComponentsFor(l)
	statuses := make([]ComponentStatus, len(components))
	var wg sync.WaitGroup
	for i, c := range components {
		wg.Go(func() { statuses[i] = checkStatus(ctx, l, c) })
	}
	wg.Wait()
	return statuses
}

// checkStatus returns the status of one component.
func checkStatus(ctx context.Context, l *layout.Layout, c Component) ComponentStatus {
	s := ComponentStatus{Name: c.Name}
	if c.Ports != nil {
		s.Port = c.Ports(l.Ports)[0].Port
	}
	r, ok := process.Find(l, c.Name)
	if !ok {
		s.Reason = "does not run"
		return s
	}
	s.PID = r.PID
	s.RSS, s.PSS = readMemory(r.PID)
	if err := c.CheckHealth(ctx, l); err != nil {
		s.Reason = err.Error()
		return s
	}
	s.Healthy = true
	return s
}

// readMemory returns the RSS and the PSS of a process in bytes. Both are zero if they cannot be
// read.
func readMemory(pid int) (rss, pss int64) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, 0
	}
	return parseMemory(string(raw))
}

// parseMemory reads the RSS and the PSS from the content of a file smaps_rollup (proc(5)).
func parseMemory(rollup string) (rss, pss int64) {
	for _, line := range strings.Split(rollup, "\n") {
		fields := strings.Fields(line) // such as "Rss: 2048 kB"
		if len(fields) != 3 || fields[2] != "kB" {
			continue
		}
		kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "Rss:":
			rss = kilobytes << 10
		case "Pss:":
			pss = kilobytes << 10
		}
	}
	return rss, pss
}
