package postgrestuning

import (
	"fmt"
	"strings"

	"github.com/progressive-framework/platform/components/datastore/storespec"
)

// RDSParameter is one parameter of an RDS parameter group. Its fields are not
// exported, so that callers can't change its unit or its apply method.
type RDSParameter struct{ setting setting }

// Name returns the name of the parameter.
func (p RDSParameter) Name() string { return p.setting.name }

// Value returns the value in the unit of pg_settings (blocks of 8 kB, kB or ms), without the
// name of the unit.
func (p RDSParameter) Value() string { return p.setting.rdsValue }

// ApplyMethod returns "pending-reboot" for a static parameter and for one that has the default
// value of its family, and "immediate" for every other parameter (RDS API, Parameter).
func (p RDSParameter) ApplyMethod() string {
	return storespec.ApplyMethod(p.Value(), familyDefaults[p.Name()], p.setting.apply == static)
}

// RDS returns the parameters of an RDS parameter group, without those that RDS controls.
func (m *Model) RDS() []RDSParameter {
	var parameters []RDSParameter
	for _, s := range m.settings {
		if s.target != inClusterOnly {
			parameters = append(parameters, RDSParameter{s})
		}
	}
	return parameters
}

// File returns the settings as lines of a postgresql.conf. archive is the
// archive_command, in which %p is the path of the WAL segment and %f its name.
// An empty archive turns archiving off.
func (m *Model) File(archive string) string {
	var b strings.Builder
	for _, s := range m.serverSettings(archive) {
		fmt.Fprintf(&b, "%s = %s\n", s.name, s.conf)
	}
	return b.String()
}

// AlterSystem returns the settings as statements for a running server. Static
// settings take effect after a restart. archive is the archive_command, as in
// File.
func (m *Model) AlterSystem(archive string) []string {
	var statements []string
	for _, s := range m.serverSettings(archive) {
		statements = append(statements, fmt.Sprintf("ALTER SYSTEM SET %s = %s;", s.name, s.conf))
	}
	return statements
}

// serverSettings returns the settings of a server in the cluster.
func (m *Model) serverSettings(archive string) []setting {
	var settings []setting
	for _, s := range m.settings {
		if s.target != rdsOnly {
			settings = append(settings, s)
		}
	}
	if archive != "" {
		settings = append(settings, archiveMode.set(true), archiveCommandParameter.set(archive))
	}
	return settings
}
