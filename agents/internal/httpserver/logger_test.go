package httpserver_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

func TestRecordsIncludeTheAttributesOfTheContext(t *testing.T) {
	var out bytes.Buffer
	log := httpserver.NewLogger(&out, "npa", slog.LevelInfo).With("a", 1)
	outer := httpserver.WithLogAttrs(t.Context(), slog.String("request_id", "r-1"))
	left, right := httpserver.WithLogAttrs(outer, slog.String("side", "left")), httpserver.WithLogAttrs(outer, slog.String("side", "right"))
	log.DebugContext(left, "below the level")
	log.InfoContext(left, "one")
	log.InfoContext(right, "two")
	log.Info("three")
	var records []map[string]any
	for decoder := json.NewDecoder(&out); decoder.More(); {
		record := map[string]any{}
		require.NoError(t, decoder.Decode(&record))
		delete(record, "time")
		records = append(records, record)
	}
	require.Equal(t, []map[string]any{
		{"level": "INFO", "msg": "one", "service": "npa", "a": 1.0, "request_id": "r-1", "side": "left"},
		{"level": "INFO", "msg": "two", "service": "npa", "a": 1.0, "request_id": "r-1", "side": "right"},
		{"level": "INFO", "msg": "three", "service": "npa", "a": 1.0},
	}, records)
}

// writeRecorder is an io.Writer that stores each write as one text.
type writeRecorder struct{ texts []string }

func (w *writeRecorder) Write(b []byte) (int, error) {
	w.texts = append(w.texts, string(b))
	return len(b), nil
}

// TestEachRecordIsOneWrite checks that records are not buffered, so that a killed process
// loses no record.
func TestEachRecordIsOneWrite(t *testing.T) {
	var out writeRecorder
	log := httpserver.NewLogger(&out, "npa", slog.LevelInfo)
	for n := range 3 {
		log.Info("request", "n", n)
		require.Len(t, out.texts, n+1)
		require.True(t, strings.HasSuffix(out.texts[n], "}\n"))
	}
}
