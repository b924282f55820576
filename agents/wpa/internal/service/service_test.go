package service

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/health"
	"github.com/progressive-framework/platform/agents/internal/openapi/openapitest"
	"github.com/progressive-framework/platform/agents/internal/reply"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"
	"github.com/progressive-framework/platform/agents/wpa/internal/training/program"
)

func from(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, set := values[name]
		return value, set
	}
}

func serving(t *testing.T, m Maker) *Service {
	t.Helper()
	cfg, err := ReadConfig(from(map[string]string{"GENERATION_TIMEOUT": "2s"}))
	require.NoError(t, err)
	s, err := New(cfg, m, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	s.State().Advance(health.Serving)
	return s
}

// tabled works on the embedded table.
func tabled(t *testing.T) Maker {
	t.Helper()
	table, err := exercises.Load()
	require.NoError(t, err)
	return program.New(table)
}

// seeds is the body of the seed's load test.
const seeds = `{"userId":"test-user-123","fitnessLevel":"intermediate","equipment":["dumbbells","resistance_bands"],"duration":45}`

const generatePath = apiPath + "/generate"

func decoded[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var answer T
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&answer))
	return answer
}

func TestTheSessionOfTheSeedsLoadTest(t *testing.T) {
	api := openapitest.New(t, document, serving(t, tabled(t)).Handler())
	w := api.Send(t, http.MethodPost, generatePath, seeds)
	require.Equal(t, http.StatusOK, w.Code)
	first := w.Body.String()
	week := decoded[WeekAnswer](t, w)
	require.Equal(t, "test-user-123", week.UserID)
	require.Len(t, week.Sessions, 1)
	s := week.Sessions[0]
	require.LessOrEqual(t, s.TotalSeconds, 45*60)
	require.Equal(t, s.TotalSeconds, s.WarmUpSeconds+s.WorkSeconds+s.RestSeconds+s.CoolDownSeconds, "the parts are the whole")
	require.Equal(t, first, api.Send(t, http.MethodPost, generatePath, seeds).Body.String(), "the same request, the same session")
}

func TestHistoryMovesTheWeights(t *testing.T) {
	api := openapitest.New(t, document, serving(t, tabled(t)).Handler())
	w := api.Send(t, http.MethodPost, generatePath, `{"userId":"u","fitnessLevel":"beginner","equipment":["dumbbells"],"history":[
		{"date":"2026-11-02","exerciseId":"goblet-squat","sets":[{"reps":12,"weightKg":20,"rpe":8},{"reps":12,"weightKg":20}]}]}`)
	require.Equal(t, http.StatusOK, w.Code)
	for _, item := range decoded[WeekAnswer](t, w).Sessions[0].Exercises {
		if item.ExerciseID == "goblet-squat" {
			require.Equal(t, 21.0, item.WeightKg)
			require.Contains(t, item.Why, "more weight")
			return
		}
	}
	require.Fail(t, "what was trained before is trained again")
}

func TestRequests(t *testing.T) {
	api := openapitest.New(t, document, serving(t, tabled(t)).Handler())
	for _, row := range []struct {
		reason, body string
		status       int
		pointers     []string
	}{
		{"name and level will do", `{"userId":"u","fitnessLevel":"beginner"}`, 200, nil},
		{"all there is", `{"userId":"u","fitnessLevel":"advanced","equipment":["bodyweight","barbell","rack"],"duration":90,"daysPerWeek":7,
			"goals":["strength","endurance"],"history":[{"date":"2026-01-31","exerciseId":"unknown","sets":[{"reps":5}]},{"date":"2026-01-30","exerciseId":"plank"}]}`, 200, nil},
		{"null is as good as absent", `{"userId":"u","fitnessLevel":"beginner","equipment":null,"goals":null,"history":null,"duration":null}`, 200, nil},
		{"every mistake at once", `{"userId":"","fitnessLevel":"elite","equipment":["sofa"],"duration":9,"daysPerWeek":8,"goals":["fly"],"days":1,
			"history":[{"date":"31.1.2026","exerciseId":"","sets":[{"reps":-1,"weightKg":2000,"rpe":11}]}]}`, 422, []string{"#/days", "#/userId", "#/fitnessLevel",
			"#/equipment/0", "#/duration", "#/daysPerWeek", "#/goals/0", "#/history/0/date", "#/history/0/exerciseId",
			"#/history/0/sets/0/reps", "#/history/0/sets/0/weightKg", "#/history/0/sets/0/rpe"}},
		{"too long a history", `{"userId":"u","fitnessLevel":"beginner","history":[` +
			strings.Repeat(`{"date":"2026-01-31","exerciseId":"plank"},`, maxHistory) + `{"date":"2026-01-31","exerciseId":"plank"}]}`, 422, []string{"#/history"}},
		{"a wrong type", `{"userId":"u","fitnessLevel":1}`, 422, []string{"#/fitnessLevel"}},
		{"no JSON", `{`, 400, nil},
		{"too large", `{"userId":"` + strings.Repeat("a", maxBody) + `"}`, 413, nil},
	} {
		t.Run(row.reason, func(t *testing.T) {
			w := api.Send(t, http.MethodPost, generatePath, row.body)
			require.Equal(t, row.status, w.Code, w.Body)
			if row.status == http.StatusOK {
				return
			}
			var pointers []string
			for _, e := range decoded[reply.Problem](t, w).Errors {
				pointers = append(pointers, e.Pointer)
			}
			require.Equal(t, row.pointers, pointers)
		})
	}
}

