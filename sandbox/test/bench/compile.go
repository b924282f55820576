package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// packagesInTable is the number of packages in the printed table. The table lists the packages
// that took the most time to compile.
const packagesInTable = 15

// action is one action in the action graph of the go command, such as the compilation of a
// package.
type action struct {
	Mode, Package            string
	CmdReal, CmdUser, CmdSys time.Duration
}

// measureCompilation builds the program with an empty cache and prints the time that the go
// command measured for each package.
func (r *runner) measureCompilation(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "pf-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	graphFile := filepath.Join(dir, "graph.json")
	cmd := r.newCommand(ctx, "go", "build", "-trimpath", "-debug-actiongraph="+graphFile, "-o", filepath.Join(dir, "infra"), "./infra")
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0", "GOCACHE="+filepath.Join(dir, "cache"))
	cmd.Stderr = os.Stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	stopMeasuring := watchTreeMemory(cmd.Process.Pid)
	err = cmd.Wait()
	duration, peakMemory := time.Since(start), stopMeasuring()
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(graphFile)
	if err != nil {
		return err
	}
	var actions []action
	if err := json.Unmarshal(raw, &actions); err != nil {
		return fmt.Errorf("go build -debug-actiongraph: %w", err)
	}
	slices.SortFunc(actions, func(x, y action) int { return int(y.CmdReal - x.CmdReal) })
	info, err := os.Stat(filepath.Join(dir, "infra"))
	if err != nil {
		return err
	}
	fmt.Printf("The program with an empty cache: %.0f s, peak memory %s, %d MB executable, %d packages.\n\n| package | seconds | CPU seconds |\n|---|---|---|\n",
		duration.Seconds(), peakMemory, info.Size()/1_000_000, len(actions))
	for _, a := range actions[:packagesInTable] {
		name := strings.TrimPrefix(strings.TrimPrefix(a.Package, "github.com/pulumi/"), "github.com/")
		if a.Mode == "link" {
			name = "(the link)"
		}
		fmt.Printf("| %s | %.1f | %.1f |\n", name, a.CmdReal.Seconds(), (a.CmdUser + a.CmdSys).Seconds())
	}
	fmt.Println()
	return nil
}
