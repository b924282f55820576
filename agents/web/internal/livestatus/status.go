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

// Status is how the agents are.
type Status struct {
	// Status is active when all are up, degraded when some are not, unavailable
	// when the MCA can't be asked.
	Status string `json:"status"`
	// Agents are their states by name, in the MCA's words.
	Agents map[string]string `json:"agents"`
}

const (
	// freshFor is how long an answer of the MCA serves all connections.
	freshFor = time.Second
	// askTimeout is the seed's web response_time_threshold.
	askTimeout = 500 * time.Millisecond
	// maxAnswer bounds what is read of the MCA's answer, in bytes.
	maxAnswer = 64 << 10
)

// Watcher asks the MCA how the agents are, at most once in a second however
// many want to know.
type Watcher struct {
	mca  *upstream.Upstream
	http *http.Client
	now  func() time.Time

	mu    sync.Mutex // one question at a time; who comes meanwhile shares it
	last  Status
	asked time.Time
}

// NewWatcher returns a Watcher of the MCA.
func NewWatcher(mca *upstream.Upstream) *Watcher {
	return &Watcher{mca: mca, http: &http.Client{Transport: mca, Timeout: askTimeout}, now: time.Now}
}

// Status is how the agents were at most a second ago. The map is shared and
// must not be changed.
func (w *Watcher) Status(ctx context.Context) Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked.IsZero() || w.now().Sub(w.asked) >= freshFor {
		// One who leaves must not make the others' answer.
		agents, err := w.ask(context.WithoutCancel(ctx))
		w.last, w.asked = judge(agents, err), w.now()
	}
	return w.last
}

func judge(agents map[string]string, err error) Status {
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

func (w *Watcher) ask(ctx context.Context) (map[string]string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.mca.URL("/health/coordination"), nil)
	if err != nil {
		return nil, err
	}
	answer, err := w.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", w.mca.Name(), answer.Status)
	}
	return readAgents(answer.Body)
}

// readAgents reads the MCA's answer.
func readAgents(body io.Reader) (map[string]string, error) {
	var said struct {
		Agents map[string]string `json:"agents"`
	}
	err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(&said)
	return said.Agents, err
}
