package coordination

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/mca/internal/week"
)

// loadTestBody is the body of the design document's load test.
const loadTestBody = `{"task":"coordinate_agents","agents":["npa","wpa"],"priority":"normal"}`

func TestEqualRequestsOfAUserAreCached(t *testing.T) {
	m := newMCA(t, nil)
	first := m.post(t, servicetest.User, loadTestBody).Body.String()
	require.Equal(t, first, m.post(t, servicetest.User, strings.Replace(loadTestBody, "normal", "high", 1)).Body.String(),
		"the priority does not change the cache key")
	require.EqualValues(t, 1, m.npa.requests.Load())
	require.NotEqual(t, first, m.post(t, "another-user", loadTestBody).Body.String(), "another user's response is not shared")
}

func TestRequestsNeedAValidTokenWithTheScope(t *testing.T) {
	m := newMCA(t, nil)
	for _, row := range []struct {
		reason, token string
		status        int
	}{
		{"no token", "", 401},
		{"the design document's test token", "test-token", 401},
		{"expired: the issuer's clock is an hour behind", m.env.TokenAt(t, time.Now().Add(-time.Hour-time.Minute), servicetest.User), 401},
		{"not valid yet: the issuer's clock is a minute ahead", m.env.TokenAt(t, time.Now().Add(time.Minute), servicetest.User), 401},
		{"valid within the leeway: the issuer's clock is seconds ahead", m.env.TokenAt(t, time.Now().Add(20*time.Second), servicetest.User), 200},
		{"without the scope", m.env.Token(t, servicetest.User, auth.ScopeAgentsRead), 403},
	} {
		for _, path := range []string{apiPath + "/coordinate", agentsPath + "npa/plan", agentsPath + "wpa/generate"} {
			t.Run(row.reason+" at "+path, func(t *testing.T) {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(loadTestBody))
				r.Header.Set("Content-Type", "application/json")
				if row.token != "" {
					r.Header.Set("Authorization", "Bearer "+row.token)
				}
				w := httptest.NewRecorder()
				m.handler.ServeHTTP(w, r)
				require.Equal(t, row.status, w.Code, w.Body)
			})
		}
	}
}

func TestAgentFieldErrorsPointIntoTheRequest(t *testing.T) {
	m := newMCA(t, nil)
	m.npa.setHandler(responseHandler(422, `{"code":"invalid_request","detail":"no","errors":[{"pointer":"#/goals/0","detail":"must be one of [a b]"}]}`))
	w := m.post(t, servicetest.User, `{"task":"t","nutrition":{"goals":["fly"]}}`)
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.Equal(t, []httpapi.FieldError{{Pointer: "#/nutrition/goals/0", Detail: "must be one of [a b]"}}, servicetest.Decode[httpapi.Problem](t, w).Errors)
}

func TestFailedAgentMakesThePlanPartial(t *testing.T) {
	for _, row := range []struct {
		reason      string
		npa         http.HandlerFunc
		agentReason string
	}{
		{"hung", hang, "timeout"},
		{"server error", responseHandler(500, "error"), "unreachable"},
		{"too many requests", responseHandler(429, "{}"), "refused"},
		{"not JSON", responseHandler(200, "<html>"), "malformed"},
		{"null", responseHandler(200, "null"), "malformed"},
		{"numbers that would overflow", responseHandler(200, `{"days":[{"day":1,"meals":[],"totals":{"energyKcal":1e308}}]}`), "malformed"},
		{"too large", responseHandler(200, `"`+strings.Repeat("x", 2<<20)+`"`), "unreachable"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}, "refused"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			m := newMCA(t, map[string]string{"AGENT_TIMEOUT": "2s"}) // long enough for a loaded machine
			m.npa.setHandler(row.npa)
			w := m.post(t, servicetest.User, loadTestBody)
			require.Equal(t, http.StatusOK, w.Code)
			c := servicetest.Decode[Coordination](t, w)
			require.Equal(t, "partial", c.Status)
			require.Equal(t, "failed", c.Agents[0].Status)
			require.Equal(t, row.agentReason, c.Agents[0].Reason)
			require.Equal(t, "ok", c.Agents[1].Status)
			require.Len(t, c.Week.Days[0].Sessions, 1, "the other agent's part is present")
			m.npa.setHandler(responseHandler(200, npaPlan))
			require.Equal(t, "complete", servicetest.Decode[Coordination](t, m.post(t, servicetest.User, loadTestBody)).Status, "a partial response is not cached")
		})
	}
}

