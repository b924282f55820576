package pgroles

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// attributes has the properties of a role that the server's catalog stores.
type attributes struct {
	Name        string
	Marked      bool // the role has the comment marker
	Login       bool
	Connections int
	// Corrections are the options of ALTER ROLE that remove the role's dangerous attributes,
	// such as NOSUPERUSER.
	Corrections []string
	// Settings are the role's settings, such as search_path=public.
	Settings []string
	// OwnedObjects is the number of objects that the role owns.
	OwnedObjects int
}

// existingQuery lists the roles with the names $1, and the roles with the comment $2.
const existingQuery = `
SELECT rolname::text, shobj_description(oid, 'pg_authid') IS NOT DISTINCT FROM $2, rolcanlogin, rolconnlimit,
  array_remove(ARRAY[
    CASE WHEN rolsuper THEN 'NOSUPERUSER' END, CASE WHEN rolcreaterole THEN 'NOCREATEROLE' END,
    CASE WHEN rolcreatedb THEN 'NOCREATEDB' END, CASE WHEN rolreplication THEN 'NOREPLICATION' END,
    CASE WHEN rolbypassrls THEN 'NOBYPASSRLS' END, CASE WHEN NOT rolinherit THEN 'INHERIT' END], NULL),
  coalesce(rolconfig, '{}'),
  (SELECT count(*)::int FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = pg_roles.oid AND deptype = 'o')
FROM pg_roles WHERE rolname = ANY ($1) OR shobj_description(oid, 'pg_authid') = $2
ORDER BY rolname`

// readExistingRoles returns the wanted roles that exist, and the roles that this package has
// created before.
func readExistingRoles(ctx context.Context, tx pgx.Tx, wanted []role) ([]attributes, error) {
	var names []string
	for _, r := range wanted {
		names = append(names, r.name)
	}
	rows, err := tx.Query(ctx, existingQuery, names, marker)
	if err != nil {
		return nil, fmt.Errorf("read the roles: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[attributes])
	if err != nil {
		return nil, fmt.Errorf("read the roles: %w", err)
	}
	for _, f := range found {
		switch {
		case !f.Marked:
			return nil, fmt.Errorf("role %s exists, and migrate has not created it: rename it, or give it the comment %q to let migrate manage it", f.Name, marker)
		case f.OwnedObjects > 0:
			return nil, fmt.Errorf("role %s owns %d objects, must own none: run REASSIGN OWNED BY %s TO CURRENT_USER", f.Name, f.OwnedObjects, quote(f.Name))
		}
	}
	return found, nil
}

// createRole creates a role without login, and marks it.
func createRole(ctx context.Context, tx pgx.Tx, r role, log *slog.Logger) error {
	if err := execAndLog(ctx, tx, log, "CREATE ROLE "+quote(r.name)+" NOLOGIN"); err != nil {
		return err
	}
	return execAndLog(ctx, tx, log, "COMMENT ON ROLE "+quote(r.name)+" IS '"+marker+"'")
}

// alterRole changes the attributes and settings of a role that differ from the wanted ones.
// It does not write the other attributes, because some attributes may only be written by
// a superuser, even without a change.
func alterRole(ctx context.Context, tx pgx.Tx, r role, current attributes, log *slog.Logger) error {
	options := current.Corrections
	if r.login && !current.Login {
		options = append(options, "LOGIN")
	}
	if !r.login && current.Login {
		options = append(options, "NOLOGIN")
	}
	if r.connections != current.Connections {
		options = append(options, fmt.Sprintf("CONNECTION LIMIT %d", r.connections))
	}
	var clauses []string // each is one statement ALTER ROLE
	if len(options) > 0 {
		clauses = append(clauses, strings.Join(options, " "))
	}
	var settings []string
	if r.login {
		settings = []string{"search_path=" + schema}
	}
	if !slices.Equal(settings, current.Settings) {
		if len(current.Settings) > 0 {
			clauses = append(clauses, "RESET ALL")
		}
		if r.login {
			clauses = append(clauses, "SET search_path = "+schema)
		}
	}
	for _, clause := range clauses {
		if err := execAndLog(ctx, tx, log, "ALTER ROLE "+quote(r.name)+" "+clause); err != nil {
			return err
		}
	}
	return nil
}

// membership means that the role Member is a member of the role Group.
type membership struct{ Group, Member string }

// membershipQuery lists the memberships of the roles with the names $1.
const membershipQuery = `
SELECT g.rolname::text, m.rolname::text FROM pg_auth_members a
JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member WHERE m.rolname = ANY ($1) ORDER BY 1, 2`

// applyMemberships makes the roles members of their groups and of no others.
func applyMemberships(ctx context.Context, tx pgx.Tx, names []string, roles []role, log *slog.Logger) error {
	var wanted []membership
	for _, r := range roles {
		for _, group := range r.groups {
			wanted = append(wanted, membership{group, r.name})
		}
	}
	rows, err := tx.Query(ctx, membershipQuery, names)
	if err != nil {
		return fmt.Errorf("read the memberships: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[membership])
	if err != nil {
		return fmt.Errorf("read the memberships: %w", err)
	}
	for _, m := range difference(found, wanted) {
		if err := execAndLog(ctx, tx, log, "REVOKE "+quote(m.Group)+" FROM "+quote(m.Member)); err != nil {
			return err
		}
	}
	for _, m := range difference(wanted, found) {
		if err := execAndLog(ctx, tx, log, "GRANT "+quote(m.Group)+" TO "+quote(m.Member)); err != nil {
			return err
		}
	}
	return nil
}
