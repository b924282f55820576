package postgrestuning

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/components/size"
)

// documentInputs are the inputs for which the design document has the settings.
var documentInputs = Inputs{Memory: size.GiB(32), Cores: 16, Connections: 200}

const archiveCommand = "aws s3 cp %p s3://progressive-framework-wal-backup/%f"

// The expected statements are those of the design document, with three corrections. PostgreSQL 13
// replaced wal_keep_segments by wal_keep_size. The view v_slow_queries needs
// pg_stat_statements. The alert for a slow disk needs track_io_timing.
func TestSettingsMatchTheDesignDocument(t *testing.T) {
	m, err := New(documentInputs)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{
		"ALTER SYSTEM SET shared_buffers = '8GB';",
		"ALTER SYSTEM SET effective_cache_size = '24GB';",
		"ALTER SYSTEM SET maintenance_work_mem = '2GB';",
		"ALTER SYSTEM SET work_mem = '256MB';",
		"ALTER SYSTEM SET wal_buffers = '64MB';",
		"ALTER SYSTEM SET checkpoint_completion_target = 0.9;",
		"ALTER SYSTEM SET max_connections = 200;",
		"ALTER SYSTEM SET random_page_cost = 1.1;",
		"ALTER SYSTEM SET seq_page_cost = 1;",
		"ALTER SYSTEM SET effective_io_concurrency = 200;",
		"ALTER SYSTEM SET max_worker_processes = 16;",
		"ALTER SYSTEM SET max_parallel_workers_per_gather = 4;",
		"ALTER SYSTEM SET max_parallel_workers = 16;",
		"ALTER SYSTEM SET max_parallel_maintenance_workers = 4;",
		"ALTER SYSTEM SET wal_level = 'replica';",
		"ALTER SYSTEM SET archive_mode = 'on';",
		"ALTER SYSTEM SET archive_command = 'aws s3 cp %p s3://progressive-framework-wal-backup/%f';",
		"ALTER SYSTEM SET max_wal_senders = 3;",
		"ALTER SYSTEM SET wal_keep_size = '1GB';",
		"ALTER SYSTEM SET log_min_duration_statement = '1000ms';",
		"ALTER SYSTEM SET log_checkpoints = 'on';",
		"ALTER SYSTEM SET log_connections = 'on';",
		"ALTER SYSTEM SET log_disconnections = 'on';",
		"ALTER SYSTEM SET log_lock_waits = 'on';",
		"ALTER SYSTEM SET log_statement = 'ddl';",
		"ALTER SYSTEM SET autovacuum_max_workers = 6;",
		"ALTER SYSTEM SET autovacuum_vacuum_cost_limit = 2000;",
		"ALTER SYSTEM SET autovacuum_vacuum_scale_factor = 0.1;",
		"ALTER SYSTEM SET autovacuum_analyze_scale_factor = 0.05;",
		"ALTER SYSTEM SET track_io_timing = 'on';",
		"ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements';",
	}, m.AlterSystem(archiveCommand))
}

func TestRDSParametersHaveRDSUnitsAndApplyMethods(t *testing.T) {
	m, err := New(documentInputs)
	require.NoError(t, err)
	parameters := map[string][2]string{}
	for _, p := range m.RDS() {
		parameters[p.Name()] = [2]string{p.Value(), p.ApplyMethod()}
	}
	for _, row := range []struct{ reason, name, value, apply string }{
		{"8 kB pages, static", "shared_buffers", "1048576", "pending-reboot"},
		{"8 kB pages, dynamic", "effective_cache_size", "3145728", "immediate"},
		{"8 kB pages, static", "wal_buffers", "8192", "pending-reboot"},
		{"kB", "work_mem", "262144", "immediate"},
		{"kB", "maintenance_work_mem", "2097152", "immediate"},
		{"ms", "log_min_duration_statement", "1000", "immediate"},
		{"RDS writes booleans as digits", "log_checkpoints", "1", "immediate"},
		{"a plain number, static", "max_connections", "200", "pending-reboot"},
		{"RDS refuses connections without TLS", "rds.force_ssl", "1", "pending-reboot"},
		{"the default of the family", "autovacuum_vacuum_scale_factor", "0.1", "pending-reboot"},
		{"the view v_slow_queries needs it", "shared_preload_libraries", "pg_stat_statements", "pending-reboot"},
	} {
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, [2]string{row.value, row.apply}, parameters[row.name], row.reason)
		})
	}
	for _, name := range []string{"archive_command", "archive_mode", "wal_level", "max_wal_senders", "wal_keep_size"} {
		require.NotContains(t, parameters, name, "RDS sets the parameter itself")
	}
	require.NotContains(t, m.File(archiveCommand), "rds.", "these parameters exist on RDS only")
	require.NotContains(t, m.File(""), "archive", "without an archive command there are no archive settings")
}

