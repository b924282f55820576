package node

import (
	"net/http"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// healthPaths are those that probes ask every few seconds.
var healthPaths = []string{"/health", "/health/ready"}

// Handler serves the probes. A pod is ready when its node serves, so that a
// rollout and an eviction wait for one node before they take the next.
func (n *Node) Handler(state *httpserver.State) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", state.Live)
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) {
		code := http.StatusOK
		status := n.Status()
		if !status.Member {
			code = http.StatusServiceUnavailable
		}
		httpapi.JSON(w, code, status)
	})
	return httpserver.Routes(mux)
}