// fails is a Maker that answers with its error, or waits for the context.
type fails struct{ err error }

func (f fails) Week(ctx context.Context, _ program.Request) (program.Week, error) {
	if f.err != nil {
		return program.Week{}, f.err
	}
	<-ctx.Done()
	return program.Week{}, ctx.Err()
}

func TestFailures(t *testing.T) {
	for _, row := range []struct {
		reason string
		err    error
		status int
		code   string
	}{
		{"out of time", nil, 503, reply.CodeOutOfTime},
		{"what nobody foresaw stays inside", errors.New("secret"), 500, reply.CodeInternal},
	} {
		t.Run(row.reason, func(t *testing.T) {
			s := serving(t, fails{row.err})
			s.cfg.GenerationTimeout = time.Millisecond
			w := openapitest.New(t, document, s.Handler()).Send(t, http.MethodPost, generatePath, seeds)
			require.Equal(t, row.status, w.Code)
			require.NotContains(t, w.Body.String(), "secret")
			require.Equal(t, row.code, decoded[reply.Problem](t, w).Code)
		})
	}
}

func TestPathsAndPhases(t *testing.T) {
	for _, row := range []struct {
		reason, method, path string
		serving, draining    int
	}{
		{"alive", http.MethodGet, "/health", 200, 200},
		{"readiness alone follows the phase", http.MethodGet, "/health/ready", 200, 503},
		{"the agent's health from outside", http.MethodGet, apiPath + "/health", 200, 200},
		{"the document", http.MethodGet, "/openapi.json", 200, 200},
		{"method", http.MethodGet, generatePath, 405, 405},
		{"path", http.MethodGet, apiPath, 404, 404},
	} {
		t.Run(row.reason, func(t *testing.T) {
			s := serving(t, fails{})
			for _, want := range []int{row.serving, row.draining} {
				w := httptest.NewRecorder()
				s.Handler().ServeHTTP(w, httptest.NewRequest(row.method, row.path, nil))
				require.Equal(t, want, w.Code)
				require.True(t, json.Valid(w.Body.Bytes()))
				s.State().Advance(health.Draining)
			}
		})
	}
	openapitest.New(t, document, serving(t, fails{}).Handler()).Send(t, http.MethodGet, apiPath+"/health", "")
}

func TestConfig(t *testing.T) {
	cfg, err := ReadConfig(from(nil))
	require.NoError(t, err)
	require.Equal(t, "WPA", cfg.AgentType)
	require.Equal(t, 45*time.Second, cfg.GenerationTimeout, "the seed's")
	require.EqualValues(t, 128_000_000, cfg.CacheBytes, "the seed's")
	require.Equal(t, ":8000", cfg.Common.HTTP.Address)
	require.Less(t, cfg.GenerationTimeout, cfg.Common.HTTP.WriteTimeout, "a late week is still answered")

	wrong := map[string]string{
		"AGENT_TYPE": "NPA", "GENERATION_TIMEOUT": "1h", "WORKOUT_TEMPLATE_CACHE": "big", "LISTEN_ADDRESS": "8000",
		"DRAIN_DELAY": "6m", "SHUTDOWN_TIMEOUT": "0s", "LOG_LEVEL": "loud",
	}
	_, err = ReadConfig(from(wrong))
	problems, ok := errors.AsType[envconfig.Problems](err)
	require.True(t, ok)
	named := map[string]string{}
	for _, p := range problems {
		named[p.Variable] = p.Value
	}
	require.Equal(t, wrong, named)
}