func TestNewRefusesSettingsThatExceedTheMemory(t *testing.T) {
	for _, row := range []struct {
		reason string
		in     Inputs
		want   []string
	}{
		{
			"the design document's 256 MB for each of 200 queries at once (50 GB)",
			Inputs{Memory: size.GiB(32), Cores: 16, Connections: 200, ActiveQueries: 200, WorkMem: size.MiB(256)},
			[]string{"32Gi of memory is too little", "216 working processes (200 active queries + 16 parallel workers)", "work_mem 256Mi need 54Gi", "lower WorkMem or ActiveQueries"},
		},
		{
			"the design document's 200 connections on 2 GiB",
			Inputs{Memory: size.GiB(2), Cores: 2, Connections: 200},
			[]string{"shared_buffers 512Mi", "8Mi × 200 connections leave 0", "use at most 124 connections"},
		},
		{
			"too many parallel workers for the smallest work_mem",
			Inputs{Memory: size.GiB(1), Cores: 192, Connections: 10, ActiveQueries: 10},
			[]string{"202 working processes", "use more memory"},
		},
		{"less than the smallest memory", Inputs{Memory: size.MiB(512), Cores: 1, Connections: 10}, []string{"Memory is 512Mi, must be 1Gi to 4096Gi"}},
		{"several errors at once", Inputs{Memory: size.GiB(1), Connections: 1, ActiveQueries: 2, WorkMem: size.MiB(1)}, []string{
			"Cores is 0, must be 1 to 192", "Connections is 1, must be 10 to 5000", "ActiveQueries is 2, must be 0 to 1", "WorkMem is 1Mi, must be at least 4Mi",
		}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			_, err := New(row.in)
			require.Error(t, err)
			for _, want := range row.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	in := Inputs{Memory: size.GiB(2), Cores: 2, Connections: 124}
	_, err := New(in)
	require.NoError(t, err, "the number of connections in the error above is accepted")
	in.Connections++
	_, err = New(in)
	require.Error(t, err, "one more connection does not fit")
}

// numericSettings returns the numeric settings of a model. Sizes are in bytes.
func numericSettings(m *Model) map[string]int64 {
	bytesPerUnit := map[string]int64{"shared_buffers": 8 << 10, "effective_cache_size": 8 << 10, "wal_buffers": 8 << 10, "work_mem": 1 << 10, "maintenance_work_mem": 1 << 10}
	settings := map[string]int64{}
	for _, s := range m.settings {
		if n, err := strconv.ParseInt(s.rdsValue, 10, 64); err == nil {
			settings[s.name] = n * max(1, bytesPerUnit[s.name])
		}
	}
	return settings
}

// For random inputs, the sum of the memory settings must be within the memory. work_mem in
// postgresql.conf must be equal to work_mem for RDS.
func TestSettingsOfEveryModelFitIntoTheMemory(t *testing.T) {
	validModels := 0
	rapid.Check(t, func(t *rapid.T) {
		in := Inputs{
			Memory:        size.MiB(rapid.Int64Range(1<<10, 1<<20).Draw(t, "MiB")),
			Cores:         rapid.IntRange(1, maxCores).Draw(t, "cores"),
			Connections:   rapid.IntRange(minConnections, 1000).Draw(t, "connections"),
			ActiveQueries: rapid.IntRange(0, minConnections).Draw(t, "active"),
		}
		m, err := New(in)
		if err != nil {
			return
		}
		validModels++
		values := numericSettings(m)
		sum := values["shared_buffers"] + values["wal_buffers"] +
			values["work_mem"]*(int64(in.activeQueries())+values["max_parallel_workers"]) +
			values["maintenance_work_mem"]*(values["autovacuum_max_workers"]+1) +
			8<<20*values["max_connections"]
		require.LessOrEqual(t, sum, in.Memory.Bytes())
		require.GreaterOrEqual(t, values["work_mem"], int64(4<<20))
		require.LessOrEqual(t, values["work_mem"], int64(256<<20), "the design document's number")
		require.LessOrEqual(t, values["max_parallel_workers"], values["max_worker_processes"])
		require.LessOrEqual(t, values["max_parallel_workers_per_gather"], values["max_parallel_workers"])
		file := m.File("")
		require.Contains(t, file, fmt.Sprintf("\nwork_mem = '%s'\n", strings.TrimSuffix(size.Bytes(values["work_mem"]).String(), "i")+"B"))
	})
	require.Positive(t, validModels, "some of the random inputs must be valid")
}

func TestEveryInstanceClassHasAModel(t *testing.T) {
	for name := range classes {
		c, err := LookupClass(name)
		require.NoError(t, err)
		m, err := New(Inputs{Memory: c.Memory, Cores: c.Cores, Connections: 50})
		require.NoError(t, err, "every class has a valid model: %s", name)
		require.NotEmpty(t, m.RDS())
	}
	_, err := LookupClass("db.m1.small")
	require.ErrorContains(t, err, `"db.m1.small" must be one of db.m7g.12xlarge`)
}
