// Package api_test holds the service to its OpenAPI document. It lies apart from
// the service so that the fuzz tests there do not link the validator.
package api_test

import (
	"context"
	"encoding/json"
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

// answering is an agent that always says what the file holds.
func answering(t *testing.T, file string) string {
	t.Helper()
	body, err := os.ReadFile("../testdata/" + file)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	t.Cleanup(server.Close)
	return server.URL
}

// checked is the service's API before two agents, held to its document.
func checked(t *testing.T) *openapitest.Checker {
	t.Helper()
	world := servicetest.New(t)
	cfg, err := coordination.ReadConfig(world.Lookup(map[string]string{
		"NPA_URL": answering(t, "plan.json"), "WPA_URL": answering(t, "sessions.json"),
	}))
	require.NoError(t, err)
	s, err := coordination.New(t.Context(), cfg, "hello", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.WithoutCancel(t.Context()))) })
	s.State().Advance(httpserver.Serving)
	document, err := os.ReadFile("../openapi.yaml")
	require.NoError(t, err)
	api := openapitest.New(t, document, s.Handler())
	api.Token = world.Token(t, servicetest.User)
	return api
}

func TestTheCoordinationOfTheSeedsLoadTest(t *testing.T) {
	w := checked(t).Send(t, http.MethodPost, coordinatePath, `{"task":"coordinate_agents","agents":["npa","wpa"],"priority":"normal"}`)
	require.Equal(t, http.StatusOK, w.Code)
	var c coordination.Coordination
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&c))
	require.Equal(t, "complete", c.Status)
	require.Equal(t, servicetest.User, c.UserID)
	require.Len(t, c.Agents, 2)
	require.Greater(t, c.Week.Days[0].Totals["energyKcal"], c.Week.Days[1].Totals["energyKcal"], "a day with a session has more energy")
}

func TestRequestsAreHeldToTheDocument(t *testing.T) {
	api := checked(t)
	for _, row := range []struct {
		reason, body string
		status       int
	}{
		{"the task alone", `{"task":"plan_week"}`, 200},
		{"one agent", `{"task":"plan_week","agents":["wpa"]}`, 200},
		{"one's own id", `{"task":"plan_week","userId":"test-user-123"}`, 200},
		{"wishes for the agents", `{"task":"plan_week","nutrition":{"goals":["endurance"],"weightKg":80},"training":{"daysPerWeek":4}}`, 200},
		{"no task", `{}`, 422},
		{"a task that is prose", `{"task":"Please, coordinate!"}`, 422},
		{"an unknown agent", `{"task":"t","agents":["xpa"]}`, 422},
		{"an agent twice", `{"task":"t","agents":["npa","npa"]}`, 422},
		{"too many agents", `{"task":"t","agents":["npa","wpa","npa"]}`, 422},
		{"an unknown priority", `{"task":"t","priority":"urgent"}`, 422},
		{"an unknown field", `{"task":"t","agent":"npa"}`, 422},
		{"a wrong type", `{"task":1}`, 422},
		{"another's plan", `{"task":"t","nutrition":{"userId":"x"}}`, 422},
		{"another length", `{"task":"t","nutrition":{"duration":3}}`, 422},
		{"another's training", `{"task":"t","training":{"userId":"x"}}`, 422},
		{"somebody else", `{"task":"t","userId":"somebody"}`, 403},
		{"no JSON", `{`, 400},
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
