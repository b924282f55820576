package postgrestuning

import (
	"fmt"
	"strings"
)

// RDSParameter is one line of an RDS parameter group. Its fields are closed:
// unit and apply method follow from the parameter.
type RDSParameter struct{ setting setting }

// Name is the parameter's.
func (p RDSParameter) Name() string { return p.setting.name }

// Value is in the unit of pg_settings, without its name: 8 kB pages, kB, ms.
func (p RDSParameter) Value() string { return p.setting.counted }

// ApplyMethod is "immediate" for dynamic parameters and "pending-reboot" for
// static ones (RDS API, Parameter).
func (p RDSParameter) ApplyMethod() string {
	if p.setting.when == static {
		return "pending-reboot"
	}
	return "immediate"
}

// RDS renders the parameter group of an RDS instance, without what RDS keeps
// to itself.
func (m *Model) RDS() []RDSParameter {
	var parameters []RDSParameter
	for _, s := range m.settings {
		if s.where != ownServer {
			parameters = append(parameters, RDSParameter{s})
		}
	}
	return parameters
}

// File renders the settings as lines of a postgresql.conf. WAL is archived by
// the command given, in which %p is the segment's path and %f its name; empty:
// not at all.
func (m *Model) File(archive string) string {
	var b strings.Builder
	for _, s := range m.own(archive) {
		fmt.Fprintf(&b, "%s = %s\n", s.name, s.conf)
	}
	return b.String()
}

// AlterSystem renders the settings as statements for a running server; the
// static ones wait for its restart. The command is File's.
func (m *Model) AlterSystem(archive string) []string {
	var statements []string
	for _, s := range m.own(archive) {
		statements = append(statements, fmt.Sprintf("ALTER SYSTEM SET %s = %s;", s.name, s.conf))
	}
	return statements
}

func (m *Model) own(archive string) []setting {
	var settings []setting
	for _, s := range m.settings {
		if s.where != rdsOnly {
			settings = append(settings, s)
		}
	}
	if archive != "" {
		settings = append(settings, archiveMode.is(true), archiveCommand.is(archive))
	}
	return settings
}
