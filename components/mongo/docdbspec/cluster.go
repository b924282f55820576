// Package docdbspec checks the specification of a DocumentDB cluster and fills
// in its defaults. It is pure: it owns the rules of DocumentDB and of the
// platform; the resources are package mongo's.
package docdbspec

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/progressive-framework/platform/components/datastore/storespec"
)

const (
	// Version is DocumentDB's: the one that speaks MongoDB 5.0.
	Version = "5.0.0"
	// Family is that of its parameter groups.
	Family = "docdb5.0"
	// Port is that of MongoDB's protocol.
	Port = 27017

	// SlowOperation is the document's slowms (section "MongoDB Performance
	// Tuning"): what takes longer is recorded. Its profiling level 2 records
	// everything and is mended to this threshold.
	SlowOperation = 100 * time.Millisecond

	defaultInstances = 3  // one in each of three zones
	mostInstances    = 16 // DocumentDB Developer Guide, "Quotas"
)

var (
	// instanceClass is one of those of DocumentDB that the platform allows:
	// Graviton (Developer Guide, "Managing instance classes").
	instanceClass = regexp.MustCompile(`^db\.(t4g\.medium|r6g\.(large|([248]|12|16)?xlarge))$`)
)

// Cluster is the specification of a DocumentDB cluster. Zero values stand for
// what is safe.
type Cluster struct {
	// Identifier names the cluster: lower-case letters, digits and single
	// hyphens, a letter first.
	Identifier string
	// InstanceClass is db.t4g.medium or one of db.r6g.
	InstanceClass string
	// Instances, 1 to 16, are a writer and its readers, each of which can take
	// over; zero: 3.
	Instances int
	// BackupDays is how far back the cluster can be restored to any second, 7
	// to 35; zero: 35.
	BackupDays int
}

// Complete fills in the defaults. Its error lists everything that is wrong.
func (c Cluster) Complete() (Cluster, error) {
	c.Instances = cmp.Or(c.Instances, defaultInstances)
	c.BackupDays = cmp.Or(c.BackupDays, storespec.MaxBackupDays)
	errs := []error{storespec.CheckIdentifier(c.Identifier), storespec.CheckDays("BackupDays", c.BackupDays, storespec.MinBackupDays)}
	if !instanceClass.MatchString(c.InstanceClass) {
		errs = append(errs, fmt.Errorf("InstanceClass %q must be db.t4g.medium or db.r6g.large to db.r6g.16xlarge", c.InstanceClass))
	}
	if c.Instances < 1 || c.Instances > mostInstances {
		errs = append(errs, fmt.Errorf("Instances is %d, must be 1 to %d", c.Instances, mostInstances))
	}
	if err := errors.Join(errs...); err != nil {
		return Cluster{}, fmt.Errorf("cluster: %w", err)
	}
	return c, nil
}

// ParameterGroup names the cluster's parameter group.
func (c Cluster) ParameterGroup() string { return c.Identifier + "-docdb5" }

// Parameter is one line of a DocumentDB parameter group.
type Parameter struct {
	Name, Value string
	// Static ones wait for a reboot.
	Static bool
}

// Parameters force TLS, audit, and record slow operations (DocumentDB
// Developer Guide, "Amazon DocumentDB cluster parameters", for names, units
// and apply types).
func Parameters() []Parameter {
	return []Parameter{
		{Name: "tls", Value: "enabled", Static: true},
		{Name: "audit_logs", Value: "enabled"},
		{Name: "profiler", Value: "enabled"},
		{Name: "profiler_threshold_ms", Value: strconv.FormatInt(SlowOperation.Milliseconds(), 10)},
		{Name: "profiler_sampling_rate", Value: "1.0"},
	}
}
