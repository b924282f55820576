package pgroles

import (
	"context"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/testservers"
)

// pods are processes of a service that use the password of one generation. Each request opens
// a new connection, so that each request needs the password.
type pods struct {
	stop   context.CancelFunc
	done   sync.WaitGroup
	served atomic.Int64
	failed atomic.Pointer[error]
}

// startPods starts four processes of a service with the password of a generation.
func (p *platform) startPods(t *testing.T, name string, generation int) *pods {
	t.Helper()
	cfg, err := pgx.ParseConfig(p.url(name, generation))
	require.NoError(t, err)
	url := "postgres://" + cfg.User + "@" + p.address() + "/" + p.owner.Database + "?sslmode=disable"
	file := filepath.Join(p.config.PasswordsFolder, strconv.Itoa(generation), name)
	ctx, stop := context.WithCancel(t.Context())
	running := &pods{stop: stop}
	for range 4 {
		running.done.Go(func() {
			for ctx.Err() == nil {
				cfg := database.Config{URL: url, PasswordFile: file, MaxConnections: 1, StatementTimeout: 5 * time.Second, ConnectTimeout: 5 * time.Second}
				s, err := database.Open(t.Context(), cfg)
				if err == nil {
					err = runStatements(t.Context(), name, s)
					s.Close()
				}
				if err != nil {
					running.failed.Store(&err)
					return
				}
				running.served.Add(1)
			}
		})
	}
	return running
}

// requireServing waits until the pods have served eight more requests. None may fail.
func (p *pods) requireServing(t *testing.T) {
	t.Helper()
	goal := p.served.Load() + 8
	require.Eventually(t, func() bool { return p.served.Load() >= goal || p.failed.Load() != nil }, testservers.StartTimeout, time.Millisecond)
	if err := p.failed.Load(); err != nil {
		require.NoError(t, *err)
	}
}

// end stops the pods and waits until they have ended.
func (p *pods) end() {
	p.stop()
	p.done.Wait()
}

// TestRotationUnderLoadFailsNoRequest rotates the password three times. Each time, the pods of
// the old generation still open connections while the pods of the new generation start.
func TestRotationUnderLoadFailsNoRequest(t *testing.T) {
	p := newPlatform(t, server)
	p.apply(t)
	oldPods := p.startPods(t, "web", 0)
	oldPods.requireServing(t)
	for generation := 1; generation <= 3; generation++ {
		p.rotate(t, generation)
		p.apply(t)
		newPods := p.startPods(t, "web", generation)
		newPods.requireServing(t)
		oldPods.requireServing(t)
		oldPods.end()
		oldPods.requireNoFailure(t)
		oldPods = newPods
	}
	oldPods.end()
	_, err := pgx.Connect(t.Context(), p.url("web", 1))
	require.ErrorContains(t, err, "password authentication failed", "after two more rotations a password is refused")
}

// requireNoFailure requires that no request of the ended pods failed.
func (p *pods) requireNoFailure(t *testing.T) {
	t.Helper()
	require.Nil(t, p.failed.Load())
	t.Logf("%d requests, each on a new connection, none failed", p.served.Load())
}

// The server's log contains every statement. The log must contain verifiers, but no password.
func TestServerNeverSeesAPassword(t *testing.T) {
	p := newPlatform(t, server)
	p.apply(t)
	p.rotate(t, 1)
	p.apply(t)
	p.connectAs(t, "web")
	var verifiers, passwords int
	require.NoError(t, p.conn.QueryRow(t.Context(), `
SELECT count(*) FILTER (WHERE line LIKE '%SCRAM-SHA-256$%'), count(*) FILTER (WHERE line LIKE '%clear-' || 'password-%')
FROM pg_ls_logdir() f, regexp_split_to_table(pg_read_file('log/' || f.name), '\n') line`).Scan(&verifiers, &passwords))
	require.NotZero(t, verifiers)
	require.Zero(t, passwords)
}

func TestVerifierMatchesOnlyItsPassword(t *testing.T) {
	printable := rapid.StringMatching(`[!-~]{1,60}`)
	rapid.Check(t, func(t *rapid.T) {
		password, other, salt := printable.Draw(t, "password"), printable.Draw(t, "other password"), printable.Draw(t, "salt")
		stored, err := computeVerifier(password, []byte(salt), 10)
		require.NoError(t, err)
		require.True(t, verifiesPassword(stored, password))
		require.Equal(t, password == other, verifiesPassword(stored, other))
	})
	for _, malformed := range []string{"", "md5abc", "SCRAM-SHA-256$", "SCRAM-SHA-256$0:AAAA$A:A", "SCRAM-SHA-256$4096:!$A:A"} {
		require.False(t, verifiesPassword(malformed, "password"))
	}
}

// On RDS the owner is not a superuser, and the services log in with IAM tokens.
func TestOwnerOfRDSCreatesRolesForIAM(t *testing.T) {
	rds, err := testservers.StartPostgres(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rds.Close()) })
	p := newPlatform(t, rds)
	p.config.IAM = true
	p.exec(t, "CREATE ROLE rds_iam NOLOGIN")
	p.exec(t, "CREATE ROLE master LOGIN CREATEROLE CREATEDB PASSWORD 'password-of-the-master'")
	p.exec(t, "GRANT rds_iam, pg_monitor TO master WITH ADMIN OPTION")
	p.exec(t, `DO $$ DECLARE one regclass; BEGIN
  EXECUTE format('ALTER DATABASE %I OWNER TO master', current_database());
  FOR one IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') LOOP EXECUTE format('ALTER TABLE %s OWNER TO master', one); END LOOP;
  ALTER FUNCTION create_monthly_partition OWNER TO master;
  END $$`)
	p.owner.User, p.owner.Password = "master", "password-of-the-master"
	require.Contains(t, p.apply(t), `GRANT \"rds_iam\" TO \"npa_iam\"`)
	require.Empty(t, p.apply(t))
	rows, err := p.conn.Query(t.Context(), "SELECT rolname::text FROM pg_authid WHERE rolcanlogin AND rolpassword IS NULL AND pg_has_role(oid, 'rds_iam', 'USAGE') AND NOT rolsuper ORDER BY 1")
	require.NoError(t, err)
	logins, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"exporter_iam", "mca_iam", "npa_iam", "web_iam", "wpa_iam"}, logins)

	// When the services use passwords again, the login roles for IAM must not log in any more.
	p.config.IAM = false
	require.NoError(t, Apply(t.Context(), p.owner, p.config, slog.New(slog.DiscardHandler)))
	require.NoError(t, runStatements(t.Context(), "mca", p.openStore(t, p.url("mca", 0))))
	var iamLogins string
	require.NoError(t, p.conn.QueryRow(t.Context(), "SELECT coalesce(string_agg(rolname, ','), '') FROM pg_roles WHERE rolcanlogin AND rolname LIKE '%iam'").Scan(&iamLogins))
	require.Empty(t, iamLogins)
}
