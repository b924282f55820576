// Package api_test checks the service against its OpenAPI document. It is
// separate so that the fuzz tests do not link the validator.
package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/openapitest"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/mca/internal/coordination"
)

const (
	apiPath        = "/api/v1/agents/mca"
	coordinatePath = apiPath + "/coordinate"
)

// startAgent starts an agent that always responds with the file. It returns the agent's URL.
func startAgent(t *testing.T, file string) string {
	t.Helper()
	body, err := os.ReadFile("../testdata/" + file)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	t.Cleanup(server.Close)
	return server.URL
}

// newChecker returns a checker for the service's API with two agents.
func newChecker(t *testing.T) *openapitest.Checker {
	t.Helper()
	env := servicetest.New(t)
	cfg, err := coordination.ReadConfig(env.Lookup(map[string]string{
		"NPA_URL": startAgent(t, "plan.json"), "WPA_URL": startAgent(t, "sessions.json"),
	}))
	require.NoError(t, err)
	s, err := coordination.New(t.Context(), cfg, "hello", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.WithoutCancel(t.Context()))) })
	s.State().Advance(httpserver.Serving)
	document, err := os.ReadFile("../openapi.yaml")
	require.NoError(t, err)
	api := openapitest.New(t, document, s.Handler())
	api.Token = env.Token(t, servicetest.User)
	return api
}

func TestLoadTestRequestGetsACompleteWeek(t *testing.T) {
	w := newChecker(t).Send(t, http.MethodPost, coordinatePath, `{"task":"coordinate_agents","agents":["npa","wpa"],"priority":"normal"}`)
	require.Equal(t, http.StatusOK, w.Code)
	c := servicetest.Decode[coordination.Coordination](t, w)
	require.Equal(t, "complete", c.Status)
	require.Equal(t, servicetest.User, c.UserID)
	require.Len(t, c.Agents, 2)
	require.Greater(t, c.Week.Days[0].Totals["energyKcal"], c.Week.Days[1].Totals["energyKcal"], "a day with a session has more energy")
}

func TestRequestsMatchOpenAPIDocument(t *testing.T) {
	api := newChecker(t)
	for _, row := range []struct {
		reason, body string
		status       int
	}{
		{"only the task", `{"task":"plan_week"}`, 200},
		{"one agent", `{"task":"plan_week","agents":["wpa"]}`, 200},
		{"the user's own id", `{"task":"plan_week","userId":"test-user-123"}`, 200},
		{"fields for the agents", `{"task":"plan_week","nutrition":{"goals":["endurance"],"weightKg":80},"training":{"daysPerWeek":4}}`, 200},
		{"no task", `{}`, 422},
		{"a task with spaces", `{"task":"Please, coordinate!"}`, 422},
		{"an unknown agent", `{"task":"t","agents":["xpa"]}`, 422},
		{"an agent twice", `{"task":"t","agents":["npa","npa"]}`, 422},
		{"too many agents", `{"task":"t","agents":["npa","wpa","npa"]}`, 422},
		{"an unknown priority", `{"task":"t","priority":"urgent"}`, 422},
		{"an unknown field", `{"task":"t","agent":"npa"}`, 422},
		{"a wrong type", `{"task":1}`, 422},
		{"another user's plan", `{"task":"t","nutrition":{"userId":"x"}}`, 422},
		{"another duration", `{"task":"t","nutrition":{"duration":3}}`, 422},
		{"another user's training", `{"task":"t","training":{"userId":"x"}}`, 422},
		{"another user's id", `{"task":"t","userId":"somebody"}`, 403},
		{"not JSON", `{`, 400},
	} {
		t.Run(row.reason, func(t *testing.T) {
			w := api.Send(t, http.MethodPost, coordinatePath, row.body)
			require.Equal(t, row.status, w.Code, w.Body)
		})
	}
	require.Equal(t, http.StatusOK, api.Send(t, http.MethodGet, apiPath+"/status", "").Code)
	require.Equal(t, http.StatusOK, api.Send(t, http.MethodGet, apiPath+"/health", "").Code)
	require.Equal(t, http.StatusOK, api.Send(t, http.MethodGet, "/health/coordination", "").Code)
}
