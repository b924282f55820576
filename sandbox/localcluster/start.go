package localcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// containerdPath is the path in Debian's package. containerd is the only
// component that is not part of this executable.
const containerdPath = "/usr/bin/containerd"

// StartSteps is the number of steps that Start adds to a log.
const StartSteps = 2

// Start starts the cluster of a sandbox and waits until it is healthy. It can be
// called at any time. It starts what does not run, repairs what was killed or
// hangs, and restarts what was configured differently or built again. It does not
// touch the rest.
//
// Reasons to fail (missing permissions or packages, a port in use) are checked
// before anything is started. The caller holds the sandbox's lock (package lock).
func Start(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	// claimMachine comes before Preflight, because the residue of a dead sandbox may hold
	// ports.
	if err := claimMachine(ctx, l, log); err != nil {
		return err
	}
	if err := Preflight(l); err != nil {
		return err
	}
	step := "cluster: certificates, configuration, node"
	if l.Cluster == layout.ClusterExisting {
		step = "cluster: the current context of " + l.Settings.Kubeconfig
	}
	if err := log.Step(step, func(func(string)) error { return prepare(ctx, l, log) }); err != nil {
		return err
	}
	in := ComponentsOf(l)
	return log.Step("cluster: "+joinNames(in), func(detail func(string)) error {
		return startAll(ctx, l, log, detail)
	})
}

func joinNames(cs []Component) string {
	if len(cs) == 0 {
		return "the user's own, nothing to start"
	}
	all := make([]string, len(cs))
	for i, c := range cs {
		all[i] = c.Name
	}
	return strings.Join(all, ", ")
}

// prepare writes the files of the processes, and prepares the machine as a node.
func prepare(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	if l.Cluster == layout.ClusterExisting {
		return copyContext(ctx, l)
	}
	written, err := pki{dir: l.PKI(), now: time.Now()}.ensure()
	if err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	if len(written) > 0 {
		log.Say("created certificates: %s", strings.Join(written, ", "))
	}
	if err := writeKubeconfigs(l); err != nil {
		return err
	}
	if l.Cluster != layout.ClusterLocal {
		return nil
	}
	plugins, err := findPlugins(pluginFolders)
	if err != nil {
		return err
	}
	files, err := nodeConfig(l, plugins)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := writeFile(f.path, f.content); err != nil {
			return fmt.Errorf("node configuration: %w", err)
		}
	}
	return prepareNode(l)
}

// startAll starts every component as soon as all of its After are healthy.
func startAll(ctx context.Context, l *layout.Layout, log *progress.Log, detail func(string)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu      sync.Mutex
		errs    []error
		waiting = map[string]bool{}
		healthy = map[string]chan struct{}{}
		all     sync.WaitGroup
	)
	show := func(name string, on bool) {
		mu.Lock()
		defer mu.Unlock()
		if waiting[name] = on; !on {
			delete(waiting, name)
		}
		var list []string
		for n := range waiting {
			list = append(list, n)
		}
		slices.Sort(list)
		detail("waiting for " + strings.Join(list, ", "))
	}
	for _, c := range ComponentsOf(l) {
		healthy[c.Name] = make(chan struct{})
	}
	for _, c := range ComponentsOf(l) {
		all.Add(1)
		go func() {
			defer all.Done()
			for _, before := range c.After {
				// A component of another kind of cluster is not waited for.
				if done, ok := healthy[before]; ok {
					select {
					case <-done:
					case <-ctx.Done():
						return
					}
				}
			}
			show(c.Name, true)
			if err := startOne(ctx, l, log, c); err != nil {
				mu.Lock()
				// A component that was cancelled because another failed has no error of
				// its own.
				if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
					errs = append(errs, err)
				}
				mu.Unlock()
				cancel()
				return
			}
			show(c.Name, false)
			close(healthy[c.Name])
		}()
	}
	all.Wait()
	if len(errs) == 0 && ctx.Err() != nil {
		return fmt.Errorf("start of the cluster: %w", context.Cause(ctx))
	}
	return errors.Join(errs...)
}

// unhealthyLimit is how long a running component may be unhealthy before it is
// restarted. In that time it may wait for a dependency that was just restarted. It is a
// variable for the tests.
var unhealthyLimit = 20 * time.Second

func startOne(ctx context.Context, l *layout.Layout, log *progress.Log, c Component) error {
	s, err := spec(l, c)
	if err != nil {
		return err
	}
	ranBefore := process.Recorded(l, c.Name) // so this is a repair, not a first start
	outcome, err := process.Start(ctx, l, s)
	if err != nil {
		return err
	}
	check := func(ctx context.Context) error { return c.CheckHealth(ctx, l) }
	if outcome != process.Running {
		if ranBefore {
			log.Say("%s: %s; started", c.Name, outcome)
		}
		return process.Await(ctx, l, c.Name, c.Limit, check)
	}
	err = process.Await(ctx, l, c.Name, unhealthyLimit, check)
	var (
		unhealthy *process.UnhealthyError
		died      *process.DiedError
	)
	switch {
	case errors.As(err, &unhealthy):
		log.Say("%s: runs but is not healthy (%v); restarted", c.Name, unhealthy.Last)
	case errors.As(err, &died): // just after Start found it running
		log.Say("%s: %s; started", c.Name, process.Started)
	default:
		return err
	}
	if err := process.Stop(ctx, l, c.Name, c.Grace); err != nil {
		return err
	}
	if _, err := process.Start(ctx, l, s); err != nil {
		return err
	}
	return process.Await(ctx, l, c.Name, c.Limit, check)
}

// spec returns the process of a component.
func spec(l *layout.Layout, c Component) (process.Spec, error) {
	s := process.Spec{Name: c.Name, Grace: c.Grace, Env: append([]string{layout.Variable + "=" + l.Dir}, c.Env...)}
	if c.Name == Containerd {
		s.Path, s.Args = containerdPath, []string{"--config", nodePaths{l}.config(containerdConfig)}
	} else {
		self, err := os.Executable()
		if err != nil {
			return s, fmt.Errorf("start %s: %w", c.Name, err)
		}
		s.Path, s.Args = self, []string{"run", c.Name}
	}
	if c.Ports != nil {
		s.Ports = c.Ports(l.Ports)
	}
	if c.Flags != nil {
		s.Derived = c.Flags(l)
	}
	if c.Files != nil {
		s.Inputs = c.Files(l)
	}
	return s, nil
}
