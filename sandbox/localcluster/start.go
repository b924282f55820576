package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// containerdPath is Debian's; there is no containerd among our own processes.
const containerdPath = "/usr/bin/containerd"

// StartSteps is how many steps of a log Start takes.
const StartSteps = 2

// Start makes the cluster of a sandbox run and waits until it is healthy. It
// can be called at any time: it starts what is not there, repairs what was
// killed or hangs, restarts what was configured otherwise or built anew, and
// leaves the rest alone. It takes StartSteps steps of the log.
//
// What would make a start fail half-way (missing rights, packages, a port that
// is taken) is looked for before anything is started. The caller holds the
// sandbox's lock (package lock).
func Start(ctx context.Context, h *home.Home, log *progress.Log) error {
	// First what a dead sandbox left is put back: it may hold what is looked for.
	if err := claim(ctx, h, log); err != nil {
		return err
	}
	if err := Preflight(h); err != nil {
		return err
	}
	prepared := "cluster: certificates, configuration, node"
	if h.Cluster == home.ClusterExisting {
		prepared = "cluster: the current context of " + h.Settings.Kubeconfig
	}
	if err := log.Step(prepared, func(func(string)) error { return prepare(ctx, h, log) }); err != nil {
		return err
	}
	in := In(h)
	return log.Step("cluster: "+names(in), func(detail func(string)) error {
		return startAll(ctx, h, log, detail)
	})
}

func names(cs []Component) string {
	if len(cs) == 0 {
		return "all of it is the person's own"
	}
	all := make([]string, len(cs))
	for i, c := range cs {
		all[i] = c.Name
	}
	return strings.Join(all, ", ")
}

// prepare writes what the processes read, and changes the kernel for the node.
func prepare(ctx context.Context, h *home.Home, log *progress.Log) error {
	if h.Cluster == home.ClusterExisting {
		return copyContext(ctx, h)
	}
	written, err := pki{dir: h.PKI(), now: time.Now()}.ensure()
	if err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	if len(written) > 0 {
		log.Say("made certificates: %s", strings.Join(written, ", "))
	}
	if err := writeKubeconfigs(h); err != nil {
		return err
	}
	if h.Cluster != home.ClusterLocal {
		return nil
	}
	plugins, err := findPlugins(pluginFolders)
	if err != nil {
		return err
	}
	files, err := nodeConfig(h, plugins)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := writeFile(f.path, f.content); err != nil {
			return fmt.Errorf("node configuration: %w", err)
		}
	}
	return prepareNode(h)
}

// startAll starts every component as soon as those it comes after are healthy.
func startAll(ctx context.Context, h *home.Home, log *progress.Log, detail func(string)) error {
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
	for _, c := range In(h) {
		healthy[c.Name] = make(chan struct{})
	}
	for _, c := range In(h) {
		all.Add(1)
		go func() {
			defer all.Done()
			for _, before := range c.After {
				// What a component comes after may not be part of this cluster.
				if done, ok := healthy[before]; ok {
					select {
					case <-done:
					case <-ctx.Done():
						return
					}
				}
			}
			show(c.Name, true)
			if err := startOne(ctx, h, log, c); err != nil {
				mu.Lock()
				// Those that were given up because another failed say nothing new.
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

// hung is how long a component that ran before may be unhealthy until it is
// started anew: what it depends on may have come back only now. A variable for
// the tests alone.
var hung = 20 * time.Second

func startOne(ctx context.Context, h *home.Home, log *progress.Log, c Component) error {
	s, err := spec(h, c)
	if err != nil {
		return err
	}
	ranBefore := hasRun(h, c.Name)
	outcome, err := process.Start(ctx, h, s)
	if err != nil {
		return err
	}
	check := func(ctx context.Context) error { return c.Healthy(ctx, h) }
	if outcome != process.Running {
		if ranBefore {
			log.Say("%s: %s; started", c.Name, outcome)
		}
		return process.Await(ctx, h, c.Name, c.Limit, check)
	}
	err = process.Await(ctx, h, c.Name, hung, check)
	var (
		sick *process.UnhealthyError
		died *process.DiedError
	)
	switch {
	case errors.As(err, &sick):
		log.Say("%s: runs but is not healthy (%v); started anew", c.Name, sick.Last)
	case errors.As(err, &died): // a moment after it was found alive
		log.Say("%s: %s; started", c.Name, process.Started)
	default:
		return err
	}
	if err := process.Stop(ctx, h, c.Name, c.Grace); err != nil {
		return err
	}
	if _, err := process.Start(ctx, h, s); err != nil {
		return err
	}
	return process.Await(ctx, h, c.Name, c.Limit, check)
}

// hasRun tells a repair from a first start: a process that was not stopped by
// Stop has a record.
func hasRun(h *home.Home, name string) bool { return process.Recorded(h, name) }

// spec is the process of a component.
func spec(h *home.Home, c Component) (process.Spec, error) {
	s := process.Spec{Name: c.Name, Grace: c.Grace, Env: append([]string{home.Variable + "=" + h.Dir}, c.Env...)}
	if c.Name == Containerd {
		s.Path, s.Args = containerdPath, []string{"--config", layout{h}.config(containerdConfig)}
	} else {
		self, err := os.Executable()
		if err != nil {
			return s, fmt.Errorf("start %s: %w", c.Name, err)
		}
		s.Path, s.Args = self, []string{"run", c.Name}
	}
	if c.Ports != nil {
		s.Ports = c.Ports(h.Ports)
	}
	if c.Flags != nil {
		s.Derived = c.Flags(h)
	}
	if c.Files != nil {
		s.Inputs = c.Files(h)
	}
	return s, nil
}
