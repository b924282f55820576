package main

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
)

// The exit code is 2 for a wrong variable and 1 if the process cannot serve. An unreachable
// database is not an error.
func TestErrorsSetTheExitCode(t *testing.T) {
	valid := map[string]string{
		"DATABASE_URL": "postgres://exporter_a:secret@127.0.0.1:1/d?sslmode=disable", "LISTEN_ADDRESS": "127.0.0.1:0", "METRICS_ADDRESS": "127.0.0.1:0",
	}
	for _, row := range []struct {
		reason, variable, value string
		code                    int
		lastMessage             string
	}{
		{"a signal ends the process", "", "", 0, "drained"},
		{"a wrong variable", "LOG_LEVEL", "loud", 2, `wrong configuration: LOG_LEVEL="loud" must be debug or info or warn or error: set such a value, or unset it for the default info`},
		{"a URL that could fall back to plain text", "DATABASE_URL", "postgres://exporter_a:secret@h/d", 1, "stopped"},
		{"an address of another machine", "LISTEN_ADDRESS", "192.0.2.1:0", 1, "stopped"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			env := maps.Clone(valid)
			env[row.variable] = row.value
			var out bytes.Buffer
			code := run(ctx, func(name string) (string, bool) { value, ok := env[name]; return value, ok }, &out)
			require.Equal(t, row.code, code, out.String())
			lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
			var last struct{ Msg string }
			require.NoError(t, json.Unmarshal(lines[len(lines)-1], &last))
			require.Equal(t, row.lastMessage, last.Msg)
			require.NotContains(t, out.String(), "secret")
		})
	}
}
