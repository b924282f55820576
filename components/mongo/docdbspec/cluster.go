// Package docdbspec checks the specification of a DocumentDB cluster and fills in
// its defaults. It imports no SDK. It owns the rules of DocumentDB and of the platform.
// The resources are in package mongo.
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
	// Version is the DocumentDB version that is compatible with MongoDB 5.0.
	Version = "5.0.0"
	// Family is the family of the parameter groups of this version.
	Family = "docdb5.0"
	// Port is the port of MongoDB's protocol.
	Port = 27017

	// SlowOperation is the value of slowms in the design document (section "MongoDB
	// Performance Tuning"). The profiler records operations that take longer. The design
	// document's profiling level 2 would record every operation, so it is not used.
	SlowOperation = 100 * time.Millisecond

	defaultInstances = 3  // one in each of three zones
	maxInstances     = 16 // DocumentDB Developer Guide, "Quotas"
)

var (
	// instanceClassPattern matches the instance classes that the platform allows:
	// Graviton classes (Developer Guide, "Managing instance classes").
	instanceClassPattern = regexp.MustCompile(`^db\.(t4g\.medium|r6g\.(large|([248]|12|16)?xlarge))$`)
)

// Cluster is the specification of a DocumentDB cluster. Zero values mean safe
// defaults.
type Cluster struct {
	// Identifier is the name of the cluster: lower-case letters, digits and single
	// hyphens, a letter first.
	Identifier string
	// InstanceClass is db.t4g.medium, or a class of the family db.r6g.
	InstanceClass string
	// Instances is the number of instances, 1 to 16: one writer, and readers that
	// can replace it. Zero means 3.
	Instances int
	// BackupDays is the number of days for which backups are kept, 7 to 35. Point-in-time
	// recovery can go back this far. Zero means 35.
	BackupDays int
}

// Complete returns the cluster with its defaults. The returned error lists all errors together.
func (c Cluster) Complete() (Cluster, error) {
	c.Instances = cmp.Or(c.Instances, defaultInstances)
	c.BackupDays = cmp.Or(c.BackupDays, storespec.MaxBackupDays)
	errs := []error{storespec.CheckIdentifier(c.Identifier), storespec.CheckDays("BackupDays", c.BackupDays, storespec.MinBackupDays)}
	if !HasClass(c.InstanceClass) {
		errs = append(errs, fmt.Errorf("InstanceClass %q must be db.t4g.medium or db.r6g.large to db.r6g.16xlarge", c.InstanceClass))
	}
	if c.Instances < 1 || c.Instances > maxInstances {
		errs = append(errs, fmt.Errorf("Instances is %d, must be 1 to %d", c.Instances, maxInstances))
	}
	if err := errors.Join(errs...); err != nil {
		return Cluster{}, fmt.Errorf("cluster: %w", err)
	}
	return c, nil
}

// HasClass reports whether the platform allows an instance class.
func HasClass(name string) bool { return instanceClassPattern.MatchString(name) }

// ParameterGroup returns the name of the cluster's parameter group.
func (c Cluster) ParameterGroup() string { return c.Identifier + "-docdb5" }

// Parameter is one parameter of a DocumentDB parameter group.
type Parameter struct {
	Name, Value string
	// Default is the parameter's value in Family.
	Default string
	// Static parameters take effect after a reboot.
	Static bool
}

// Parameters returns the parameters that require TLS, write audit logs and record
// slow operations. Names, units and apply types are from the DocumentDB Developer
// Guide, "Amazon DocumentDB cluster parameters".
func Parameters() []Parameter {
	return []Parameter{
		{Name: "tls", Value: "enabled", Default: "enabled", Static: true},
		{Name: "audit_logs", Value: "enabled", Default: "disabled"},
		{Name: "profiler", Value: "enabled", Default: "disabled"},
		{Name: "profiler_threshold_ms", Value: strconv.FormatInt(SlowOperation.Milliseconds(), 10), Default: "100"},
		{Name: "profiler_sampling_rate", Value: "1.0", Default: "1.0"},
	}
}
