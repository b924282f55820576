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
// value of its family. For every other parameter it returns "immediate" (RDS API, Parameter).
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

// File returns the settings as lines of a postgresql.conf. archiveCommand is the
// archive_command, in which %p is the path of the WAL segment and %f its name.
// An empty archiveCommand turns archiving off.
func (m *Model) File(archiveCommand string) string {
	var b strings.Builder
	for _, s := range m.serverSettings(archiveCommand) {
		fmt.Fprintf(&b, "%s = %s\n", s.name, s.conf)
	}
	return b.String()
}

// AlterSystem returns the settings as statements for a running server. Static
// settings take effect after a restart. archiveCommand is the archive_command, as in
// File.
func (m *Model) AlterSystem(archiveCommand string) []string {
	var statements []string
	for _, s := range m.serverSettings(archiveCommand) {
		statements = append(statements, fmt.Sprintf("ALTER SYSTEM SET %s = %s;", s.name, s.conf))
	}
	return statements
}

// serverSettings returns the settings of a server in the cluster. An empty archiveCommand turns
// archiving off.
func (m *Model) serverSettings(archiveCommand string) []setting {
	var settings []setting
	for _, s := range m.settings {
		if s.target != rdsOnly {
			settings = append(settings, s)
		}
	}
	if archiveCommand != "" {
		settings = append(settings, archiveMode.withValue(true), archiveCommandParameter.withValue(archiveCommand))
	}
	return settings
}
