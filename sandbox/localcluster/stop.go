package localcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/preflight"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// cleanupLimit is how long the removal of processes, mounts, network devices and cgroups may
// take. The kernel needs some time for it: for example, a network device disappears some time
// after its network namespace.
const cleanupLimit = 15 * time.Second

// Stop stops the cluster of a sandbox and restores the machine: no process, mount, network
// device, rule or cgroup remains. If something remains, the error lists it. The data
// (objects, volumes, images) stay for the next Start.
//
// Stop can be called at any time: processes may have been killed, and the settings may have
// changed since the start. The caller must hold the sandbox's lock.
func Stop(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	log.Expect(1)
	return log.Step("cluster: stop", func(detail func(string)) error { return stopComponents(ctx, l, log, detail) })
}

// stopComponents stops all components in parallel. Each component waits until the components
// that depend on it have stopped. Then stopComponents removes the residue.
func stopComponents(ctx context.Context, l *layout.Layout, log *progress.Log, detail func(string)) error {
	node, err := readNodeRecord()
	if err != nil {
		return err
	}
	isNode := node != nil && node.Dir == l.Dir // the machine is the node of this sandbox
	if isNode && os.Geteuid() != 0 {
		return fmt.Errorf("stop of a local cluster: %w", preflight.ErrNotRoot)
	}
	stopped := map[string]chan struct{}{}
	for _, c := range Components {
		stopped[c.Name] = make(chan struct{})
	}
	err = runParallel(Components, func(c Component) error {
		defer close(stopped[c.Name])
		for _, other := range Components {
			if slices.Contains(other.After, c.Name) {
				<-stopped[other.Name]
			}
		}
		if c.Name == Containerd && process.Alive(l, c.Name) {
			detail("removing pods")
			if err := removePods(ctx, l); err != nil {
				log.Say("some pods did not stop and are removed by force: %v", err)
			}
		}
		return process.Stop(ctx, l, c.Name, c.Grace)
	})
	if err != nil {
		return err
	}
	detail("removing the residue")
	if isNode {
		return node.undoChanges(ctx, l)
	}
	return sweepUntilClean(ctx, l, processesOnly)
}

// sweepUntilClean repeats sweep until no residue is left. One call may not be enough. A
// cgroup is busy for a moment after its last process has ended. A device disappears some
// time after its network namespace.
func sweepUntilClean(ctx context.Context, l *layout.Layout, scope sweepScope) error {
	ctx, cancel := context.WithTimeout(ctx, cleanupLimit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		sweepErr := sweep(ctx, l, scope)
		residue, err := FindResidue(ctx, l)
		// undoChanges removes this file after the sweep.
		residue = slices.DeleteFunc(residue, func(entry string) bool { return entry == "file "+nodeRecordPath })
		if err = errors.Join(sweepErr, err); err == nil && len(residue) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the cluster stopped but left %s; run `make down` again, and if that does not help, restart the machine: %w",
				summarize(residue), errors.Join(err, context.Cause(ctx)))
		case <-tick.C:
		}
	}
}

// maxShownResidue is the number of lines of residue that an error lists.
const maxShownResidue = 8

// summarize joins the first maxShownResidue lines of residue. If there are more lines, it adds
// the number of the other lines.
func summarize(residue []string) string {
	summary := strings.Join(residue[:min(maxShownResidue, len(residue))], "; ")
	if more := len(residue) - maxShownResidue; more > 0 {
		summary += fmt.Sprintf("; and %d more", more)
	}
	return summary
}

// ErrRunning is returned by Purge if the cluster still has residue, such as processes.
var ErrRunning = errors.New("the cluster is not stopped: run `make down` first")

// Purge deletes the data of a stopped cluster: objects, volumes, pulled images,
// certificates, configuration. It does not delete the registry's images.
func Purge(ctx context.Context, l *layout.Layout) error {
	residue, err := FindResidue(ctx, l)
	if err != nil {
		return fmt.Errorf("delete the cluster's data: %w", err)
	}
	if len(residue) > 0 {
		return fmt.Errorf("delete the cluster's data: %w: %s", ErrRunning, summarize(residue))
	}
	paths := nodePaths{l}
	for _, path := range []string{l.Etcd(), paths.kubeletDir(), paths.containerdRoot(), paths.podLogsDir(), paths.config(""), l.PKI(), l.Kubeconfig()} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("delete the cluster's data: %w", err)
		}
	}
	return nil
}
