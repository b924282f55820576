// Package pgroles owns the PostgreSQL roles of the services: which exist, what each may
// do, how many connections each may open, and how each logs in. pgschema owns the
// tables. Apply runs as the owner of the database. Only the owner may do more than the
// services.
//
// Each service has a group role without login, which has its privileges. It also has a
// role for each way to log in, which is a member of the group role. Apply changes the
// server to exactly this state, so it also revokes privileges that were granted by hand.
package pgroles

import (
	"fmt"
	"slices"
)

// schema is the schema of every table.
const schema = "public"

// grant is what a role may do with a table, or with some of its columns.
type grant struct {
	table      string
	privileges []string
	columns    []string // empty: the whole table
}

// service is a role and its privileges. groups are the predefined roles that it is a
// member of.
type service struct {
	name   string
	grants []grant
	groups []string
}

// services are the roles of the programs that connect. A privilege is listed only if a
// statement of package database needs it, which a test checks. Tables without UPDATE
// are append-only. Nobody may DELETE.
var services = []service{
	{name: "web", grants: []grant{
		{"users", []string{"SELECT"}, nil},
		{"users", []string{"INSERT"}, []string{"id", "display_name", "profile", "preferences"}},
		// active is missing, because web must not activate a user again. id is in the
		// list, because the upsert sets it to its own value.
		{"users", []string{"UPDATE"}, []string{"id", "display_name", "profile", "preferences", "updated_at"}},
	}},
	{name: "mca", grants: []grant{
		{"agent_states", []string{"SELECT", "INSERT", "UPDATE"}, nil},
		{"agent_coordination", []string{"SELECT", "INSERT"}, nil},
	}},
	{name: "npa", grants: planGrants("nutrition_plans")},
	{name: "wpa", grants: planGrants("workout_plans")},
	// The reader of the database's metrics sees statistics and no rows.
	{name: Exporter, groups: []string{"pg_monitor"}},
}

// Exporter is the role that reads the metrics of the server.
const Exporter = "exporter"

// planGrants returns the grants of a planning agent: its plans, and the id of a user
// that does not exist yet. ON CONFLICT (id) reads the id.
func planGrants(table string) []grant {
	return []grant{
		{table, []string{"SELECT", "INSERT"}, nil},
		{"users", []string{"SELECT", "INSERT"}, []string{"id"}},
	}
}

// Names returns the names of the roles, one for each program that connects.
func Names() []string {
	var names []string
	for _, s := range services {
		names = append(names, s.name)
	}
	return names
}

// iamSuffix is the end of the name of a role that logs in with an IAM token.
const iamSuffix = "_iam"

// iamGroup is RDS's role whose members log in with an IAM token (RDS User Guide,
// "Creating a database account using IAM authentication").
const iamGroup = "rds_iam"

// PasswordLogin returns the role that logs in with the password of a generation. Two
// roles take turns. So the password of the running pods stays valid while the next
// password is introduced.
func PasswordLogin(name string, generation int) string {
	return name + []string{"_a", "_b"}[generation%2]
}

// role is the wanted state of a role.
type role struct {
	name        string
	login       bool
	connections int    // at most; -1: no limit
	password    string // empty: none
	groups      []string
}

// roles returns the wanted state of every role. The error names a password that can't
// be read.
func (c Config) roles() ([]role, error) {
	var all []role
	for _, s := range services {
		all = append(all, role{name: s.name, connections: -1, groups: s.groups})
		login := role{login: true, connections: c.Connections[s.name], groups: []string{s.name}}
		if c.IAM {
			login.name, login.groups = s.name+iamSuffix, append(login.groups, iamGroup)
			all = append(all, login)
			continue
		}
		for _, generation := range c.generations() {
			password, err := c.password(s.name, generation)
			if err != nil {
				return nil, fmt.Errorf("password %d of role %s: %w", generation, s.name, err)
			}
			login.name, login.password = PasswordLogin(s.name, generation), password
			all = append(all, login)
		}
	}
	return all, nil
}

// generations are the generations whose passwords are valid.
func (c Config) generations() []int {
	if c.Generation == 0 {
		return []int{0}
	}
	return []int{c.Generation - 1, c.Generation}
}

// privileges returns the wanted privileges of the services' roles in a database.
func privileges(database string) []privilege {
	var all []privilege
	for _, s := range services {
		all = append(all,
			privilege{Kind: "DATABASE", Object: database, Name: "CONNECT", Grantee: s.name},
			privilege{Kind: "SCHEMA", Object: schema, Name: "USAGE", Grantee: s.name})
		for _, g := range s.grants {
			for _, name := range g.privileges {
				all = append(all, g.privilegesFor(s.name, name)...)
			}
		}
	}
	slices.SortFunc(all, privilege.compare)
	return all
}

func (g grant) privilegesFor(grantee, name string) []privilege {
	table := privilege{Kind: "TABLE", Object: schema + "." + g.table, Name: name, Grantee: grantee}
	if len(g.columns) == 0 {
		return []privilege{table}
	}
	var all []privilege
	for _, column := range g.columns {
		one := table
		one.Kind, one.Column = "COLUMN", column
		all = append(all, one)
	}
	return all
}
