package testservers_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// newStartContext returns a context that ends after StartTimeout.
func newStartContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), testservers.StartTimeout)
	t.Cleanup(cancel)
	return ctx
}

func TestPostgresKeepsDataAcrossRestart(t *testing.T) {
	ctx := newStartContext(t)
	server, err := testservers.StartPostgres(ctx, map[string]string{"max_connections": "17"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	url := server.CreateDatabase(t)
	queryText := func(query string) (value string) {
		conn, err := pgx.Connect(ctx, url)
		require.NoError(t, err)
		defer conn.Close(ctx)
		require.NoError(t, conn.QueryRow(ctx, query).Scan(&value))
		return value
	}
	require.Equal(t, "17", queryText("SHOW max_connections"), "the caller's setting is used")
	require.True(t, strings.HasPrefix(queryText("SHOW server_version"), "15."))
	require.Equal(t, "pg_stat_statements", queryText("SHOW shared_preload_libraries"))

	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "CREATE TABLE kept AS SELECT 'here' AS word")
	require.NoError(t, err)
	require.NoError(t, server.Stop())
	_, err = pgx.Connect(ctx, url)
	require.Error(t, err)
	require.NoError(t, server.Start(ctx))
	require.Equal(t, "here", queryText("SELECT word FROM kept"))
}

func TestPostgresStartErrorNamesTheSetting(t *testing.T) {
	_, err := testservers.StartPostgres(newStartContext(t), map[string]string{"wal_keep_segments": "64"})
	require.ErrorContains(t, err, `unrecognized configuration parameter "wal_keep_segments"`)
}

func TestRedisServesEverySlotAndFailsOver(t *testing.T) {
	ctx := newStartContext(t)
	cluster, err := testservers.StartRedis(ctx, 1)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cluster.Close()) })
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: cluster.Addresses(), DisableCache: true})
	require.NoError(t, err)
	defer client.Close()
	write := func() (err error) {
		for _, key := range strings.Fields("a b c d e f g h") { // over all three primaries
			err = errors.Join(err, client.Do(ctx, client.B().Set().Key(key).Value(key).Build()).Error())
		}
		return err
	}
	require.NoError(t, write())
	require.NoError(t, cluster.Kill(0))
	require.Eventually(t, func() bool {
		role, err := cluster.Do(ctx, 3, "INFO", "replication")
		return err == nil && strings.Contains(role, "role:master")
	}, testservers.StartTimeout, 50*time.Millisecond, "the replica takes over the dead master's slots")
	require.Eventually(t, func() bool { return write() == nil }, testservers.StartTimeout, 50*time.Millisecond)
	require.NoError(t, cluster.Restart(0))
	require.NoError(t, cluster.WaitHealthy(ctx))
	role, err := cluster.Do(ctx, 0, "INFO", "replication")
	require.NoError(t, err)
	require.Contains(t, role, "role:slave", "the old primary comes back as a replica")
}

func TestCloseRemovesFilesAndProcesses(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	cluster, err := testservers.StartRedis(newStartContext(t), 0)
	require.NoError(t, err)
	entries, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.NoError(t, cluster.Close())
	entries, err = os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, entries)
	_, err = rueidis.NewClient(rueidis.ClientOption{InitAddress: cluster.Addresses()})
	require.Error(t, err)
}

func TestMissingServerErrorNamesTheDebianPackage(t *testing.T) {
	t.Setenv("PATH", "")
	_, err := testservers.StartRedis(t.Context(), 0)
	require.ErrorContains(t, err, "install Debian's redis-server")
}
