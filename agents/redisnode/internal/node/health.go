package node

import (
	"net/http"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// healthPaths are the probes' paths. They stay out of the access log.
var healthPaths = []string{"/health", "/health/ready"}

// Handler serves the probes. A pod is ready when its node serves data. So a
// rollout or an eviction waits for one node before it takes the next.
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
