package livestatus

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/progressive-framework/platform/agents/internal/upstream"
)

// Status is the status of the agents.
type Status struct {
	// Status is active if all agents are up, degraded if some are not, and
	// unavailable if the MCA does not respond.
	Status string `json:"status"`
	// Agents are the states of the agents as the MCA reports them, by name.
	Agents map[string]string `json:"agents"`
}

const (
	// maxAge is how long one response of the MCA is used for all connections.
	maxAge = time.Second
	// requestTimeout is the design document's web response_time_threshold.
	requestTimeout = 500 * time.Millisecond
	// maxResponse bounds the MCA's response in bytes.
	maxResponse = 64 << 10
)

// Watcher requests the agents' status from the MCA, at most once a second for
// any number of callers.
type Watcher struct {
	mca    *upstream.Upstream
	client *http.Client
	now    func() time.Time

	mu          sync.Mutex // one request at a time; concurrent callers share its result
	lastStatus  Status
	requestedAt time.Time
}

// NewWatcher returns a Watcher of the MCA.
func NewWatcher(mca *upstream.Upstream) *Watcher {
	return &Watcher{mca: mca, client: &http.Client{Transport: mca, Timeout: requestTimeout}, now: time.Now}
}

// Status returns the agents' status, which is at most one second old. The map is shared
// and must not be changed.
func (w *Watcher) Status(ctx context.Context) Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.requestedAt.IsZero() || w.now().Sub(w.requestedAt) >= maxAge {
		// A caller that disconnects must not cancel the request, because other callers
		// wait for its result.
		agents, err := w.requestAgents(context.WithoutCancel(ctx))
		w.lastStatus, w.requestedAt = overallStatus(agents, err), w.now()
	}
	return w.lastStatus
}

// overallStatus returns the status for the agents' states in the MCA's response. err is the
// error of the request to the MCA, or nil.
func overallStatus(agents map[string]string, err error) Status {
	if err != nil || len(agents) == 0 {
		return Status{"unavailable", map[string]string{"mca": "unreachable"}}
	}
	for _, state := range agents {
		if state != "up" {
			return Status{"degraded", agents}
		}
	}
	return Status{"active", agents}
}

// requestAgents requests the states of the agents from the MCA.
func (w *Watcher) requestAgents(ctx context.Context) (map[string]string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.mca.URL("/health/coordination"), nil)
	if err != nil {
		return nil, err
	}
	response, err := w.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s responded %s", w.mca.Name(), response.Status)
	}
	return readAgents(response.Body)
}

// readAgents decodes the MCA's response and returns the state of each agent.
func readAgents(body io.Reader) (map[string]string, error) {
	var response struct {
		Agents map[string]string `json:"agents"`
	}
	err := json.NewDecoder(io.LimitReader(body, maxResponse)).Decode(&response)
	return response.Agents, err
}
