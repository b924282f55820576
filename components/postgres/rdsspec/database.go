// Package rdsspec checks the specification of an RDS database and fills in its
// defaults. It is pure: it owns the rules of RDS and of the platform; the
// resources are package postgres'.
package rdsspec

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
)

// Major is the major version that databases run: the newest that RDS offers in
// which every setting of the model counts and takes effect as in the server
// that the model is tested on. In 18 autovacuum_max_workers becomes dynamic
// and log_connections a list.
const Major = "17"

const (
	// Port is that of PostgreSQL.
	Port = 5432

	defaultStorage = 100
	leastStorage   = 20 // RDS User Guide, "Amazon RDS DB instance storage": gp3
	mostStorage    = 65536
)

// Database is the specification of an RDS instance. Zero values stand for what
// is safe.
type Database struct {
	// Identifier names the instance: lower-case letters, digits and single
	// hyphens, a letter first.
	Identifier string
	// InstanceClass is such as "db.m7g.2xlarge"; see package postgrestuning.
	InstanceClass string
	// Connections are max_connections; zero: the document's 200.
	Connections int
	// StorageGiB is what is there from the start, 20 to 65,536; zero: 100. It
	// grows by itself up to MostStorageGiB; zero: five times as much.
	StorageGiB, MostStorageGiB int
	// BackupDays is how far back the database can be restored to any second, 7
	// to 35; zero: 35.
	BackupDays int
}

// Complete fills in the defaults and computes the settings. Its error lists
// everything that is wrong.
func (d Database) Complete() (Database, *postgrestuning.Model, error) {
	d.Connections = cmp.Or(d.Connections, postgrestuning.DefaultConnections)
	d.StorageGiB = cmp.Or(d.StorageGiB, defaultStorage)
	d.MostStorageGiB = cmp.Or(d.MostStorageGiB, min(5*d.StorageGiB, mostStorage))
	d.BackupDays = cmp.Or(d.BackupDays, storespec.MaxBackupDays)
	errs := []error{storespec.CheckIdentifier(d.Identifier), storespec.CheckDays("BackupDays", d.BackupDays, storespec.MinBackupDays)}
	if d.StorageGiB < leastStorage || d.StorageGiB > mostStorage {
		errs = append(errs, fmt.Errorf("StorageGiB is %d, must be %d to %d", d.StorageGiB, leastStorage, mostStorage))
	}
	// Storage grows by a tenth at least (RDS User Guide, "Managing capacity
	// automatically with Amazon RDS storage autoscaling").
	if 10*d.MostStorageGiB < 11*d.StorageGiB || d.MostStorageGiB > mostStorage {
		errs = append(errs, fmt.Errorf("MostStorageGiB is %d, must be a tenth more than StorageGiB %d, and at most %d", d.MostStorageGiB, d.StorageGiB, mostStorage))
	}
	model, err := d.tune()
	if errs = append(errs, err); errors.Join(errs...) != nil {
		return Database{}, nil, fmt.Errorf("database: %w", errors.Join(errs...))
	}
	return d, model, nil
}

func (d Database) tune() (*postgrestuning.Model, error) {
	class, err := postgrestuning.ClassOf(d.InstanceClass)
	if err != nil {
		return nil, err
	}
	return postgrestuning.New(postgrestuning.Inputs{Memory: class.Memory, Cores: class.Cores, Connections: d.Connections})
}

// ParameterGroup names the instance's parameter group. The name says nothing
// of sizes, so that another instance class changes values in place.
func (d Database) ParameterGroup() string { return d.Identifier + "-postgres" + Major }
