package pgroles

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// lockTimeout bounds the wait for the locks of other runs and of DDL.
const lockTimeout = 10 * time.Second

// Config defines how the roles log in.
type Config struct {
	// IAM makes the roles log in with IAM tokens instead of passwords. The server must
	// be RDS.
	IAM bool
	// PasswordsFolder is the folder of the passwords. The file GENERATION/ROLE in it contains
	// one password.
	PasswordsFolder string
	// Generation is the generation of the passwords, from 0. The passwords of the
	// previous generation stay valid.
	Generation int
	// Connections is the largest number of connections of each role, by its name.
	Connections map[string]int
}

// validate returns all errors of the configuration.
func (c Config) validate() error {
	var errs []error
	if c.Generation < 0 {
		errs = append(errs, fmt.Errorf("generation of the passwords is %d, must not be below 0", c.Generation))
	}
	for _, name := range GroupRoles() {
		if c.Connections[name] < 1 {
			errs = append(errs, fmt.Errorf("role %s may open %d connections, must be at least 1: set its number", name, c.Connections[name]))
		}
	}
	return errors.Join(errs...)
}

// maxPassword is the maximum length of a password in bytes.
const maxPassword = 512

// readPassword reads the password of a role from its file. No error contains the password.
func (c Config) readPassword(name string, generation int) (string, error) {
	text, err := os.ReadFile(filepath.Join(c.PasswordsFolder, strconv.Itoa(generation), name))
	if err != nil {
		return "", err
	}
	password := strings.TrimRight(string(text), "\r\n")
	if len(password) < 16 || len(password) > maxPassword || strings.ContainsFunc(password, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("its file has %d bytes, must have 16 to %d printable ASCII characters: generate a new one", len(text), maxPassword)
	}
	return password, nil
}

// marker is the comment that this package sets on every role that it creates in
// PostgreSQL. If this package no longer defines such a role, Apply removes the role's
// login and privileges.
const marker = "progressive-framework: managed by migrate"

// Apply changes the roles and their privileges to those that package pgroles defines. It
// does so in one transaction, so that no service loses a privilege for a moment. The
// user of the connection must own the database and be allowed to create roles. If
// nothing differs, Apply changes nothing.
func Apply(ctx context.Context, cfg *pgx.ConnConfig, c Config, log *slog.Logger) (err error) {
	if err := c.validate(); err != nil {
		return err
	}
	wanted, err := c.readWantedRoles()
	if err != nil {
		return err
	}
	cfg = cfg.Copy()
	cfg.RuntimeParams["application_name"] = "migrate"
	cfg.RuntimeParams["lock_timeout"] = strconv.FormatInt(lockTimeout.Milliseconds(), 10)
	cfg.RuntimeParams["search_path"] = "pg_catalog" // so that the server prints the names of routines with their schema
	cfg.RuntimeParams["jit"] = "off"                // the compilation of grantedQuery takes longer than its execution
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("connect to change the roles: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	storedVerifiers, err := readVerifiers(ctx, conn)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('roles'))"); err != nil {
			return fmt.Errorf("lock the roles; another run may hold the lock, so run again: %w", err)
		}
		return apply(ctx, tx, wanted, storedVerifiers, log)
	})
}

// apply creates and changes the roles, their memberships and their privileges. storedVerifiers
// has the verifier of each role's current password. It is nil if the user cannot read them.
func apply(ctx context.Context, tx pgx.Tx, wanted []role, storedVerifiers map[string]string, log *slog.Logger) error {
	existing, err := readExistingRoles(ctx, tx, wanted)
	if err != nil {
		return err
	}
	existingByName := map[string]attributes{}
	for _, e := range existing {
		existingByName[e.Name] = e
		if !slices.ContainsFunc(wanted, func(r role) bool { return r.name == e.Name }) {
			wanted = append(wanted, role{name: e.Name, connections: noConnectionLimit}) // no login and no privileges
		}
	}
	var names []string
	for _, r := range wanted {
		names = append(names, r.name)
		current, exists := existingByName[r.name]
		if !exists {
			if err := createRole(ctx, tx, r, log); err != nil {
				return err
			}
			current = attributes{Name: r.name, Connections: noConnectionLimit}
		}
		if err := alterRole(ctx, tx, r, current, log); err != nil {
			return err
		}
		if err := setPassword(ctx, tx, r, storedVerifiers[r.name], log); err != nil {
			return err
		}
	}
	if err := applyMemberships(ctx, tx, names, wanted, log); err != nil {
		return err
	}
	var database string
	if err := tx.QueryRow(ctx, "SELECT quote_ident(current_database())").Scan(&database); err != nil {
		return err
	}
	return applyPrivileges(ctx, tx, names, wantedPrivileges(database), log)
}

// readVerifiers reads the verifiers of all passwords, by role. Only a superuser can
// read the verifiers. For another user the map is nil. Then each run sets all passwords
// again.
func readVerifiers(ctx context.Context, conn *pgx.Conn) (map[string]string, error) {
	rows, err := conn.Query(ctx, "SELECT rolname::text, rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL")
	var passwords []struct{ Role, Verifier string }
	if err == nil {
		passwords, err = pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Role, Verifier string }])
	}
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == "42501" { // insufficient privilege
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the verifiers of passwords: %w", err)
	}
	verifiers := map[string]string{}
	for _, password := range passwords {
		verifiers[password.Role] = password.Verifier
	}
	return verifiers, nil
}

// setPassword sets the password of a role, or removes it if r.password is empty. storedVerifier
// is the verifier of the current password, or empty. If storedVerifier already belongs to the
// wanted password, setPassword changes nothing.
func setPassword(ctx context.Context, tx pgx.Tx, r role, storedVerifier string, log *slog.Logger) error {
	value := "NULL"
	if r.password == "" {
		if storedVerifier == "" {
			return nil
		}
	} else {
		if verifiesPassword(storedVerifier, r.password) {
			return nil
		}
		verifier, err := newVerifier(r.password)
		if err != nil {
			return err
		}
		value = "'" + verifier + "'" // a verifier has only base64 characters, $, : and -, so it needs no escaping
	}
	if _, err := tx.Exec(ctx, "ALTER ROLE "+quote(r.name)+" PASSWORD "+value); err != nil {
		return fmt.Errorf("set the password of role %s: %w", r.name, err)
	}
	log.InfoContext(ctx, "changed a password", "role", r.name, "set", r.password != "")
	return nil
}

// quote returns a name as an SQL identifier.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
