package pgroles

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/jackc/pgx/v5"
)

// public is PostgreSQL's name for the grantee "every role".
const public = "PUBLIC"

// privilege is one entry of an access list. Object and Column are quoted as in SQL.
type privilege struct {
	Kind    string // TABLE, COLUMN, SEQUENCE, SCHEMA, DATABASE or ROUTINE
	Object  string
	Column  string // only of kind COLUMN
	Name    string // such as SELECT
	Grantee string
	// Grantable is true if the grantee may grant the privilege to others.
	Grantable bool
}

// compare orders privileges by grantee, then by object, then by name.
func (p privilege) compare(other privilege) int {
	return cmp.Or(cmp.Compare(p.Grantee, other.Grantee), cmp.Compare(p.Kind, other.Kind), cmp.Compare(p.Object, other.Object),
		cmp.Compare(p.Column, other.Column), cmp.Compare(p.Name, other.Name))
}

// String returns the privilege in the syntax of GRANT and REVOKE, without the grantee.
func (p privilege) String() string {
	if p.Kind == "COLUMN" {
		return fmt.Sprintf("%s (%s) ON TABLE %s", p.Name, p.Column, p.Object)
	}
	return fmt.Sprintf("%s ON %s %s", p.Name, p.Kind, p.Object)
}

// quotedGrantee returns the grantee in the syntax of GRANT and REVOKE.
func (p privilege) quotedGrantee() string {
	if p.Grantee == public {
		return public
	}
	return pgx.Identifier{p.Grantee}.Sanitize()
}

// grantedQuery lists the privileges of the roles $1 in this database. It also lists the
// privileges of PUBLIC on objects that the current user may change. It omits the objects
// that belong to PostgreSQL itself or to an extension.
const grantedQuery = `
SELECT o.kind, o.object, o.col, a.privilege_type, coalesce(r.rolname::text, 'PUBLIC'), a.is_grantable
FROM (
  SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, format('%I.%I', n.nspname, c.relname) AS object, '' AS col,
         c.relacl AS acl, n.nspname AS space, c.relowner AS owner, 'pg_class'::regclass AS class, c.oid
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relacl IS NOT NULL
  UNION ALL
  SELECT 'COLUMN', format('%I.%I', n.nspname, c.relname), quote_ident(t.attname), t.attacl, n.nspname, c.relowner, 'pg_class'::regclass, c.oid
  FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE t.attacl IS NOT NULL AND NOT t.attisdropped
  UNION ALL
  SELECT 'ROUTINE', p.oid::regprocedure::text, '', coalesce(p.proacl, acldefault('f', p.proowner)), n.nspname, p.proowner, 'pg_proc'::regclass, p.oid
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proacl IS NOT NULL OR n.nspname !~ '^(pg_|information_schema$)'
  UNION ALL
  SELECT 'SCHEMA', quote_ident(nspname), '', coalesce(nspacl, acldefault('n', nspowner)), nspname, nspowner, 'pg_namespace'::regclass, oid
  FROM pg_namespace
  UNION ALL
  SELECT 'DATABASE', quote_ident(datname), '', coalesce(datacl, acldefault('d', datdba)), '', datdba, 'pg_database'::regclass, oid
  FROM pg_database WHERE datname = current_database()
) o CROSS JOIN LATERAL aclexplode(o.acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE r.rolname = ANY ($1)
   OR a.grantee = 0 AND o.space !~ '^(pg_|information_schema$)' AND pg_has_role(o.owner, 'USAGE')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e')`

// readPrivileges returns the current privileges of the roles and of PUBLIC, sorted.
func readPrivileges(ctx context.Context, tx pgx.Tx, names []string) ([]privilege, error) {
	rows, err := tx.Query(ctx, grantedQuery, names)
	if err != nil {
		return nil, fmt.Errorf("read the privileges: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[privilege])
	if err != nil {
		return nil, fmt.Errorf("read the privileges: %w", err)
	}
	slices.SortFunc(found, privilege.compare)
	return found, nil
}

// difference returns the elements of the list all that are not in the list others.
func difference[T comparable](all, others []T) []T {
	return slices.DeleteFunc(slices.Clone(all), func(element T) bool { return slices.Contains(others, element) })
}

// applyPrivileges revokes the privileges that are not in wanted, grants the missing
// privileges, and checks the result. A privilege that another user has granted may
// remain. For a service, such a privilege is an error. For PUBLIC, it is only logged.
func applyPrivileges(ctx context.Context, tx pgx.Tx, names []string, wanted []privilege, log *slog.Logger) error {
	found, err := readPrivileges(ctx, tx, names)
	if err != nil {
		return err
	}
	for _, p := range difference(found, wanted) {
		if err := execAndLog(ctx, tx, log, fmt.Sprintf("REVOKE %s FROM %s CASCADE", p, p.quotedGrantee())); err != nil {
			return err
		}
	}
	// A REVOKE on a table also revokes the privileges on its columns, so the privileges
	// are read again.
	if found, err = readPrivileges(ctx, tx, names); err != nil {
		return err
	}
	for _, p := range difference(wanted, found) {
		if err := execAndLog(ctx, tx, log, fmt.Sprintf("GRANT %s TO %s", p, p.quotedGrantee())); err != nil {
			return err
		}
	}
	if found, err = readPrivileges(ctx, tx, names); err != nil {
		return err
	}
	for _, p := range difference(found, wanted) {
		if p.Grantee != public {
			return fmt.Errorf("role %s still has %s, which another user granted: revoke it as that user", p.Grantee, p)
		}
		log.WarnContext(ctx, "every role has a privilege that its owner could not revoke", "privilege", p.String())
	}
	return nil
}

// execAndLog executes a statement and logs it. The statement must not contain a secret.
func execAndLog(ctx context.Context, tx pgx.Tx, log *slog.Logger, statement string) error {
	if _, err := tx.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	log.InfoContext(ctx, "changed a role", "statement", statement)
	return nil
}
