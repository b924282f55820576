package live

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// runSQL runs an SQL statement in the pod of PostgreSQL, as the owner of the database. It
// returns the rows of the result as text.
func runSQL(t *testing.T, sql string) (string, error) {
	t.Helper()
	return run(t, "kubectl", "-n", stackOutput[string](t, "namespace"), "exec", "postgres-0", "-c", "postgres", "--",
		"sh", "-c", `exec psql -h "$SOCKETS" -U "$OWNER" -d "$DATABASE" -AtX -v ON_ERROR_STOP=1 -c "$0"`, sql)
}

// querySQL runs an SQL statement and returns the values of its result. The test fails if the
// statement fails.
func querySQL(t *testing.T, sql string) []string {
	t.Helper()
	out, err := runSQL(t, sql)
	require.NoError(t, err, sql)
	return strings.Fields(out)
}

// TestServicesAreConnectedAsTheirOwnRoles requires that each service is connected with a role
// of its own name. No service may be connected with the role of the owner.
func TestServicesAreConnectedAsTheirOwnRoles(t *testing.T) {
	tokenFile := writeTokenFile(t)
	// The services open their connections at the first requests.
	mustRun(t, "pf", "load", "--stack", "sandbox", "--token-file", tokenFile, "--duration", "10s", "--rate", "20")
	users := querySQL(t, `SELECT DISTINCT regexp_replace(usename, '_[ab]$', '') FROM pg_stat_activity WHERE client_addr IS NOT NULL ORDER BY 1`)
	require.Subset(t, users, []string{"exporter", "mca", "npa", "web", "wpa"})
	require.NotContains(t, users, "platform", "only the migration logs in as the owner")
	for _, login := range querySQL(t, `SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname <> 'platform'`) {
		require.Regexp(t, `^(exporter|mca|npa|web|wpa)_[ab]$`, login)
	}
	require.Empty(t, querySQL(t, `SELECT rolname FROM pg_roles WHERE rolname <> 'platform' AND rolname !~ '^pg_' AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)`))
}

// TestServicesAreRefusedEachOthersTables runs statements with the privileges of a service.
// The statements that the service does not need must fail.
func TestServicesAreRefusedEachOthersTables(t *testing.T) {
	for _, tc := range []struct{ role, statement string }{
		{"npa_a", "SELECT email FROM users"},
		{"npa_a", "SELECT count(*) FROM workout_plans"},
		{"wpa_a", "UPDATE workout_plans SET plan = plan"},
		{"web_a", "SELECT count(*) FROM nutrition_plans"},
		{"mca_a", "DELETE FROM agent_coordination"},
		{"web_a", "CREATE TABLE t (a int)"},
		{"exporter_a", "SELECT id FROM users"},
	} {
		t.Run(tc.role+" "+tc.statement, func(t *testing.T) {
			_, err := runSQL(t, "SET ROLE "+tc.role+"; "+tc.statement)
			require.Error(t, err)
		})
	}
	for role, allowedStatement := range map[string]string{
		"web_a": "SELECT count(*) FROM users", "npa_a": "SELECT count(*) FROM nutrition_plans", "exporter_a": "SELECT count(*) FROM pg_stat_activity",
	} {
		_, err := runSQL(t, "SET ROLE "+role+"; "+allowedStatement)
		require.NoError(t, err, role)
	}
}
