package localcluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// containerdPath is the path of containerd in Debian's package. containerd is the only
// component that is not part of this executable.
const containerdPath = "/usr/bin/containerd"

// StartSteps is the number of steps that Start adds to a log.
const StartSteps = 2

// Start starts the cluster of a sandbox and waits until the cluster is healthy. It can be
// called at any time: it starts components that do not run. It restarts components that hang,
// have a changed configuration, or were built again. Other components continue to run.
//
// Before it starts anything, Start checks for missing permissions, missing packages and
// ports in use. The caller must hold the sandbox's lock (package lock).
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
	if err := log.Step(step, func(func(string)) error { return prepareCluster(ctx, l, log) }); err != nil {
		return err
	}
	return log.Step("cluster: "+describeComponents(ComponentsFor(l)), func(detail func(string)) error {
		return startComponents(ctx, l, log, detail)
	})
}

// describeComponents returns the names of the components, or a text that says that there are
// none.
func describeComponents(components []Component) string {
	if len(components) == 0 {
		return "the user's own, nothing to start"
	}
	names := make([]string, len(components))
	for i, c := range components {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// prepareCluster writes the files that the processes read. For a local cluster it also prepares
// the machine as a node.
func prepareCluster(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	if l.Cluster == layout.ClusterExisting {
		return copyContext(ctx, l)
	}
	written, err := pki{dir: l.PKI(), now: time.Now()}.ensureCertificates()
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
	pluginFolder, err := findPluginFolder(pluginFolders)
	if err != nil {
		return err
	}
	files, err := renderNodeConfig(l, pluginFolder)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := writeFile(f.path, f.content); err != nil {
			return fmt.Errorf("node configuration: %w", err)
		}
	}
	if err := prepareNode(l); err != nil {
		return err
	}
	return keepPacketsInside(ctx)
}

// startComponents starts every component as soon as the components in its field After are healthy.
func startComponents(ctx context.Context, l *layout.Layout, log *progress.Log, detail func(string)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu       sync.Mutex // protects errs
		errs     []error
		starting = startingNames{detail: detail, names: map[string]bool{}}
		healthy  = map[string]chan struct{}{} // a channel is closed when the component is healthy
		wg       sync.WaitGroup
	)
	for _, c := range ComponentsFor(l) {
		healthy[c.Name] = make(chan struct{})
	}
	for _, c := range ComponentsFor(l) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for _, dependency := range c.After {
				isHealthy, ok := healthy[dependency]
				if !ok {
					continue // this kind of cluster does not have the component
				}
				select {
				case <-isHealthy:
				case <-ctx.Done():
					return
				}
			}
			starting.add(c.Name)
			if err := startComponent(ctx, l, log, c); err != nil {
				mu.Lock()
				// If ctx has ended, another component has failed or the user has interrupted the
				// start. Then this component was only canceled, and its error says nothing new.
				if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
					errs = append(errs, err)
				}
				mu.Unlock()
				cancel()
				return
			}
			starting.remove(c.Name)
			close(healthy[c.Name])
		}()
	}
	wg.Wait()
	if len(errs) == 0 && ctx.Err() != nil {
		return fmt.Errorf("start of the cluster: %w", context.Cause(ctx))
	}
	return errors.Join(errs...)
}

// startingNames are the names of the components that are starting. After each change, the names
// are shown as the progress of the step. Several goroutines may use it at the same time.
type startingNames struct {
	mu     sync.Mutex
	names  map[string]bool
	detail func(string)
}

func (s *startingNames) add(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[name] = true
	s.show()
}

func (s *startingNames) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.names, name)
	s.show()
}

// show displays the names. The caller must hold the lock.
func (s *startingNames) show() {
	s.detail("waiting for " + strings.Join(slices.Sorted(maps.Keys(s.names)), ", "))
}

// unhealthyLimit is how long a running component may be unhealthy before it is restarted. The
// component may be unhealthy only because a dependency was just restarted. Tests set a shorter
// limit.
var unhealthyLimit = 20 * time.Second

// startComponent starts a component if it does not run, and waits until the component is
// healthy. If the component ran already and does not become healthy within unhealthyLimit,
// startComponent restarts it.
func startComponent(ctx context.Context, l *layout.Layout, log *progress.Log, c Component) error {
	spec, err := processSpec(l, c)
	if err != nil {
		return err
	}
	ranBefore := process.HasRecord(l, c.Name) // if true, this start repairs the component, and the log says so
	outcome, err := process.Start(ctx, l, spec)
	if err != nil {
		return err
	}
	check := func(ctx context.Context) error { return c.CheckHealth(ctx, l) }
	if outcome != process.Running {
		if ranBefore {
			log.Say("%s: %s; started", c.Name, outcome)
		}
		return process.Await(ctx, l, c.Name, c.StartTimeout, check)
	}
	err = process.Await(ctx, l, c.Name, unhealthyLimit, check)
	var (
		unhealthy *process.UnhealthyError
		died      *process.DiedError
	)
	switch {
	case errors.As(err, &unhealthy):
		log.Say("%s: runs but is not healthy (%v); restarted", c.Name, unhealthy.Last)
	case errors.As(err, &died): // the component ended after process.Start had found it running
		log.Say("%s: %s; started", c.Name, process.Started)
	default:
		return err
	}
	if err := process.Stop(ctx, l, c.Name, c.Grace); err != nil {
		return err
	}
	if _, err := process.Start(ctx, l, spec); err != nil {
		return err
	}
	return process.Await(ctx, l, c.Name, c.StartTimeout, check)
}

// processSpec returns the specification of the process of a component.
func processSpec(l *layout.Layout, c Component) (process.Spec, error) {
	spec := process.Spec{Name: c.Name, Grace: c.Grace, Env: []string{layout.Variable + "=" + l.Dir}}
	if c.GOGC != 0 && l.Cluster != layout.ClusterSimulated {
		spec.Env = append(spec.Env, "GOGC="+strconv.Itoa(c.GOGC))
	}
	if c.Name == Containerd {
		spec.Path, spec.Args = containerdPath, []string{"--config", nodePaths{l}.config(containerdConfig)}
	} else {
		self, err := os.Executable()
		if err != nil {
			return spec, fmt.Errorf("start %s: %w", c.Name, err)
		}
		spec.Path, spec.Args = self, []string{"run", c.Name}
	}
	if c.Ports != nil {
		spec.Ports = c.Ports(l.Ports)
	}
	if c.Flags != nil {
		spec.Derived = c.Flags(l)
	}
	if c.Files != nil {
		spec.Inputs = c.Files(l)
	}
	return spec, nil
}
