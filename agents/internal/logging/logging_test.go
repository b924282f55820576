package logging_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/logging"
)

func TestRecordsCarryTheContext(t *testing.T) {
	var out bytes.Buffer
	log := logging.New(&out, "npa", slog.LevelInfo).With("a", 1)
	outer := logging.With(t.Context(), slog.String("request_id", "r-1"))
	left, right := logging.With(outer, slog.String("side", "left")), logging.With(outer, slog.String("side", "right"))
	log.DebugContext(left, "below the level")
	log.InfoContext(left, "one")
	log.InfoContext(right, "two")
	log.Info("three")
	var got []map[string]any
	for decoder := json.NewDecoder(&out); decoder.More(); {
		record := map[string]any{}
		require.NoError(t, decoder.Decode(&record))
		delete(record, "time")
		got = append(got, record)
	}
	require.Equal(t, []map[string]any{
		{"level": "INFO", "msg": "one", "service": "npa", "a": 1.0, "request_id": "r-1", "side": "left"},
		{"level": "INFO", "msg": "two", "service": "npa", "a": 1.0, "request_id": "r-1", "side": "right"},
		{"level": "INFO", "msg": "three", "service": "npa", "a": 1.0},
	}, got)
}

// pipe is an output that counts writes.
type pipe struct {
	mu     sync.Mutex
	text   string
	writes int
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text += string(b)
	p.writes++
	return len(b), nil
}

func (p *pipe) lines() (lines, writes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Count(p.text, "\n"), p.writes
}

func TestPatientRecordsShareAWrite(t *testing.T) {
	var out pipe
	log := logging.New(&out, "npa", slog.LevelInfo)
	patient := logging.Patient(log.With("part", "requests")).With("a", 1)
	for range 5 {
		patient.Info("request")
	}
	lines, _ := out.lines()
	require.Zero(t, lines, "they wait")
	log.Info("another")
	lines, writes := out.lines()
	require.Equal(t, []int{6, 1}, []int{lines, writes}, "one that does not wait takes them along, in their order")
	require.True(t, strings.HasSuffix(strings.TrimSpace(out.text), `"msg":"another","service":"npa"}`))

	patient.Info("request")
	patient.Warn("request")
	lines, writes = out.lines()
	require.Equal(t, []int{8, 2}, []int{lines, writes}, "a warning does not wait")

	patient.Info("request")
	require.Eventually(t, func() bool { lines, _ := out.lines(); return lines == 9 }, 5*time.Second, time.Millisecond, "nor does one wait long")

	patient.Info("request")
	logging.Flush(log)
	lines, _ = out.lines()
	require.Equal(t, 10, lines, "a process that ends leaves none")

	for range 1000 {
		patient.Info("request")
	}
	lines, _ = out.lines()
	require.Greater(t, lines, 10, "nor do more wait than there is room for")

	foreign := slog.New(slog.DiscardHandler)
	require.Same(t, foreign, logging.Patient(foreign))
	logging.Flush(foreign)
}
