package coordination

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// TestResponseHasTheOtherAgentsPartIfOneAgentIsFaulty checks that every request gets a response with
// wpa's sessions, whatever fault npa has.
func TestResponseHasTheOtherAgentsPartIfOneAgentIsFaulty(t *testing.T) {
	const requests, clients = 400, 8
	for _, row := range []struct {
		reason string
		npa    http.HandlerFunc
		// minComplete is the minimum of complete responses.
		minComplete int64
	}{
		{"hung", hang, 0},
		{"slow, up to twice the minimum time before a second attempt", func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(rand.N(20 * time.Millisecond))
			responseHandler(200, npaPlan)(w, r)
		}, requests},
		{"failing 30 %", func(w http.ResponseWriter, r *http.Request) {
			if rand.IntN(10) < 3 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			responseHandler(200, npaPlan)(w, r)
		}, requests * 6 / 10}, // 70 % are expected, the rest is a margin for chance
		{"dropping connections", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}, 0},
	} {
		t.Run(row.reason, func(t *testing.T) {
			m := newMCA(t, map[string]string{"AGENT_TIMEOUT": "600ms"})
			m.npa.setHandler(row.npa)
			var complete, partial, failed atomic.Int64
			var wg sync.WaitGroup
			for client := range clients {
				wg.Go(func() {
					for i := range requests / clients {
						w := m.post(t, fmt.Sprintf("user-%d-%d", client, i), loadTestBody)
						if w.Code != http.StatusOK {
							failed.Add(1)
							continue
						}
						c := servicetest.Decode[Coordination](t, w)
						if len(c.Week.Days[0].Sessions) != 1 {
							t.Errorf("the training is missing: %v", c.Agents)
						}
						if c.Status == "complete" {
							complete.Add(1)
						} else {
							partial.Add(1)
						}
					}
				})
			}
			wg.Wait()
			t.Logf("of %d requests: complete %d, partial %d, failed %d; npa got %d requests", requests, complete.Load(), partial.Load(), failed.Load(), m.npa.requests.Load())
			require.Zero(t, failed.Load(), "no request fails")
			require.GreaterOrEqual(t, complete.Load(), row.minComplete)
			require.LessOrEqual(t, m.npa.requests.Load(), int64(requests*11/10+requests/100), "second attempts stay within the budget")
		})
	}
}

// TestCoordinationsSucceedDuringAPostgresRestart checks that every coordination succeeds,
// also while the database is down. Coordinations of that time are not recorded, and are
// counted as failed records.
func TestCoordinationsSucceedDuringAPostgresRestart(t *testing.T) {
	const requests = 20
	startCtx, cancel := context.WithTimeout(t.Context(), testservers.StartTimeout)
	defer cancel()
	server, err := testservers.StartPostgres(startCtx, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	m := newMCA(t, map[string]string{"DATABASE_URL": servicetest.CreateDatabase(t, server), "DATABASE_STATEMENT_TIMEOUT": "10s"})
	coordinate := func(phase string) {
		for i := range requests {
			require.Equal(t, http.StatusOK, m.post(t, fmt.Sprint(phase, "-", i), loadTestBody).Code)
		}
	}
	countRows := func(phase string) (rows int) {
		conn, err := pgx.Connect(t.Context(), m.cfg.Dependencies.Store.URL)
		require.NoError(t, err)
		defer conn.Close(t.Context())
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM agent_coordination WHERE user_id LIKE $1`, phase+"-%").Scan(&rows))
		return rows
	}
	waitForRows := func(rows int, phase string) {
		t.Helper()
		require.Eventually(t, func() bool { return countRows(phase) == rows }, eventTimeout, 10*time.Millisecond)
	}
	coordinate("before")
	waitForRows(requests, "before")
	require.NoError(t, server.Stop())
	coordinate("during")
	require.Eventually(t, func() bool { return m.recorder.writer.Counts().Failed >= requests }, eventTimeout, time.Millisecond)
	require.NoError(t, server.Start(t.Context()))
	coordinate("after")
	waitForRows(requests, "after")
	waitForRows(requests, "before")
	t.Logf("%d requests, 0 failed; records %+v, no acknowledged record lost", 3*requests, m.recorder.writer.Counts())
}

// TestEndlessBodyTakesNoQueueSlot checks that a request enters the queue only after its
// whole body was read.
func TestEndlessBodyTakesNoQueueSlot(t *testing.T) {
	m := newMCA(t, nil)
	reader, writer := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, apiPath+"/coordinate", reader)
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Authorization", "Bearer "+m.env.Token(t, "slow"))
		r.Header.Set("Content-Type", "application/json")
		m.handler.ServeHTTP(discardResponse{http.Header{}}, r)
	}()
	_, err := writer.Write([]byte(`{"task":`))
	require.NoError(t, err)
	require.Zero(t, m.queue.Counts().Active)
	require.Equal(t, http.StatusOK, m.post(t, "quick", loadTestBody).Code)
	require.NoError(t, writer.Close())
	<-done
}

// discardResponse is a ResponseWriter that ignores the body and the status.
type discardResponse struct{ header http.Header }

func (d discardResponse) Header() http.Header         { return d.header }
func (d discardResponse) Write(p []byte) (int, error) { return len(p), nil }
func (d discardResponse) WriteHeader(int)             {}
