package cache

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

// Config has the addresses of Redis, the credentials, and the timeout of commands.
type Config struct {
	// Addresses is REDIS_ADDRESSES: some nodes of the cluster, which report the
	// others. Without addresses, only the local tier is used.
	Addresses []string
	// PasswordFile is REDIS_PASSWORD_FILE. It is read at each connection.
	PasswordFile string
	// Username is REDIS_USERNAME, an ACL user. Empty means Redis' default user.
	Username string
	// TLS is REDIS_TLS. With "on" the client verifies the server with the system's root
	// certificates. nil means no TLS, which is the default.
	TLS *tls.Config
	// Timeout is REDIS_TIMEOUT, for one command. The default is 100 ms, the design
	// document's limit for a call between agents. The cache must not take longer
	// than such a call.
	Timeout time.Duration
}

// ReadConfig reads the variables of Config.
func ReadConfig(env *envconfig.Reader) Config {
	cfg := Config{
		Addresses:    env.Hosts("REDIS_ADDRESSES"),
		PasswordFile: env.Path("REDIS_PASSWORD_FILE", ""),
		Timeout:      env.Duration("REDIS_TIMEOUT", 100*time.Millisecond, time.Millisecond, 5*time.Second),
	}
	if username := env.Word("REDIS_USERNAME", "default"); username != "default" {
		cfg.Username = username
	}
	if env.OneOf("REDIS_TLS", "off", "on", "off") == "on" {
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return cfg
}

// validate returns an error for the first invalid field.
func (c Config) validate() error {
	if c.Timeout <= 0 {
		return fmt.Errorf("cache: Timeout is %s, must be above 0: set REDIS_TIMEOUT", c.Timeout)
	}
	if c.Username != "" && c.PasswordFile == "" {
		return errors.New("cache: Username is set without PasswordFile: set REDIS_PASSWORD_FILE")
	}
	return nil
}
