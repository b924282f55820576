package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/npa/internal/nutritionapi"
)

// loadTestBody is the body of the design document's load test.
const loadTestBody = `{"userId":"test-user-123","goals":["weight_loss","muscle_gain"],"preferences":["vegetarian"],"duration":7}`

func request(t *testing.T, p *servicetest.Process, token string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.Address+"/api/v1/agents/npa/plan", strings.NewReader(loadTestBody))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// TestProcessAnswersTheLoadTestRequest runs the whole process and sends
// requests over a real connection.
func TestProcessAnswersTheLoadTestRequest(t *testing.T) {
	p := servicetest.Start(t, agent.Program(nutritionapi.Spec), "npa", map[string]string{"DRAIN_DELAY": "0s"})
	post := func(token string) *http.Response {
		response, err := http.DefaultClient.Do(request(t, p, token))
		require.NoError(t, err)
		t.Cleanup(func() { response.Body.Close() })
		return response
	}
	require.Equal(t, http.StatusUnauthorized, post("test-token").StatusCode)
	require.Equal(t, http.StatusForbidden, post(p.Env.Token(t, "somebody-else")).StatusCode)
	response := post(p.Env.Token(t, servicetest.User))
	require.Equal(t, http.StatusOK, response.StatusCode, "without PostgreSQL and Redis")
	var body struct{ Days []json.RawMessage }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&body))
	require.Len(t, body.Days, 7)
}

// TestShutdownUnderLoadFailsNoRequest: clients send requests until a response
// closes the connection.
func TestShutdownUnderLoadFailsNoRequest(t *testing.T) {
	const clients = 4
	p := servicetest.Start(t, agent.Program(nutritionapi.Spec), "npa", map[string]string{"DRAIN_DELAY": "500ms"})
	token := p.Env.Token(t, servicetest.User)
	load := p.Load(t, clients, func(int, int) *http.Request { return request(t, p, token) })
	load.Until(t, 200)
	p.Stop()
	load.End(t, clients)
	require.Zero(t, <-p.Code)
}
