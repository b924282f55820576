package health

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReadinessTellsTheTruthAboutDependencies(t *testing.T) {
	state := &State{}
	state.Advance(Serving)
	away := errors.New("away")
	for _, row := range []struct {
		reason    string
		database  []error
		cache     []error
		code      int
		status    string
		cacheSays string
	}{
		{"nothing is known yet", nil, nil, 503, "unavailable", "down"},
		{"all is up", []error{nil}, []error{nil}, 200, "ok", "up"},
		{"without its cache a service is slower, not away", []error{nil}, []error{away}, 200, "degraded", "down"},
		{"a database that never answered", []error{away}, []error{nil}, 503, "unavailable", "up"},
		{"a restart of the database is waited for", []error{nil, away, away, away, away}, []error{nil}, 200, "ok", "up"},
		{"one that stays away is told", []error{nil, away, away, away, away, away}, []error{nil}, 503, "unavailable", "up"},
		{"and its return at once", []error{away, away, away, away, away, nil}, []error{nil}, 200, "ok", "up"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			d := NewDependencies(state, Dependency{Name: "database", Required: true}, Dependency{Name: "cache"})
			for _, err := range row.database {
				d.note("database", err)
			}
			for _, err := range row.cache {
				d.note("cache", err)
			}
			w := httptest.NewRecorder()
			d.Ready(w, nil)
			require.Equal(t, row.code, w.Code)
			var answer readiness
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			require.Equal(t, row.status, answer.Status)
			require.Equal(t, row.cacheSays, answer.Dependencies["cache"])
		})
	}
}

func TestAHungDependencyHoldsUpNoProbe(t *testing.T) {
	state := &State{}
	state.Advance(Serving)
	began := make(chan struct{})
	d := NewDependencies(state, Dependency{Name: "database", Required: true, Check: func(ctx context.Context) error {
		close(began)
		<-ctx.Done()
		return ctx.Err()
	}})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.Watch(ctx)
	}()
	<-began
	w := httptest.NewRecorder()
	d.Ready(w, nil)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	stop()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("Watch goes on after its context's end")
	}
}
