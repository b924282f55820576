package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestErrorsSetTheExitCode also checks that a Redis node that is down is not an
// error of the environment.
func TestErrorsSetTheExitCode(t *testing.T) {
	passwordFile := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(passwordFile, []byte("secret"), 0o600))
	valid := map[string]string{
		"PEERS": "a:1,b:1,c:1", "NODE_NAME": "a", "POD_IP": "127.0.0.1", "PASSWORD_FILE": passwordFile,
		"REDIS_ADDRESS": "127.0.0.1:1", "LISTEN_ADDRESS": "127.0.0.1:0",
	}
	for _, row := range []struct {
		reason, variable, value string
		code                    int
		lastMessage             string
	}{
		{"a signal ends the process", "", "", 0, "drained"},
		{"the node's name is not among the peers", "NODE_NAME", "d", 2, `wrong configuration: NODE_NAME="d" must be the first label of one of PEERS: set such a value`},
		{"an address of another machine", "LISTEN_ADDRESS", "192.0.2.1:0", 1, "stopped"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			var out bytes.Buffer
			code := run(ctx, func(name string) (string, bool) {
				if name == row.variable {
					return row.value, true
				}
				value, ok := valid[name]
				return value, ok
			}, &out)
			require.Equal(t, row.code, code, out.String())
			lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
			var last struct{ Msg string }
			require.NoError(t, json.Unmarshal(lines[len(lines)-1], &last))
			require.Equal(t, row.lastMessage, last.Msg)
			require.NotContains(t, out.String(), "secret")
		})
	}
}
