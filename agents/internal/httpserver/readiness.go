package httpserver

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// Dependency is something that the process can't serve without. What it can do
// without, such as a cache, is none: its failure must not take a pod away.
type Dependency struct {
	// Name is shown in the answer.
	Name string
	// Check returns an error while the dependency is away. It must end with its
	// context.
	Check func(context.Context) error
}

const (
	// checkTimeout is below Kubernetes' default timeout of a probe, 1 s, so that
	// the answer says what is missing.
	checkTimeout = 800 * time.Millisecond
	// checkEvery bounds what probes, or strangers who find the path, ask of the
	// dependencies.
	checkEvery = time.Second
)

type readiness struct {
	Status  string   `json:"status"`
	Phase   string   `json:"phase"`
	Missing []string `json:"missing,omitempty"`
}

// ReadyIf is Ready that also answers 503 while a dependency is away, and names
// it. All are asked at once, and at most once in a second.
func (s *State) ReadyIf(dependencies ...Dependency) http.HandlerFunc {
	c := &checks{dependencies: dependencies}
	return func(w http.ResponseWriter, r *http.Request) {
		if s.Phase() != Serving {
			s.Ready(w, r)
			return
		}
		if missing := c.missing(r.Context()); len(missing) > 0 {
			httpapi.JSON(w, http.StatusServiceUnavailable, readiness{"unavailable", Serving.String(), missing})
			return
		}
		s.Ready(w, r)
	}
}

type checks struct {
	dependencies []Dependency
	mu           sync.Mutex // one round at a time; who comes meanwhile shares it
	asked        time.Time
	last         []string
}

// missing returns the names of what is away, in the order given.
func (c *checks) missing(ctx context.Context) (missing []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.asked.IsZero() && time.Since(c.asked) < checkEvery {
		return c.last
	}
	// A prober that leaves must not count as a dependency that is away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	var (
		all  sync.WaitGroup
		errs = make([]error, len(c.dependencies))
	)
	for i, dependency := range c.dependencies {
		all.Go(func() { errs[i] = dependency.Check(ctx) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			missing = append(missing, c.dependencies[i].Name)
		}
	}
	c.asked, c.last = time.Now(), missing
	return missing
}
