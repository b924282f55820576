package rdsspec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestZeroValuesMeanTheDefaults(t *testing.T) {
	d, model, err := Database{Identifier: "progressive-framework-abcdefghijkl", InstanceClass: "db.m7g.2xlarge"}.Complete()
	require.NoError(t, err, "the identifier of the longest environment name is accepted")
	require.Equal(t, Database{
		Identifier: "progressive-framework-abcdefghijkl", InstanceClass: "db.m7g.2xlarge",
		Connections: 200, StorageGiB: 100, MaxAllocatedStorageGiB: 500, BackupDays: 35,
	}, d)
	require.NotEmpty(t, model.RDS())
}

// A change of the instance class changes the settings in the same parameter group.
func TestInstanceClassKeepsTheParameterGroup(t *testing.T) {
	small, smallModel, err := Database{Identifier: "db", InstanceClass: "db.m7g.large"}.Complete()
	require.NoError(t, err)
	large, largeModel, err := Database{Identifier: "db", InstanceClass: "db.m7g.4xlarge"}.Complete()
	require.NoError(t, err)
	require.Equal(t, small.ParameterGroup(), large.ParameterGroup())
	require.NotEqual(t, smallModel.RDS(), largeModel.RDS())
	require.Len(t, largeModel.RDS(), len(smallModel.RDS()))
}

func TestClassChangeWarningIsEmptyAfterTheChange(t *testing.T) {
	d := Database{Identifier: "db", InstanceClass: "db.m7g.4xlarge"}
	require.Empty(t, d.ClassChangeWarning("db.m7g.4xlarge", "sun:04:30-sun:05:00"))
	require.Equal(t, "RDS runs db as db.m7g.large, and changes it to db.m7g.4xlarge in the maintenance window sun:04:30-sun:05:00 UTC: "+
		"set applyImmediately to change it at once, which interrupts the database", d.ClassChangeWarning("db.m7g.large", "sun:04:30-sun:05:00"))
}

// While a change of the class waits, the settings must fit into the running and the wanted class.
func TestModelWhileRunningFitsBothClasses(t *testing.T) {
	for _, tc := range []struct{ reason, running, wanted, settings string }{
		{"a larger class", "db.m7g.large", "db.m7g.4xlarge", "db.m7g.large"},
		{"a smaller class", "db.m7g.4xlarge", "db.m7g.large", "db.m7g.large"},
		{"the same memory", "db.r7g.large", "db.m7g.xlarge", "db.m7g.xlarge"},
		{"the same class", "db.m7g.large", "db.m7g.large", "db.m7g.large"},
		{"a running class that the platform does not offer", "db.x9.large", "db.m7g.large", "db.m7g.large"},
	} {
		complete, _, err := Database{Identifier: "db", InstanceClass: tc.wanted}.Complete()
		require.NoError(t, err)
		model, err := complete.ModelWhileRunning(tc.running)
		require.NoError(t, err, tc.reason)
		_, want, err := Database{Identifier: "db", InstanceClass: tc.settings}.Complete()
		require.NoError(t, err)
		require.Equal(t, want.RDS(), model.RDS(), tc.reason)
	}
}

func TestInvalidDatabasesAreRefused(t *testing.T) {
	valid := Database{Identifier: "db", InstanceClass: "db.t4g.medium"}
	for _, row := range []struct {
		reason string
		change func(*Database)
		want   string
	}{
		{"an identifier in upper case", func(d *Database) { d.Identifier = "DB" }, `Identifier "DB" must be`},
		{"an identifier that is too long for derived names", func(d *Database) { d.Identifier = "progressive-framework-abcdefghij-postgres" }, "must be 1 to 40"},
		{"two hyphens, which RDS refuses", func(d *Database) { d.Identifier = "d--b" }, `Identifier "d--b" must be`},
		{"an unknown class", func(d *Database) { d.InstanceClass = "db.m7g.nano" }, `"db.m7g.nano" must be one of`},
		{"more connections than the memory allows", func(d *Database) { d.Connections = 400 }, "400 connections leave"},
		{"less than the minimum of gp3", func(d *Database) { d.StorageGiB = 19 }, "StorageGiB is 19, must be 20 to 65536"},
		{"a storage limit less than a tenth above the initial storage", func(d *Database) { d.StorageGiB, d.MaxAllocatedStorageGiB = 100, 109 }, "must be at least a tenth more than StorageGiB 100"},
		{"less than a week of backups", func(d *Database) { d.BackupDays = 6 }, "BackupDays is 6, must be 7 to 35"},
		{"more than the maximum of RDS", func(d *Database) { d.BackupDays = 36 }, "BackupDays is 36"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			d := valid
			row.change(&d)
			_, _, err := d.Complete()
			require.ErrorContains(t, err, row.want)
		})
	}
}
