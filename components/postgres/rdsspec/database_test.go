package rdsspec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestZeroValuesAreSafe(t *testing.T) {
	d, model, err := Database{Identifier: "progressive-framework-abcdefghijkl", InstanceClass: "db.m7g.2xlarge"}.Complete()
	require.NoError(t, err, "the longest environment")
	require.Equal(t, Database{
		Identifier: "progressive-framework-abcdefghijkl", InstanceClass: "db.m7g.2xlarge",
		Connections: 200, StorageGiB: 100, MostStorageGiB: 500, BackupDays: 35,
	}, d)
	require.NotEmpty(t, model.RDS())
}

// Another instance class changes settings and not the group that holds them.
func TestInstanceClassChangesInPlace(t *testing.T) {
	small, smallModel, err := Database{Identifier: "db", InstanceClass: "db.m7g.large"}.Complete()
	require.NoError(t, err)
	large, largeModel, err := Database{Identifier: "db", InstanceClass: "db.m7g.4xlarge"}.Complete()
	require.NoError(t, err)
	require.Equal(t, small.ParameterGroup(), large.ParameterGroup())
	require.NotEqual(t, smallModel.RDS(), largeModel.RDS())
	require.Len(t, largeModel.RDS(), len(smallModel.RDS()))
}

func TestWrongDatabases(t *testing.T) {
	good := Database{Identifier: "db", InstanceClass: "db.t4g.medium"}
	for _, row := range []struct {
		reason string
		change func(*Database)
		says   string
	}{
		{"RDS lowers nothing by itself", func(d *Database) { d.Identifier = "DB" }, `Identifier "DB" must be`},
		{"room for what is named after it", func(d *Database) { d.Identifier = "progressive-framework-abcdefghij-postgres" }, "must be 1 to 40"},
		{"RDS refuses two hyphens", func(d *Database) { d.Identifier = "d--b" }, `Identifier "d--b" must be`},
		{"no such class", func(d *Database) { d.InstanceClass = "db.m7g.nano" }, `"db.m7g.nano" is not one of`},
		{"the memory rule reaches up to here", func(d *Database) { d.Connections = 400 }, "400 connections leave"},
		{"below gp3's least", func(d *Database) { d.StorageGiB = 19 }, "StorageGiB is 19, must be 20 to 65536"},
		{"room to grow is a tenth", func(d *Database) { d.StorageGiB, d.MostStorageGiB = 100, 109 }, "must be a tenth more than StorageGiB 100"},
		{"a week at least", func(d *Database) { d.BackupDays = 6 }, "BackupDays is 6, must be 7 to 35"},
		{"RDS's most", func(d *Database) { d.BackupDays = 36 }, "BackupDays is 36"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			d := good
			row.change(&d)
			_, _, err := d.Complete()
			require.ErrorContains(t, err, row.says)
		})
	}
}
