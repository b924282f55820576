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
)

// Config says where the database is and how much of it one process may take.
type Config struct {
	// URL is DATABASE_URL, as libpq has it. It must name its sslmode: disable,
	// require, verify-ca or verify-full; libpq's default would fall back to
	// plain text without a word.
	URL string
	// PasswordFile is DATABASE_PASSWORD_FILE; when set it is read for every new
	// connection, so that a rotated password needs no restart.
	PasswordFile string
	// MaxConnections is DATABASE_MAX_CONNECTIONS, 1 to 100 for one process. The
	// seed's server takes 200 (max_connections) for all processes together.
	MaxConnections int
	// StatementTimeout is DATABASE_STATEMENT_TIMEOUT: the server ends a
	// statement after it. The seed's limit of a query is 100 ms
	// (query_response_time); past ten times that the answer is of no use.
	StatementTimeout time.Duration
	// ConnectTimeout is DATABASE_CONNECT_TIMEOUT, for one connection.
	ConnectTimeout time.Duration
}

// ReadConfig reads the variables that the fields name. DATABASE_URL is needed.
func ReadConfig(env *envconfig.Reader) Config {
	env.Require("DATABASE_URL")
	return Config{
		URL:              env.URL("DATABASE_URL", "", "postgres", "postgresql"),
		PasswordFile:     env.Path("DATABASE_PASSWORD_FILE", ""),
		MaxConnections:   env.Int("DATABASE_MAX_CONNECTIONS", 8, 1, 100),
		StatementTimeout: env.Duration("DATABASE_STATEMENT_TIMEOUT", time.Second, 10*time.Millisecond, time.Minute),
		ConnectTimeout:   env.Duration("DATABASE_CONNECT_TIMEOUT", 2*time.Second, 100*time.Millisecond, 30*time.Second),
	}
}

// sslModes are libpq's that never fall back to plain text unasked.
var sslModes = []string{"disable", "require", "verify-ca", "verify-full"}

// Connection is how one connection is made, with the password of the moment
// and the connect timeout. No error shows the URL.
func (c Config) Connection() (*pgx.ConnConfig, error) {
	if err := c.checkSSLMode(); err != nil {
		return nil, err
	}
	conn, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL is not a URL of PostgreSQL's: %w", err) // pgx hides the password
	}
	conn.ConnectTimeout = c.ConnectTimeout
	return conn, c.setPassword(conn)
}

func (c Config) checkSSLMode() error {
	u, err := url.Parse(c.URL)
	if err != nil {
		return errors.New("DATABASE_URL can't be parsed: write it as postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full")
	}
	if mode := u.Query().Get("sslmode"); !slices.Contains(sslModes, mode) {
		return fmt.Errorf("DATABASE_URL has sslmode=%q, must be one of %s: add ?sslmode=verify-full", mode, strings.Join(sslModes, ", "))
	}
	return nil
}

func (c Config) setPassword(conn *pgx.ConnConfig) error {
	if c.PasswordFile == "" {
		return nil
	}
	password, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return fmt.Errorf("DATABASE_PASSWORD_FILE: %w", err)
	}
	conn.Password = strings.TrimRight(string(password), "\r\n")
	return nil
}

func (c Config) pool() (*pgxpool.Config, error) {
	conn, err := c.Connection()
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	conn.RuntimeParams["statement_timeout"] = fmt.Sprint(c.StatementTimeout.Milliseconds())
	// A process that hangs in a transaction must not hold its locks.
	conn.RuntimeParams["idle_in_transaction_session_timeout"] = fmt.Sprint(10 * c.StatementTimeout.Milliseconds())
	pool.ConnConfig = conn
	pool.MaxConns = int32(c.MaxConnections)
	// Connections are renewed so that a failover or a new replica is noticed,
	// spread so that not all are renewed at once.
	pool.MaxConnLifetime, pool.MaxConnLifetimeJitter = 30*time.Minute, 5*time.Minute
	pool.MaxConnIdleTime = 5 * time.Minute
	pool.HealthCheckPeriod = 30 * time.Second
	pool.BeforeConnect = func(_ context.Context, conn *pgx.ConnConfig) error { return c.setPassword(conn) }
	return pool, nil
}
