package node

import (
	"net/http"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// healthPaths are the paths of the probes. They are logged at level debug only.
var healthPaths = []string{"/health", "/health/ready"}

// Handler serves the probes. A pod is ready when its node serves data. So a rollout or an
// eviction restarts a node only after the last restarted node serves data again.
func (n *Node) Handler(state *httpserver.State) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", state.ServeLiveness)
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) {
		code := http.StatusOK
		status := n.Status()
		if !status.Member {
			code = http.StatusServiceUnavailable
		}
		httpapi.SendJSON(w, code, status)
	})
	return httpserver.HandleUnknownRoutes(mux)
}
