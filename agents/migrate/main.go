// Command migrate migrates the databases to the platform's schema and exits. This
// package owns the environment, the logs and the exit code. The packages pgschema,
// pgroles and mongoindexes have the steps. migrate is the only program that logs in as
// the owner of the database. It creates a role for each service.
//
// It may run at any time and repeatedly, while services and other runs are active. Each
// run also creates the next monthly partitions of the agents' log and drops old ones.
// So migrate must run at least once in PARTITIONS_AHEAD months. We recommend once a day.
//
// Exit codes: 0 when the schema is complete, 1 when a step failed (fix the
// cause and run again), 2 when the environment is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	mongodriver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/migrate/mongoindexes"
	"github.com/progressive-framework/platform/agents/migrate/pgroles"
	"github.com/progressive-framework/platform/agents/migrate/pgschema"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.LookupEnv, os.Stdout))
}

// run migrates both databases and returns the exit code.
func run(ctx context.Context, lookup func(string) (string, bool), out io.Writer) int {
	cfg, err := readConfig(lookup)
	log := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: cfg.logLevel})).With("service", "migrate")
	if err != nil {
		envconfig.LogProblems(log, err)
		return 2
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.timeout)
	defer cancel()
	if err := errors.Join(migratePostgres(ctx, cfg, log), migrateMongo(ctx, cfg, log)); err != nil {
		log.Error("stopped", "error", err)
		return 1
	}
	log.Info("schema is up to date")
	return 0
}

// migratePostgres migrates the schema of PostgreSQL, and then its roles.
func migratePostgres(ctx context.Context, cfg config, log *slog.Logger) error {
	connConfig, err := cfg.postgres.Connection()
	if err != nil {
		return err
	}
	if err := pgschema.Up(ctx, connConfig, cfg.partitions, log); err != nil {
		return err
	}
	if err := pgroles.Apply(ctx, connConfig, cfg.roles, log); err != nil {
		return fmt.Errorf("change the roles of PostgreSQL: %w", err)
	}
	return nil
}

// migrateMongo creates the indexes of MongoDB, if its URI is set.
func migrateMongo(ctx context.Context, cfg config, log *slog.Logger) (err error) {
	if cfg.mongoURI == "" {
		return nil
	}
	clientOptions := options.Client().ApplyURI(cfg.mongoURI).SetAppName("migrate")
	if cfg.mongoPasswordFile != "" {
		password, err := os.ReadFile(cfg.mongoPasswordFile)
		if err != nil {
			return fmt.Errorf("read MONGODB_PASSWORD_FILE: %w", err)
		}
		if clientOptions.Auth == nil {
			return errors.New("MONGODB_PASSWORD_FILE is set but MONGODB_URI has no user: set it to mongodb://USER@HOST")
		}
		clientOptions.Auth.Password = strings.TrimRight(string(password), "\r\n")
		clientOptions.Auth.PasswordSet = true
	}
	client, err := mongodriver.Connect(clientOptions)
	if err != nil {
		return fmt.Errorf("MONGODB_URI is invalid: %w", err)
	}
	defer func() { err = errors.Join(err, client.Disconnect(context.WithoutCancel(ctx))) }()
	return mongoindexes.Up(ctx, client.Database(cfg.mongoDatabase), mongoindexes.Options{NoProfiler: !cfg.mongoProfiler}, log)
}
