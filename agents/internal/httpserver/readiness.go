package httpserver

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// Dependency is a service that the process needs to serve requests. An optional
// service, such as a cache, must not be a Dependency, because its failure would
// make the pod unready.
type Dependency struct {
	// Name is shown in the response.
	Name string
	// Check returns an error while the dependency is unavailable. It must
	// return when its context ends.
	Check func(context.Context) error
}

const (
	// checkTimeout is below the default timeout of a Kubernetes probe, 1 s, so that
	// the prober still receives the names of the missing dependencies.
	checkTimeout = 800 * time.Millisecond
	// minCheckInterval is the minimum time between two checks. Untrusted clients can
	// also call the path.
	minCheckInterval = time.Second
)

// readiness is the body of the readiness response.
type readiness struct {
	Status  string   `json:"status"`
	Phase   string   `json:"phase"`
	Missing []string `json:"missing,omitempty"`
}

// NewReadinessHandler returns a handler that responds 200 while the phase is Serving and all
// dependencies are available. Otherwise it responds 503, with the names of the
// unavailable dependencies. It checks all dependencies concurrently, at most once a
// second.
func (s *State) NewReadinessHandler(dependencies ...Dependency) http.HandlerFunc {
	c := &checks{dependencies: dependencies}
	return func(w http.ResponseWriter, r *http.Request) {
		if s.Phase() != Serving {
			s.ServeReadiness(w, r)
			return
		}
		if missing := c.checkDependencies(r.Context()); len(missing) > 0 {
			httpapi.SendJSON(w, http.StatusServiceUnavailable, readiness{"unavailable", Serving.String(), missing})
			return
		}
		s.ServeReadiness(w, r)
	}
}

// checks are the checks of all dependencies, with their last result.
type checks struct {
	dependencies []Dependency
	mu           sync.Mutex // only one probe runs the checks; concurrent probes wait and share the result
	lastCheck    time.Time
	lastMissing  []string
}

// checkDependencies checks all dependencies and returns the names of the unavailable ones, in
// the order of dependencies. If the last check was less than minCheckInterval ago, it only
// returns the result of that check.
func (c *checks) checkDependencies(ctx context.Context) (missing []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.lastCheck.IsZero() && time.Since(c.lastCheck) < minCheckInterval {
		return c.lastMissing
	}
	// A prober that disconnects must not make a dependency look unavailable.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	var (
		wg   sync.WaitGroup
		errs = make([]error, len(c.dependencies))
	)
	for i, dependency := range c.dependencies {
		wg.Go(func() { errs[i] = dependency.Check(ctx) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			missing = append(missing, c.dependencies[i].Name)
		}
	}
	c.lastCheck, c.lastMissing = time.Now(), missing
	return missing
}
