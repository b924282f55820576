package webapp

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// connect opens the test's own connection to the service's database.
func connect(t *testing.T, s *web) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.cfg.Dependencies.Store.URL)
	require.NoError(t, err)
	return conn
}

// execute runs a statement on the service's database.
func execute(t *testing.T, s *web, statement string) {
	t.Helper()
	conn := connect(t, s)
	defer conn.Close(t.Context())
	_, err := conn.Exec(t.Context(), statement)
	require.NoError(t, err)
}
