package localcluster

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/process"
)

// ComponentStatus is the status of one component; `sandbox status --json` prints
// it.
type ComponentStatus struct {
	Name string `json:"name"`
	// PID is zero if it does not run.
	PID int `json:"pid"`
	// Port is its port on 127.0.0.1; zero if it has none.
	Port int `json:"port,omitempty"`
	// Healthy says whether it works; if not, Reason says why.
	Healthy bool   `json:"healthy"`
	Reason  string `json:"reason,omitempty"`
	// RSS is its resident memory in bytes. It contains all of the code, which the
	// components share.
	RSS int64 `json:"rssBytes"`
	// PSS is its proportional share in bytes: summed over the components, shared
	// memory counts once.
	PSS int64 `json:"pssBytes"`
}

// Status returns the status of each component of a sandbox's cluster, in the
// order in which they start.
func Status(ctx context.Context, l *layout.Layout) []ComponentStatus {
	in := ComponentsOf(l)
	all := make([]ComponentStatus, len(in))
	index := make([]int, len(in))
	for i := range in {
		index[i] = i
	}
	_ = each(index, func(i int) error {
		all[i] = statusOf(ctx, l, in[i])
		return nil
	})
	return all
}

func statusOf(ctx context.Context, l *layout.Layout, c Component) ComponentStatus {
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
	s.RSS, s.PSS = memory(r.PID)
	if err := c.CheckHealth(ctx, l); err != nil {
		s.Reason = err.Error()
		return s
	}
	s.Healthy = true
	return s
}

// memory returns a process's resident and proportional memory in bytes; zero if
// it cannot be read.
func memory(pid int) (rss, pss int64) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, 0
	}
	return parseMemory(string(raw))
}

func parseMemory(rollup string) (rss, pss int64) {
	for _, line := range strings.Split(rollup, "\n") {
		f := strings.Fields(line)
		if len(f) != 3 || f[2] != "kB" {
			continue
		}
		kb, err := strconv.ParseInt(f[1], 10, 64)
		switch {
		case err != nil:
		case f[0] == "Rss:":
			rss = kb << 10
		case f[0] == "Pss:":
			pss = kb << 10
		}
	}
	return rss, pss
}
