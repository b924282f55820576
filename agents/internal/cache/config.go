package cache

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

// Config says where Redis is and how long to wait for it.
type Config struct {
	// Addresses is REDIS_ADDRESSES: some nodes of the cluster, which name the
	// others. Without any there is the local tier alone.
	Addresses []string
	// PasswordFile is REDIS_PASSWORD_FILE, read at each connection.
	PasswordFile string
	// Username is REDIS_USERNAME, for an ACL user; empty is Redis' default.
	Username string
	// TLS is REDIS_TLS: on verifies the server by the system's roots.
	TLS *tls.Config
	// Timeout is REDIS_TIMEOUT, for one command: the seed's limit between
	// agents, 100 ms, is the most that a cache may cost.
	Timeout time.Duration
}

// ReadConfig reads the variables that the fields name.
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

func (c Config) validate() error {
	if c.Timeout <= 0 {
		return fmt.Errorf("cache: Timeout is %s, must be above 0: REDIS_TIMEOUT", c.Timeout)
	}
	if c.Username != "" && c.PasswordFile == "" {
		return errors.New("cache: Username is set without PasswordFile: REDIS_PASSWORD_FILE")
	}
	return nil
}
