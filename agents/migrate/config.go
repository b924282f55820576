package main

import (
	"log/slog"
	"time"

	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/migrate/pgroles"
	"github.com/progressive-framework/platform/agents/migrate/pgschema"
)

// config is the configuration of the command.
type config struct {
	// postgres has the variables of database.Config.
	postgres database.Config
	// partitions has PARTITIONS_AHEAD and PARTITIONS_KEEP, in months.
	partitions pgschema.Partitions
	// roles has ROLE_LOGIN (password or iam), ROLE_PASSWORDS (a folder),
	// ROLE_GENERATION (a number) and ROLE_CONNECTIONS (such as web=40,mca=20).
	roles pgroles.Config
	// mongoURI is MONGODB_URI. Without it MongoDB is not migrated.
	mongoURI string
	// mongoPasswordFile is MONGODB_PASSWORD_FILE. It is read once.
	mongoPasswordFile string
	// mongoDatabase is MONGODB_DATABASE. The default is from the design
	// document.
	mongoDatabase string
	// mongoProfiler is MONGODB_PROFILER, on or off: whether the server has the command
	// profile. MongoDB has it, DocumentDB does not.
	mongoProfiler bool
	// timeout is MIGRATE_TIMEOUT, the timeout of the whole run.
	timeout  time.Duration
	logLevel slog.Level
}

// readConfig reads the environment. Its error is an envconfig.Problems.
func readConfig(lookup func(string) (string, bool)) (config, error) {
	env := envconfig.New(lookup)
	cfg := config{
		postgres: database.ReadConfig(env),
		partitions: pgschema.Partitions{
			Ahead: env.Int("PARTITIONS_AHEAD", 3, 1, 24),
			Keep:  env.Int("PARTITIONS_KEEP", 12, 1, 120),
			Now:   time.Now(),
		},
		roles: pgroles.Config{
			IAM:             env.OneOf("ROLE_LOGIN", "password", "password", "iam") == "iam",
			PasswordsFolder: env.Path("ROLE_PASSWORDS", "/etc/platform/roles"),
			Generation:      env.Int("ROLE_GENERATION", 0, 0, 1_000_000),
			Connections:     env.Counts("ROLE_CONNECTIONS", pgroles.GroupRoles()...),
		},
		mongoURI:          env.URL("MONGODB_URI", "", "mongodb", "mongodb+srv"),
		mongoPasswordFile: env.Path("MONGODB_PASSWORD_FILE", ""),
		mongoDatabase:     env.Word("MONGODB_DATABASE", "progressive_framework_v5"),
		mongoProfiler:     env.OneOf("MONGODB_PROFILER", "on", "on", "off") == "on",
		timeout:           env.Duration("MIGRATE_TIMEOUT", 30*time.Minute, time.Second, 24*time.Hour),
		logLevel:          env.LogLevel("LOG_LEVEL"),
	}
	return cfg, env.Err()
}
