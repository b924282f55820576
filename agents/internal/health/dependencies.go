package health

import (
	"context"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/progressive-framework/platform/agents/internal/reply"
)

const (
	// checkEvery and checkTimeout are of one dependency's check.
	checkEvery, checkTimeout = 2 * time.Second, time.Second
	// patience is how many checks in a row must fail before a dependency that
	// was up counts as down: a restart of some seconds must not take every
	// process out of its balancer at once.
	patience = 5
)

// Dependency is something that a service needs, or is better with.
type Dependency struct {
	Name string
	// Required is whether the service wants no traffic without it.
	Required bool
	Check    func(context.Context) error
}

// Dependencies is what is known of a service's dependencies. They are checked
// in the background: probes must cost them nothing and must not wait for them.
type Dependencies struct {
	state *State
	all   []Dependency

	mu    sync.Mutex
	up    map[string]bool
	fails map[string]int
}

// NewDependencies returns what answers for state and these; all are down until
// Watch has found them up.
func NewDependencies(state *State, all ...Dependency) *Dependencies {
	d := &Dependencies{state: state, all: all, up: map[string]bool{}, fails: map[string]int{}}
	for _, one := range all {
		d.up[one.Name] = false
	}
	return d
}

// Watch checks until ctx ends.
func (d *Dependencies) Watch(ctx context.Context) {
	for {
		var checks sync.WaitGroup
		for _, one := range d.all {
			checks.Go(func() { d.note(one.Name, check(ctx, one)) })
		}
		checks.Wait()
		select {
		case <-ctx.Done():
			return
		case <-time.After(checkEvery):
		}
	}
}

func check(ctx context.Context, one Dependency) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return one.Check(ctx)
}

func (d *Dependencies) note(name string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.up[name], d.fails[name] = true, 0
		return
	}
	d.fails[name]++
	if d.fails[name] >= patience {
		d.up[name] = false
	}
}

type readiness struct {
	Status       string            `json:"status"`
	Phase        string            `json:"phase"`
	Dependencies map[string]string `json:"dependencies"`
}

// Ready answers 200 while Serving with every required dependency up, else 503,
// and says of each dependency whether it is up.
func (d *Dependencies) Ready(w http.ResponseWriter, _ *http.Request) {
	answer := readiness{"ok", d.state.Phase().String(), map[string]string{}}
	d.mu.Lock()
	up := maps.Clone(d.up)
	d.mu.Unlock()
	status := http.StatusOK
	if d.state.Phase() != Serving {
		status = http.StatusServiceUnavailable
	}
	for _, one := range d.all {
		answer.Dependencies[one.Name] = "up"
		if up[one.Name] {
			continue
		}
		answer.Dependencies[one.Name], answer.Status = "down", "degraded"
		if one.Required {
			status = http.StatusServiceUnavailable
		}
	}
	if status != http.StatusOK {
		answer.Status = "unavailable"
	}
	reply.JSON(w, status, answer)
}
