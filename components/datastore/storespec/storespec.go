// Package storespec owns the rules and defaults that the specifications of all
// data stores have in common. It is pure; the specification of each store is in
// a package of its own (rdsspec, elasticachespec, docdbspec).
package storespec

import (
	"fmt"
	"regexp"

	"github.com/progressive-framework/platform/components/size"
)

const (
	// DatabaseName is the document's name of the platform's database, in
	// PostgreSQL (section "Performance Issue Diagnosis") and in MongoDB (section
	// "MongoDB Performance Tuning").
	DatabaseName = "progressive_framework_v5"
	// Owner is the user that owns it. RDS would allow postgres too, which is the
	// first name that anybody guesses.
	Owner = "platform"

	// StorageClass is the storage class of the volumes of stores in the cluster
	// (section "Multi-Layer Caching Strategy").
	StorageClass = "fast-ssd"

	// MaxBackupDays is the longest retention of automated backups and snapshots
	// of RDS, DocumentDB and ElastiCache (RDS User Guide, "Backup retention
	// period").
	MaxBackupDays = 35
	// MinBackupDays is the platform's shortest retention of a store that can be
	// restored to any second: a fault of a week ago is still mended.
	MinBackupDays = 7

	// maxIdentifier is the longest identifier of a replication group
	// (ElastiCache API, CreateReplicationGroup). RDS and DocumentDB allow 63, so
	// that names derived from an identifier fit there.
	maxIdentifier = 40
)

// Volume is the size of the volume of a store in the cluster: the document's
// for a Redis node.
func Volume() size.Size { return size.GiB(20) }

// identifier is the form that all three services allow (RDS API,
// CreateDBInstance).
var identifier = regexp.MustCompile(`^[a-z](-?[a-z0-9])*$`)

// CheckIdentifier returns an error for a name that one of the services refuses.
func CheckIdentifier(name string) error {
	if !identifier.MatchString(name) || len(name) > maxIdentifier {
		return fmt.Errorf("Identifier %q must be 1 to %d lower-case letters, digits and single hyphens, a letter first", name, maxIdentifier)
	}
	return nil
}

// CheckDays returns an error for a retention, in days, that is not least to
// MaxBackupDays; field names it.
func CheckDays(field string, days, least int) error {
	if days < least || days > MaxBackupDays {
		return fmt.Errorf("%s is %d, must be %d to %d", field, days, least, MaxBackupDays)
	}
	return nil
}
