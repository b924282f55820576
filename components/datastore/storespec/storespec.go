// Package storespec owns the rules and defaults that all data stores share. It imports
// no SDK. The specification of each store is in its own package (rdsspec,
// elasticachespec, docdbspec).
package storespec

import (
	"fmt"
	"regexp"

	"github.com/progressive-framework/platform/components/size"
)

const (
	// DatabaseName is the design document's name of the platform's database, in
	// PostgreSQL (section "Performance Issue Diagnosis") and in MongoDB (section
	// "MongoDB Performance Tuning").
	DatabaseName = "progressive_framework_v5"
	// Owner is the user that owns the database. RDS also allows the name postgres, but an attacker
	// would guess that name first.
	Owner = "platform"

	// StorageClass is the storage class of the volumes of stores in the cluster
	// (section "Multi-Layer Caching Strategy").
	StorageClass = "fast-ssd"

	// MaxBackupDays is the longest retention of automated backups and snapshots
	// of RDS, DocumentDB and ElastiCache (RDS User Guide, "Backup retention
	// period").
	MaxBackupDays = 35
	// MinBackupDays is the platform's minimum for stores with point-in-time recovery. If an
	// error destroys data and is found within a week, the data can be restored.
	MinBackupDays = 7

	// maxIdentifierLength is the largest length of a replication group's identifier
	// (ElastiCache API, CreateReplicationGroup). RDS and DocumentDB allow 63
	// characters, enough for names that are derived from an identifier.
	maxIdentifierLength = 40
)

// DefaultVolumeSize returns the default size of an in-cluster store's volume. It is the size of a
// Redis node's volume in the design document.
func DefaultVolumeSize() size.Size { return size.GiB(20) }

// identifierPattern matches names that RDS, DocumentDB and ElastiCache all allow (RDS API,
// CreateDBInstance).
var identifierPattern = regexp.MustCompile(`^[a-z](-?[a-z0-9])*$`)

// CheckIdentifier returns an error for a name that RDS, DocumentDB or ElastiCache
// refuses.
func CheckIdentifier(name string) error {
	if !identifierPattern.MatchString(name) || len(name) > maxIdentifierLength {
		return fmt.Errorf("Identifier %q must be 1 to %d lower-case letters, digits and single hyphens, a letter first", name, maxIdentifierLength)
	}
	return nil
}

// CheckDays returns an error for a retention of less than minDays or more than
// MaxBackupDays days. field is the name of the retention in the error.
func CheckDays(field string, days, minDays int) error {
	if days < minDays || days > MaxBackupDays {
		return fmt.Errorf("%s is %d, must be %d to %d", field, days, minDays, MaxBackupDays)
	}
	return nil
}
