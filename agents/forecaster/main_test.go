package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

const services = `[{"name": "web", "query": "load", "capacity": 100, "target": 0.7, "floor": 0.95, "document": {"Min": 3, "Max": 50,
	"Up": {"Policies": [{"Value": 5, "Seconds": 60}]}, "Down": {"Policies": [{"Value": 2, "Seconds": 60}]}}}]`

// The exit code is 2 for a wrong environment and 1 if the process cannot serve. An unreachable
// Prometheus is not an error, because the process waits for it.
func TestErrorsSetTheExitCode(t *testing.T) {
	valid := map[string]string{
		"SERVICES": services, "PROMETHEUS_URL": "http://127.0.0.1:1", "LISTEN_ADDRESS": "127.0.0.1:0", "METRICS_ADDRESS": "127.0.0.1:0",
	}
	for _, row := range []struct {
		reason, variable, value string
		code                    int
		message                 string
	}{
		{"a signal ends the process", "", "", 0, "drained"},
		{"no service", "SERVICES", "[]", 2, "SERVICES"},
		{"an address of another machine", "METRICS_ADDRESS", "192.0.2.1:1", 1, "listen"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			if row.code == 0 {
				cancel()
			}
			defer cancel()
			var out bytes.Buffer
			code := run(ctx, func(name string) (string, bool) {
				if name == row.variable {
					return row.value, true
				}
				value, ok := valid[name]
				return value, ok
			}, &out)
			require.Equal(t, row.code, code, out.String())
			require.Contains(t, out.String(), row.message)
		})
	}
}
