// Package pgroles owns the services' roles in PostgreSQL: their privileges, their
// connection limits and their logins. Package pgschema owns the tables. Apply runs as
// the owner of the database, which is the only user with more privileges.
//
// Each service has a group role. The group role has the privileges and cannot log in.
// The service logs in with a login role, which is a member of the group role. Apply
// changes the server to exactly this state. So it also revokes privileges that a person
// has granted.
package pgroles

import (
	"fmt"
	"slices"
)

// schema is the schema of every table.
const schema = "public"

// grant is a list of privileges of a role on a table, or on some of its columns.
type grant struct {
	table      string
	privileges []string
	columns    []string // empty: the whole table
}

// service is the group role of a service.
type service struct {
	name   string
	grants []grant
	groups []string // the predefined roles of PostgreSQL that the group role is a member of
}

// services are the group roles. A privilege is listed only if a statement of package
// database needs it, and a test checks that. A service without UPDATE on a table cannot
// change the rows of this table. No service may delete rows.
var services = []service{
	{name: "web", grants: []grant{
		{"users", []string{"SELECT"}, nil},
		{"users", []string{"INSERT"}, []string{"id", "display_name", "profile", "preferences"}},
		// The column active is not listed, because web must not activate a user again. id
		// is listed, because the upsert sets it to its current value.
		{"users", []string{"UPDATE"}, []string{"id", "display_name", "profile", "preferences", "updated_at"}},
	}},
	{name: "mca", grants: []grant{
		{"agent_states", []string{"SELECT", "INSERT", "UPDATE"}, nil},
		{"agent_coordination", []string{"SELECT", "INSERT"}, nil},
	}},
	{name: "npa", grants: planningAgentGrants("nutrition_plans")},
	{name: "wpa", grants: planningAgentGrants("workout_plans")},
	// The exporter reads the server's statistics, but no rows of tables.
	{name: Exporter, groups: []string{"pg_monitor"}},
}

// Exporter is the role that reads the metrics of the server.
const Exporter = "exporter"

// planningAgentGrants returns the grants of a planning agent. The agent saves its plans, and
// inserts the id of a user that does not exist yet. It needs SELECT on the column id,
// because ON CONFLICT (id) reads it.
func planningAgentGrants(table string) []grant {
	return []grant{
		{table, []string{"SELECT", "INSERT"}, nil},
		{"users", []string{"SELECT", "INSERT"}, []string{"id"}},
	}
}

// GroupRoles returns the names of the group roles. Each service has one.
func GroupRoles() []string {
	var names []string
	for _, s := range services {
		names = append(names, s.name)
	}
	return names
}

// iamSuffix is the end of the name of a role that logs in with an IAM token.
const iamSuffix = "_iam"

// iamGroup is RDS's role for users that log in with an IAM token (RDS User
// Guide, "Creating a database account using IAM authentication").
const iamGroup = "rds_iam"

// PasswordLogin returns the name of the role that logs in with the password of a
// generation. A service has two such roles. The first role has the passwords of even
// generations, the second role those of odd generations. So a new password does not
// replace the password of the running pods.
func PasswordLogin(name string, generation int) string {
	return name + []string{"_a", "_b"}[generation%2]
}

// noConnectionLimit is PostgreSQL's value for a role without a connection limit. New roles have it.
const noConnectionLimit = -1

// role is the wanted state of a role.
type role struct {
	name        string
	login       bool
	connections int      // the connection limit, or noConnectionLimit
	password    string   // empty means none
	groups      []string // the roles that this role is a member of
}

// readWantedRoles returns the wanted state of every group role and login role. It reads the
// passwords from their files.
func (c Config) readWantedRoles() ([]role, error) {
	var wanted []role
	for _, s := range services {
		wanted = append(wanted, role{name: s.name, connections: noConnectionLimit, groups: s.groups})
		login := role{login: true, connections: c.Connections[s.name], groups: []string{s.name}}
		if c.IAM {
			login.name, login.groups = s.name+iamSuffix, append(login.groups, iamGroup)
			wanted = append(wanted, login)
			continue
		}
		for _, generation := range c.generations() {
			password, err := c.readPassword(s.name, generation)
			if err != nil {
				return nil, fmt.Errorf("read password %d of role %s: %w", generation, s.name, err)
			}
			login.name, login.password = PasswordLogin(s.name, generation), password
			wanted = append(wanted, login)
		}
	}
	return wanted, nil
}

// generations returns the generations with valid passwords.
func (c Config) generations() []int {
	if c.Generation == 0 {
		return []int{0}
	}
	return []int{c.Generation - 1, c.Generation}
}

// wantedPrivileges returns the privileges of the services' roles in a database.
func wantedPrivileges(database string) []privilege {
	var privileges []privilege
	for _, s := range services {
		privileges = append(privileges,
			privilege{Kind: "DATABASE", Object: database, Name: "CONNECT", Grantee: s.name},
			privilege{Kind: "SCHEMA", Object: schema, Name: "USAGE", Grantee: s.name})
		for _, g := range s.grants {
			for _, name := range g.privileges {
				privileges = append(privileges, g.privilegesFor(s.name, name)...)
			}
		}
	}
	slices.SortFunc(privileges, privilege.compare)
	return privileges
}

// privilegesFor returns the privilege of this name for the grantee: one for the whole
// table, or one for each column of the grant.
func (g grant) privilegesFor(grantee, name string) []privilege {
	table := privilege{Kind: "TABLE", Object: schema + "." + g.table, Name: name, Grantee: grantee}
	if len(g.columns) == 0 {
		return []privilege{table}
	}
	var columnPrivileges []privilege
	for _, column := range g.columns {
		p := table
		p.Kind, p.Column = "COLUMN", column
		columnPrivileges = append(columnPrivileges, p)
	}
	return columnPrivileges
}
