package storespec

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// snapshotNamePattern matches the names of snapshots. Those of AWS Backup begin with "awsbackup:".
var snapshotNamePattern = regexp.MustCompile(`^(awsbackup:)?[A-Za-z](-?[0-9A-Za-z])*$`)

// The prefixes of the names of automatic snapshots. Databases are those of RDS and DocumentDB, and
// caches are those of ElastiCache.
const (
	AutomaticDatabasePrefix = "rds:"
	AutomaticCachePrefix    = "automatic."
)

// maxSnapshotNameLength is the largest length of a snapshot's name (RDS API, CreateDBSnapshot).
const maxSnapshotNameLength = 255

// CheckSnapshotName checks the name of a snapshot from which a store is created.
// automaticPrefix is the beginning of the names of the store's automatic snapshots.
// CheckSnapshotName refuses the ARN of a snapshot of another account, because that account owns
// the snapshot's key.
func CheckSnapshotName(name, automaticPrefix string) error {
	if len(name) > maxSnapshotNameLength || !snapshotNamePattern.MatchString(strings.TrimPrefix(name, automaticPrefix)) {
		return errors.New("must be the name of a snapshot of the stack's account and region, such as platform-before-release; copy a snapshot of another account first")
	}
	return nil
}

// Snapshot has the properties that AWS returns for a snapshot.
type Snapshot struct {
	Name, Engine, Version string
	// StorageGiB is the size of the snapshotted storage, or 0 if the engine has no fixed
	// size.
	StorageGiB int
	Encrypted  bool
}

// Store is a store that Pulumi will create from a snapshot.
type Store struct {
	Engine string
	// Version is the store's version. The snapshot must have this version, or a minor version
	// of it.
	Version string
	// StorageGiB is the size of the store's storage, or 0 if the engine has no fixed
	// size.
	StorageGiB int
}

// Check returns an error with every reason why the store can't be created from the snapshot.
func (s Snapshot) Check(store Store) error {
	var errs []error
	if s.Engine != store.Engine {
		errs = append(errs, fmt.Errorf("is of engine %s, must be of %s", s.Engine, store.Engine))
	} else if s.Version != store.Version && !strings.HasPrefix(s.Version, store.Version+".") {
		errs = append(errs, fmt.Errorf("is of version %s, must be of %s: restore it into a store of its own version, upgrade that, and take another snapshot", s.Version, store.Version))
	}
	if s.StorageGiB > store.StorageGiB {
		errs = append(errs, fmt.Errorf("has %d GiB of storage, which can't shrink to %d: set storageGiB to %d or more", s.StorageGiB, store.StorageGiB, s.StorageGiB))
	}
	if !s.Encrypted {
		errs = append(errs, errors.New("is not encrypted, and the store would not be: copy it with a KMS key"))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("snapshot %s: %w", s.Name, err)
	}
	return nil
}