func TestInvalidWeightIsIgnoredWithoutNPA(t *testing.T) {
	w := newMCA(t, nil).post(t, servicetest.User, `{"task":"t","agents":["wpa"],"nutrition":{"weightKg":1e308}}`)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.InDelta(t, week.SessionKcal(week.Session{TotalSeconds: 2700}, week.ReferenceKg), servicetest.Decode[Coordination](t, w).Week.Days[0].TrainingKcal, 0.1)
}

func TestRequestGets503IfNoAgentResponds(t *testing.T) {
	m := newMCA(t, nil)
	m.npa.setHandler(responseHandler(500, ""))
	m.wpa.setHandler(responseHandler(500, ""))
	w := m.post(t, servicetest.User, loadTestBody)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, CodeAgentsUnavailable, servicetest.Decode[httpapi.Problem](t, w).Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
}

// TestQueueLimitsActiveAndQueuedRequests checks that fifty requests are active, a hundred
// are queued, and the next one gets 429. A canceled request leaves the queue.
func TestQueueLimitsActiveAndQueuedRequests(t *testing.T) {
	m := newMCA(t, map[string]string{"AGENT_TIMEOUT": "20s", "COORDINATION_TIMEOUT": "30s"})
	release := make(chan struct{})
	m.npa.setHandler(func(w http.ResponseWriter, r *http.Request) {
		<-release
		responseHandler(200, npaPlan)(w, r)
	})
	codes := make(chan int, 200)
	var wg sync.WaitGroup
	send := func(ctx context.Context, user string) {
		token := m.env.Token(t, user)
		wg.Go(func() {
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, apiPath+"/coordinate", strings.NewReader(loadTestBody))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			m.handler.ServeHTTP(w, r)
			codes <- w.Code
		})
	}
	waitForCounts := func(active, queued int) {
		t.Helper()
		require.Eventually(t, func() bool {
			c := m.queue.Counts()
			return c.Active == active && c.Queued == queued
		}, eventTimeout, time.Millisecond, "%d active and %d queued", active, queued)
	}
	for i := range 50 {
		send(t.Context(), fmt.Sprint("active-", i))
	}
	waitForCounts(50, 0)
	for i := range 99 {
		send(t.Context(), fmt.Sprint("queued-", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	send(ctx, "canceled")
	waitForCounts(50, 100)
	w := m.post(t, "too-many", loadTestBody)
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	cancel()
	waitForCounts(50, 99)
	require.Equal(t, http.StatusServiceUnavailable, <-codes, "the canceled request")
	close(release)
	wg.Wait()
	close(codes)
	for code := range codes {
		require.Equal(t, http.StatusOK, code)
	}
	waitForCounts(0, 0)
}

func TestGatewayProxiesToTheAgent(t *testing.T) {
	m := newMCA(t, nil)
	var received http.Request
	m.npa.setHandler(func(w http.ResponseWriter, r *http.Request) {
		received = *r
		w.Header().Set("Content-Type", "application/json")
		responseHandler(http.StatusUnprocessableEntity, `{"code":"infeasible"}`)(w, r)
	})
	token := m.env.Token(t, servicetest.User)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, agentsPath+"npa/plan?a=b", strings.NewReader(`{}`))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	w := httptest.NewRecorder()
	m.handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.JSONEq(t, `{"code":"infeasible"}`, w.Body.String())
	require.Equal(t, "/api/v1/agents/npa/plan?a=b", received.URL.String())
	require.Equal(t, "Bearer "+token, received.Header.Get("Authorization"), "the agent verifies the token too")
	require.NotContains(t, received.Header.Get("X-Forwarded-For"), "203.0.113.9", "untrusted input is not forwarded")

	m.npa.Close()
	w = httptest.NewRecorder()
	m.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, agentsPath+"npa/health", nil))
	require.Equal(t, http.StatusBadGateway, w.Code)
}
