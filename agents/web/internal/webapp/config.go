package webapp

import (
	"net/url"
	"time"

	"github.com/progressive-framework/platform/agents/internal/dependencies"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/web/internal/livestatus"
)

// Config is all that the service is told.
type Config struct {
	// MCAURL is MCA_URL, where the agents' gateway is.
	MCAURL string
	// GatewayTimeout is GATEWAY_TIMEOUT: how long a request that is passed on to
	// the agents may take; above the MCA's own.
	GatewayTimeout time.Duration
	// UserRate and UserBurst are USER_RATE and USER_BURST: how many requests a
	// second one user may send to the API, and how many at once. The default is
	// the seed's requests_per_second_max of the whole tier: no single user may
	// take more than that.
	UserRate, UserBurst int
	// Live takes WS_CONNECTIONS_PER_USER, WS_CONNECTIONS, WS_PING_INTERVAL and
	// WS_IDLE_TIMEOUT. The page's origin is PUBLIC_ORIGIN, such as
	// https://app.example.com, where it is not the host that requests name.
	Live livestatus.Config

	Dependencies dependencies.Config
	HTTP         httpserver.Config
}

// ReadConfig reads the environment through lookup. Its error is an
// envconfig.Problems with all that is wrong; the Config, with defaults in place
// of what is wrong, then serves only to log it.
func ReadConfig(lookup func(string) (string, bool)) (Config, error) {
	env := envconfig.New(lookup)
	cfg := Config{
		MCAURL: env.URL("MCA_URL", "http://mca-service", "http", "https"),
		// Below httpserver's WriteTimeout, so that a late request is still answered.
		GatewayTimeout: env.Duration("GATEWAY_TIMEOUT", 55*time.Second, 10*time.Millisecond, 58*time.Second),
		UserRate:       env.Int("USER_RATE", 1000, 1, 1_000_000),
		UserBurst:      env.Int("USER_BURST", 1000, 1, 1_000_000),
		Live: livestatus.Config{
			// The seed's load test opens 50 connections.
			PerUser:     env.Int("WS_CONNECTIONS_PER_USER", 50, 1, 10_000),
			Total:       env.Int("WS_CONNECTIONS", 20_000, 1, 1_000_000),
			PingEvery:   env.Duration("WS_PING_INTERVAL", 30*time.Second, 10*time.Millisecond, 10*time.Minute),
			IdleTimeout: env.Duration("WS_IDLE_TIMEOUT", 5*time.Minute, 10*time.Millisecond, time.Hour),
			Origins:     hosts(env.URL("PUBLIC_ORIGIN", "", "http", "https")),
		},
		Dependencies: dependencies.ReadConfig(env),
		HTTP:         httpserver.ReadConfig(env, ":3000", quietPaths...),
	}
	return cfg, env.Err()
}

// hosts is the host of an origin that is a URL.
func hosts(origin string) []string {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Host}
}
