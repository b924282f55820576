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

// TestAgentFaults: whatever npa does, every request gets an answer, and one
// that holds what wpa made.
func TestAgentFaults(t *testing.T) {
	const requests, clients = 400, 8
	for _, row := range []struct {
		reason string
		npa    http.HandlerFunc
		// leastComplete is how many answers must be whole at least.
		leastComplete int64
	}{
		{"hung", hangs, 0},
		{"slow, beyond the seed's limit between agents", func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(rand.N(20 * time.Millisecond))
			says(200, plan)(w, r)
		}, requests},
		{"failing 30 %", func(w http.ResponseWriter, r *http.Request) {
			if rand.IntN(10) < 3 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			says(200, plan)(w, r)
		}, requests * 6 / 10},
		{"dropping connections", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}, 0},
	} {
		t.Run(row.reason, func(t *testing.T) {
			m := newMCA(t, map[string]string{"AGENT_TIMEOUT": "600ms"})
			m.npa.do(row.npa)
			var complete, part, failed atomic.Int64
			var all sync.WaitGroup
			for client := range clients {
				all.Go(func() {
					for i := range requests / clients {
						w := m.post(t, fmt.Sprintf("user-%d-%d", client, i), seeds)
						if w.Code != http.StatusOK {
							failed.Add(1)
							continue
						}
						c := decoded[Coordination](t, w)
						if len(c.Week.Days[0].Sessions) != 1 {
							t.Errorf("the training is missing: %v", c.Agents)
						}
						if c.Status == "complete" {
							complete.Add(1)
						} else {
							part.Add(1)
						}
					}
				})
			}
			all.Wait()
			t.Logf("of %d requests: complete %d, partial %d, failed %d; npa was asked %d times", requests, complete.Load(), part.Load(), failed.Load(), m.npa.asked.Load())
			require.Zero(t, failed.Load(), "no request fails")
			require.GreaterOrEqual(t, complete.Load(), row.leastComplete)
			require.LessOrEqual(t, m.npa.asked.Load(), int64(requests*11/10+requests/100), "no storm of second tries")
		})
	}
}

// TestPostgresRestarts: coordinations are answered all the while; the record of
// one that ended while the database was there is in it, and those of the others
// are counted as failed.
func TestPostgresRestarts(t *testing.T) {
	const each = 20
	starting, cancel := context.WithTimeout(t.Context(), testservers.StartTimeout)
	defer cancel()
	own, err := testservers.StartPostgres(starting, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.Close()) })
	m := newMCA(t, map[string]string{"DATABASE_URL": servicetest.Database(t, own), "DATABASE_STATEMENT_TIMEOUT": "10s"})
	coordinate := func(phase string) {
		for i := range each {
			require.Equal(t, http.StatusOK, m.post(t, fmt.Sprint(phase, "-", i), seeds).Code)
		}
	}
	recorded := func(phase string) (rows int) {
		conn, err := pgx.Connect(t.Context(), m.cfg.Dependencies.Store.URL)
		require.NoError(t, err)
		defer conn.Close(t.Context())
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM agent_coordination WHERE user_id LIKE $1`, phase+"-%").Scan(&rows))
		return rows
	}
	until := func(rows int, phase string) {
		t.Helper()
		require.Eventually(t, func() bool { return recorded(phase) == rows }, soon, 10*time.Millisecond)
	}
	coordinate("before")
	until(each, "before")
	require.NoError(t, own.Stop())
	coordinate("during")
	require.Eventually(t, func() bool { return m.records.rows.Counts().Failed >= each }, soon, time.Millisecond)
	require.NoError(t, own.Start(t.Context()))
	coordinate("after")
	until(each, "after")
	until(each, "before")
	t.Logf("%d requests, 0 failed; records %+v, of those that were made 0 lost", 3*each, m.records.rows.Counts())
}

// TestABodyThatNeverEnds costs one connection, not a place in the queue.
func TestABodyThatNeverEnds(t *testing.T) {
	m := newMCA(t, nil)
	read, write := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, apiPath+"/coordinate", read)
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Authorization", "Bearer "+m.world.Token(t, "slow"))
		r.Header.Set("Content-Type", "application/json")
		m.handler.ServeHTTP(discard{http.Header{}}, r)
	}()
	_, err := write.Write([]byte(`{"task":`))
	require.NoError(t, err)
	require.Zero(t, m.queue.Counts().Active)
	require.Equal(t, http.StatusOK, m.post(t, "quick", seeds).Code)
	require.NoError(t, write.Close())
	<-ended
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
