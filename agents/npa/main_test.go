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

// seeds is the body of the seed's load test.
const seeds = `{"userId":"test-user-123","goals":["weight_loss","muscle_gain"],"preferences":["vegetarian"],"duration":7}`

func request(t *testing.T, p *servicetest.Process, token string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.Address+"/api/v1/agents/npa/plan", strings.NewReader(seeds))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// TestTheProcessAnswers: the wired process answers the seed's request over a
// real connection.
func TestTheProcessAnswers(t *testing.T) {
	p := servicetest.Start(t, agent.Program(nutritionapi.Spec), "npa", map[string]string{"DRAIN_DELAY": "0s"})
	post := func(token string) *http.Response {
		answer, err := http.DefaultClient.Do(request(t, p, token))
		require.NoError(t, err)
		t.Cleanup(func() { answer.Body.Close() })
		return answer
	}
	require.Equal(t, http.StatusUnauthorized, post("test-token").StatusCode)
	require.Equal(t, http.StatusForbidden, post(p.World.Token(t, "somebody-else")).StatusCode)
	answer := post(p.World.Token(t, servicetest.User))
	require.Equal(t, http.StatusOK, answer.StatusCode, "without PostgreSQL and Redis")
	var body struct{ Days []json.RawMessage }
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&body))
	require.Len(t, body.Days, 7)
}

// TestTheEndUnderLoadFailsNoRequest: clients go on until an answer asks them to
// leave.
func TestTheEndUnderLoadFailsNoRequest(t *testing.T) {
	const clients = 4
	p := servicetest.Start(t, agent.Program(nutritionapi.Spec), "npa", map[string]string{"DRAIN_DELAY": "500ms"})
	token := p.World.Token(t, servicetest.User)
	load := p.Load(t, clients, func(int, int) *http.Request { return request(t, p, token) })
	load.Until(t, 200)
	p.Stop()
	load.End(t, clients)
	require.Zero(t, <-p.Code)
}
