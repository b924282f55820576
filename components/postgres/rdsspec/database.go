// Package rdsspec checks the specification of an RDS database and fills in its
// defaults. It imports no SDK. It owns the rules of RDS and of the platform. The resources
// are in package postgres.
package rdsspec

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
)

// Major is the major version of PostgreSQL. It is the newest version on RDS in which every setting
// has the same unit and apply mode as in the server of the tests. In version 18,
// autovacuum_max_workers is dynamic and log_connections is a list.
const Major = "17"

const (
	// Port is the port of PostgreSQL.
	Port = 5432

	// Storage in GiB. defaultStorage is the platform's choice.
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
	// InstanceClass is a class such as "db.m7g.2xlarge". Package postgrestuning has the
	// allowed classes.
	InstanceClass string
	// Connections is max_connections. Zero means 200, as in the design document.
	Connections int
	// ActiveQueries is the number of queries that may run at the same time. More queries
	// mean a smaller work_mem. Zero means the number of the class's cores.
	ActiveQueries int
	// StorageGiB is the initial storage, 20 to 65,536. Zero means 100. RDS increases the storage up
	// to MaxAllocatedStorageGiB. A MaxAllocatedStorageGiB of zero means five times StorageGiB.
	StorageGiB, MaxAllocatedStorageGiB int
	// BackupDays is the number of days for which backups are kept, 7 to 35. Point-in-time
	// recovery can go back this far. Zero means 35.
	BackupDays int
}

// Complete returns the database with its defaults, and the model that computes its parameters. The
// error joins the errors of all fields.
func (d Database) Complete() (Database, *postgrestuning.Model, error) {
	d.Connections = cmp.Or(d.Connections, postgrestuning.DefaultConnections)
	d.StorageGiB = cmp.Or(d.StorageGiB, defaultStorage)
	d.MaxAllocatedStorageGiB = cmp.Or(d.MaxAllocatedStorageGiB, min(5*d.StorageGiB, maxStorage))
	d.BackupDays = cmp.Or(d.BackupDays, storespec.MaxBackupDays)
	errs := []error{storespec.CheckIdentifier(d.Identifier), storespec.CheckDays("BackupDays", d.BackupDays, storespec.MinBackupDays)}
	if d.StorageGiB < minStorage || d.StorageGiB > maxStorage {
		errs = append(errs, fmt.Errorf("StorageGiB is %d, must be %d to %d", d.StorageGiB, minStorage, maxStorage))
	}
	// RDS increases storage by at least a tenth (RDS User Guide, "Managing capacity
	// automatically with Amazon RDS storage autoscaling").
	if 10*d.MaxAllocatedStorageGiB < 11*d.StorageGiB || d.MaxAllocatedStorageGiB > maxStorage {
		errs = append(errs, fmt.Errorf("MaxAllocatedStorageGiB is %d, must be at least a tenth more than StorageGiB %d, and at most %d", d.MaxAllocatedStorageGiB, d.StorageGiB, maxStorage))
	}
	model, err := d.tuningModel()
	if err := errors.Join(append(errs, err)...); err != nil {
		return Database{}, nil, fmt.Errorf("database: %w", err)
	}
	return d, model, nil
}

// tuningModel computes the settings for the memory and cores of the instance class.
func (d Database) tuningModel() (*postgrestuning.Model, error) {
	class, err := postgrestuning.LookupClass(d.InstanceClass)
	if err != nil {
		return nil, err
	}
	return postgrestuning.New(postgrestuning.Inputs{Memory: class.Memory, Cores: class.Cores, Connections: d.Connections, ActiveQueries: d.ActiveQueries})
}

// ClassChangeWarning returns a warning if the change to the instance class waits for the
// maintenance window. running is the class that the database has in RDS. ClassChangeWarning returns
// "" if running is already d.InstanceClass.
func (d Database) ClassChangeWarning(running, window string) string {
	if running == d.InstanceClass {
		return ""
	}
	return fmt.Sprintf("RDS runs %s as %s, and changes it to %s in the maintenance window %s UTC: set applyImmediately to change it at once, "+
		"which interrupts the database", d.Identifier, running, d.InstanceClass, window)
}

// ModelWhileRunning returns the settings while a change of the instance class waits for the
// maintenance window. running is the class that the database has until then. The settings are those
// of the class with less memory, which fit into both classes. So a restart before the window does
// no harm. d must be complete.
func (d Database) ModelWhileRunning(running string) (*postgrestuning.Model, error) {
	runningClass, runningErr := postgrestuning.LookupClass(running) // fails for a class that the platform no longer offers
	wantedClass, wantedErr := postgrestuning.LookupClass(d.InstanceClass)
	if runningErr == nil && wantedErr == nil && runningClass.Memory.Bytes() < wantedClass.Memory.Bytes() {
		d.InstanceClass = running
	}
	_, model, err := d.Complete()
	return model, err
}

// ParameterGroup returns the name of the instance's parameter group. The name does not depend on
// the instance class, so that a change of the class updates the values in place. With a new
// group, the new values would take effect only at a reboot without failover (RDS API,
// ModifyDBInstance, DBParameterGroupName). A change of the class does not cause such a reboot.
func (d Database) ParameterGroup() string { return d.Identifier + "-postgres" + Major }
