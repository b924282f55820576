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

// seeds is the body of the seed's load test.
const seeds = `{"task":"coordinate_agents","agents":["npa","wpa"],"priority":"normal"}`

func TestOneWishIsAnsweredOnce(t *testing.T) {
	m := newMCA(t, nil)
	first := m.post(t, servicetest.User, seeds).Body.String()
	require.Equal(t, first, m.post(t, servicetest.User, strings.Replace(seeds, "normal", "high", 1)).Body.String(),
		"the same wish within a minute is answered from the cache")
	require.EqualValues(t, 1, m.npa.asked.Load())
	require.NotEqual(t, first, m.post(t, "another-user", seeds).Body.String(), "never with somebody else's answer")
}

func TestWithoutAGoodTokenThereIsNothing(t *testing.T) {
	m := newMCA(t, nil)
	for _, row := range []struct {
		reason, token string
		status        int
	}{
		{"none", "", 401},
		{"the seed's", "test-token", 401},
		{"from an issuer whose clock is an hour behind", m.world.TokenAt(t, time.Now().Add(-time.Hour-time.Minute), servicetest.User), 401},
		{"from one whose clock is a minute ahead", m.world.TokenAt(t, time.Now().Add(time.Minute), servicetest.User), 401},
		{"from one whose clock is some seconds ahead", m.world.TokenAt(t, time.Now().Add(20*time.Second), servicetest.User), 200},
		{"without the scope", m.world.Token(t, servicetest.User, auth.ScopeAgentsRead), 403},
	} {
		for _, path := range []string{apiPath + "/coordinate", agentsPath + "npa/plan", agentsPath + "wpa/generate"} {
			t.Run(row.reason+" at "+path, func(t *testing.T) {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(seeds))
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

func TestAnAgentsOwnRulesPointIntoTheRequest(t *testing.T) {
	m := newMCA(t, nil)
	m.npa.do(says(422, `{"code":"invalid_request","detail":"no","errors":[{"pointer":"#/goals/0","detail":"must be one of [a b]"}]}`))
	w := m.post(t, servicetest.User, `{"task":"t","nutrition":{"goals":["fly"]}}`)
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.Equal(t, []httpapi.FieldError{{Pointer: "#/nutrition/goals/0", Detail: "must be one of [a b]"}}, decoded[httpapi.Problem](t, w).Errors)
}

func TestAPartIsMarkedAsSuch(t *testing.T) {
	for _, row := range []struct {
		reason string
		npa    http.HandlerFunc
		says   string
	}{
		{"hung", hangs, "timeout"},
		{"broken", says(500, "oh"), "unreachable"},
		{"busy", says(429, "{}"), "refused"},
		{"no JSON", says(200, "<html>"), "malformed"},
		{"null", says(200, "null"), "malformed"},
		{"numbers that no week can hold", says(200, `{"days":[{"day":1,"meals":[],"totals":{"energyKcal":1e308}}]}`), "malformed"},
		{"endless", says(200, `"`+strings.Repeat("x", 2<<20)+`"`), "unreachable"},
		{"elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}, "refused"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			m := newMCA(t, map[string]string{"AGENT_TIMEOUT": "2s"}) // a loaded machine is slow, not broken
			m.npa.do(row.npa)
			w := m.post(t, servicetest.User, seeds)
			require.Equal(t, http.StatusOK, w.Code)
			c := decoded[Coordination](t, w)
			require.Equal(t, "partial", c.Status)
			require.Equal(t, "failed", c.Agents[0].Status)
			require.Equal(t, row.says, c.Agents[0].Reason)
			require.Equal(t, "ok", c.Agents[1].Status)
			require.Len(t, c.Week.Days[0].Sessions, 1, "the other's part is there")
			m.npa.do(says(200, plan))
			require.Equal(t, "complete", decoded[Coordination](t, m.post(t, servicetest.User, seeds)).Status, "a part is not cached")
		})
	}
}

func TestAWeightThatNobodyChecksIsNotCountedWith(t *testing.T) {
	w := newMCA(t, nil).post(t, servicetest.User, `{"task":"t","agents":["wpa"],"nutrition":{"weightKg":1e308}}`)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.InDelta(t, week.SessionKcal(week.Session{TotalSeconds: 2700}, week.ReferenceKg), decoded[Coordination](t, w).Week.Days[0].TrainingKcal, 0.1)
}

func TestNoAgentIsNoAnswer(t *testing.T) {
	m := newMCA(t, nil)
	m.npa.do(says(500, ""))
	m.wpa.do(says(500, ""))
	w := m.post(t, servicetest.User, seeds)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, CodeAgents, decoded[httpapi.Problem](t, w).Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
}

// TestTheQueue: fifty work, a hundred wait, the rest are told to come again;
// who goes away leaves the queue.
func TestTheQueue(t *testing.T) {
	m := newMCA(t, map[string]string{"AGENT_TIMEOUT": "20s", "COORDINATION_TIMEOUT": "30s"})
	release := make(chan struct{})
	m.npa.do(func(w http.ResponseWriter, r *http.Request) {
		<-release
		says(200, plan)(w, r)
	})
	codes := make(chan int, 200)
	var all sync.WaitGroup
	send := func(ctx context.Context, user string) {
		token := m.world.Token(t, user)
		all.Go(func() {
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, apiPath+"/coordinate", strings.NewReader(seeds))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			m.handler.ServeHTTP(w, r)
			codes <- w.Code
		})
	}
	counts := func(active, queued int) {
		t.Helper()
		require.Eventually(t, func() bool {
			c := m.queue.Counts()
			return c.Active == active && c.Queued == queued
		}, soon, time.Millisecond, "%d active and %d queued", active, queued)
	}
	for i := range 50 {
		send(t.Context(), fmt.Sprint("active-", i))
	}
	counts(50, 0)
	for i := range 99 {
		send(t.Context(), fmt.Sprint("queued-", i))
	}
	ctx, leave := context.WithCancel(t.Context())
	send(ctx, "leaver")
	counts(50, 100)
	w := m.post(t, "too-many", seeds)
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	leave()
	counts(50, 99)
	require.Equal(t, http.StatusServiceUnavailable, <-codes, "to nobody")
	close(release)
	all.Wait()
	close(codes)
	for code := range codes {
		require.Equal(t, http.StatusOK, code)
	}
	counts(0, 0)
}

func TestTheGatewayPassesOn(t *testing.T) {
	m := newMCA(t, nil)
	var got http.Request
	m.npa.do(func(w http.ResponseWriter, r *http.Request) {
		got = *r
		w.Header().Set("Content-Type", "application/json")
		says(http.StatusUnprocessableEntity, `{"code":"infeasible"}`)(w, r)
	})
	token := m.world.Token(t, servicetest.User)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, agentsPath+"npa/plan?a=b", strings.NewReader(`{}`))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	w := httptest.NewRecorder()
	m.handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.JSONEq(t, `{"code":"infeasible"}`, w.Body.String())
	require.Equal(t, "/api/v1/agents/npa/plan?a=b", got.URL.String())
	require.Equal(t, "Bearer "+token, got.Header.Get("Authorization"), "the agent judges for itself")
	require.NotContains(t, got.Header.Get("X-Forwarded-For"), "203.0.113.9", "a stranger's word goes no further")

	m.npa.Close()
	w = httptest.NewRecorder()
	m.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, agentsPath+"npa/health", nil))
	require.Equal(t, http.StatusBadGateway, w.Code)
}
