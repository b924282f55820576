package database

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/rdstoken"
)

// Config is the database's URL, and the limits of one process.
type Config struct {
	// URL is DATABASE_URL in libpq's form. It must have sslmode=disable or
	// sslmode=verify-full. The default of libpq would silently fall back to plain text.
	URL string
	// PasswordFile is DATABASE_PASSWORD_FILE. If set, it is read for each new
	// connection, so that a rotated password needs no restart.
	PasswordFile string
	// IAM is true for DATABASE_LOGIN=iam: each new connection logs in with an IAM token.
	// The default of DATABASE_LOGIN is password. TokenConfig is only set with IAM.
	IAM         bool
	TokenConfig rdstoken.Config
	// MaxConnections is DATABASE_MAX_CONNECTIONS, 1 to 100 for one process. The
	// design document's server allows 200 (max_connections) for all processes together.
	MaxConnections int
	// StatementTimeout is DATABASE_STATEMENT_TIMEOUT, enforced by the server. The design
	// document's limit of a query is 100 ms (query_response_time). The default is ten
	// times that limit: a later result is useless.
	StatementTimeout time.Duration
	// ConnectTimeout is DATABASE_CONNECT_TIMEOUT, for one connection.
	ConnectTimeout time.Duration
}

// ReadConfig reads the variables of Config. DATABASE_URL is required.
func ReadConfig(env *envconfig.Reader) Config {
	env.Require("DATABASE_URL")
	cfg := Config{
		URL:              env.URL("DATABASE_URL", "", "postgres", "postgresql"),
		PasswordFile:     env.Path("DATABASE_PASSWORD_FILE", ""),
		IAM:              env.OneOf("DATABASE_LOGIN", "password", "password", "iam") == "iam",
		MaxConnections:   env.Int("DATABASE_MAX_CONNECTIONS", 8, 1, 100),
		StatementTimeout: env.Duration("DATABASE_STATEMENT_TIMEOUT", time.Second, 10*time.Millisecond, time.Minute),
		ConnectTimeout:   env.Duration("DATABASE_CONNECT_TIMEOUT", 2*time.Second, 100*time.Millisecond, 30*time.Second),
	}
	if cfg.IAM {
		cfg.TokenConfig = rdstoken.ReadConfig(env)
	}
	return cfg
}

// sslModes are the allowed modes of libpq: no TLS, or TLS with a verified certificate and
// host name. With the other modes, libpq does not check that it talks to the right
// server.
var sslModes = []string{"disable", "verify-full"}

// Connection returns the configuration of one connection, with the current password
// and the connect timeout. No error contains the URL.
func (c Config) Connection() (*pgx.ConnConfig, error) {
	if err := c.checkSSLMode(); err != nil {
		return nil, err
	}
	conn, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL is not a valid PostgreSQL URL: %w", err) // pgx hides the password
	}
	conn.ConnectTimeout = c.ConnectTimeout
	return conn, c.setPassword(conn)
}

// checkSSLMode returns an error unless the URL has an allowed sslmode.
func (c Config) checkSSLMode() error {
	u, err := url.Parse(c.URL)
	if err != nil {
		return errors.New("DATABASE_URL is not a URL: set it to postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full")
	}
	mode := u.Query().Get("sslmode")
	if c.IAM && mode == "disable" {
		return errors.New("DATABASE_URL has sslmode=disable with DATABASE_LOGIN=iam, which sends the token in plain text: set sslmode=verify-full")
	}
	if !slices.Contains(sslModes, mode) {
		return fmt.Errorf("DATABASE_URL has sslmode=%q, must be one of %s: set sslmode=verify-full", mode, strings.Join(sslModes, ", "))
	}
	return nil
}

// newCredentialSetter returns a function that sets the password of a new connection: the
// current content of PasswordFile, or a new IAM token.
func (c Config) newCredentialSetter() func(context.Context, *pgx.ConnConfig) error {
	if !c.IAM {
		return func(_ context.Context, conn *pgx.ConnConfig) error { return c.setPassword(conn) }
	}
	signer := rdstoken.New(c.TokenConfig)
	return func(ctx context.Context, conn *pgx.ConnConfig) (err error) {
		ctx, cancel := context.WithTimeout(ctx, c.ConnectTimeout)
		defer cancel()
		conn.Password, err = signer.Token(ctx, conn.Host, conn.Port, conn.User)
		return err
	}
}

// setPassword sets the password from PasswordFile, if there is one.
func (c Config) setPassword(conn *pgx.ConnConfig) error {
	if c.PasswordFile == "" {
		return nil
	}
	password, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return fmt.Errorf("read DATABASE_PASSWORD_FILE: %w", err)
	}
	conn.Password = strings.TrimRight(string(password), "\r\n")
	return nil
}

// poolConfig returns the configuration of the connection pool.
func (c Config) poolConfig() (*pgxpool.Config, error) {
	conn, err := c.Connection()
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL is not a valid URL of a connection pool: %w", err)
	}
	conn.RuntimeParams["statement_timeout"] = fmt.Sprint(c.StatementTimeout.Milliseconds())
	// A process that hangs in a transaction must not keep its locks.
	conn.RuntimeParams["idle_in_transaction_session_timeout"] = fmt.Sprint(10 * c.StatementTimeout.Milliseconds())
	pool.ConnConfig = conn
	pool.MaxConns = int32(c.MaxConnections)
	// Connections are renewed, because only new connections reach the new primary after a
	// failover. The jitter prevents that all connections are renewed at the same time.
	pool.MaxConnLifetime, pool.MaxConnLifetimeJitter = 30*time.Minute, 5*time.Minute
	pool.MaxConnIdleTime = 5 * time.Minute
	pool.HealthCheckPeriod = 30 * time.Second
	setCredential := c.newCredentialSetter()
	pool.BeforeConnect = func(ctx context.Context, conn *pgx.ConnConfig) error {
		if err := setCredential(ctx, conn); err != nil {
			return &credentialError{err}
		}
		return nil
	}
	return pool, nil
}
