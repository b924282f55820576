// Package rdsspec checks the specification of an RDS database and fills in its
// defaults. It is pure. It owns the rules of RDS and of the platform. The resources
// are in package postgres.
package rdsspec

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
)

// Major is the major version of PostgreSQL. It is the newest on RDS in which every
// setting of the model has the same unit and apply mode as in the tested server.
// In version 18, autovacuum_max_workers is dynamic and log_connections is a list.
const Major = "17"

const (
	// Port is the port of PostgreSQL.
	Port = 5432

	defaultStorage = 100
	minStorage     = 20 // RDS User Guide, "Amazon RDS DB instance storage": gp3
	maxStorage     = 65536
)

// Database is the specification of an RDS instance. Zero values mean safe
// defaults.
type Database struct {
	// Identifier is the name of the instance: lower-case letters, digits and single
	// hyphens, a letter first.
	Identifier string
	// InstanceClass is a class such as "db.m7g.2xlarge". Package postgrestuning has
	// the allowed ones.
	InstanceClass string
	// Connections is max_connections. Zero means the document's 200.
	Connections int
	// ActiveQueries is how many queries may run at once, by which work_mem is bounded. Zero
	// means as many as the class has cores.
	ActiveQueries int
	// StorageGiB is the initial storage, 20 to 65,536. Zero means 100. RDS
	// increases it up to MostStorageGiB. Zero there means five times StorageGiB.
	StorageGiB, MostStorageGiB int
	// BackupDays is for how many days back the database can be restored to any
	// second, 7 to 35. Zero means 35.
	BackupDays int
}

// Complete fills in the defaults and computes the settings. Its error lists all
// errors at once.
func (d Database) Complete() (Database, *postgrestuning.Model, error) {
	d.Connections = cmp.Or(d.Connections, postgrestuning.DefaultConnections)
	d.StorageGiB = cmp.Or(d.StorageGiB, defaultStorage)
	d.MostStorageGiB = cmp.Or(d.MostStorageGiB, min(5*d.StorageGiB, maxStorage))
	d.BackupDays = cmp.Or(d.BackupDays, storespec.MaxBackupDays)
	errs := []error{storespec.CheckIdentifier(d.Identifier), storespec.CheckDays("BackupDays", d.BackupDays, storespec.MinBackupDays)}
	if d.StorageGiB < minStorage || d.StorageGiB > maxStorage {
		errs = append(errs, fmt.Errorf("StorageGiB is %d, must be %d to %d", d.StorageGiB, minStorage, maxStorage))
	}
	// RDS increases storage by at least a tenth (RDS User Guide, "Managing capacity
	// automatically with Amazon RDS storage autoscaling").
	if 10*d.MostStorageGiB < 11*d.StorageGiB || d.MostStorageGiB > maxStorage {
		errs = append(errs, fmt.Errorf("MostStorageGiB is %d, must be at least a tenth more than StorageGiB %d, and at most %d", d.MostStorageGiB, d.StorageGiB, maxStorage))
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
	return postgrestuning.New(postgrestuning.Inputs{Memory: class.Memory, Cores: class.Cores, Connections: d.Connections, ActiveQueries: d.ActiveQueries})
}

// WaitingClass says that the instance class waits for the maintenance window of a database that
// runs another class. It is empty if the class runs.
func (d Database) WaitingClass(running, window string) string {
	if running == d.InstanceClass {
		return ""
	}
	return fmt.Sprintf("RDS runs %s as %s, and changes it to %s in the maintenance window %s UTC: set applyImmediately to change it at once, "+
		"which interrupts the database", d.Identifier, running, d.InstanceClass, window)
}

// While returns the settings of a complete database that runs another class until its
// maintenance window: those of the class with less memory. They fit both, so a restart before
// the window does no harm.
func (d Database) While(running string) (*postgrestuning.Model, error) {
	now, nowErr := postgrestuning.ClassOf(running) // an error: a class that the platform no longer offers
	wanted, wantedErr := postgrestuning.ClassOf(d.InstanceClass)
	if nowErr == nil && wantedErr == nil && now.Memory.Bytes() < wanted.Memory.Bytes() {
		d.InstanceClass = running
	}
	_, model, err := d.Complete()
	return model, err
}

// ParameterGroup returns the name of the instance's parameter group. The name does
// not depend on the instance class, so that another class changes the values in
// place. RDS would give another group to the instance at a reboot without failover only (RDS
// API, ModifyDBInstance, DBParameterGroupName), which a change of the class is not.
func (d Database) ParameterGroup() string { return d.Identifier + "-postgres" + Major }
