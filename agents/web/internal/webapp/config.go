package webapp

import (
	"net/url"
	"time"

	"github.com/progressive-framework/platform/agents/internal/dependencies"
	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/web/internal/livestatus"
)

// Config is the configuration of the service.
type Config struct {
	// MCAURL is MCA_URL, the base URL of the agents' gateway.
	MCAURL string
	// GatewayTimeout is GATEWAY_TIMEOUT, the timeout of a request that is proxied to the
	// agents. It is above the MCA's own timeout.
	GatewayTimeout time.Duration
	// UserRate is USER_RATE, the requests a second that one user may send. UserBurst is
	// USER_BURST, the requests that the user may send in a burst. Their default is the
	// design document's requests_per_second_max of the whole web tier: a single user must
	// not use more.
	UserRate, UserBurst int
	// Live has WS_CONNECTIONS_PER_USER, WS_CONNECTIONS, WS_PING_INTERVAL and
	// WS_IDLE_TIMEOUT. PUBLIC_ORIGIN is the page's origin, such as
	// https://app.example.com, if it is not the host of the requests.
	Live livestatus.Config

	Dependencies dependencies.Config
	HTTP         httpserver.Config
}

// ReadConfig reads the environment through lookup. Its error is an
// envconfig.Problems with every problem. The Config then has defaults for invalid
// values. Use such a Config only to create the logger.
func ReadConfig(lookup func(string) (string, bool)) (Config, error) {
	env := envconfig.New(lookup)
	cfg := Config{
		MCAURL: env.URL("MCA_URL", "http://mca-service", "http", "https"),
		// Below httpserver's WriteTimeout, so that the timeout's error can still be sent.
		GatewayTimeout: env.Duration("GATEWAY_TIMEOUT", 55*time.Second, 10*time.Millisecond, 58*time.Second),
		UserRate:       env.Int("USER_RATE", 1000, 1, 1_000_000),
		UserBurst:      env.Int("USER_BURST", 1000, 1, 1_000_000),
		Live: livestatus.Config{
			// The design document's load test opens 50 connections.
			PerUser:      env.Int("WS_CONNECTIONS_PER_USER", 50, 1, 10_000),
			Total:        env.Int("WS_CONNECTIONS", 20_000, 1, 1_000_000),
			PingInterval: env.Duration("WS_PING_INTERVAL", 30*time.Second, 10*time.Millisecond, 10*time.Minute),
			IdleTimeout:  env.Duration("WS_IDLE_TIMEOUT", 5*time.Minute, 10*time.Millisecond, time.Hour),
			Origins:      originHosts(env.URL("PUBLIC_ORIGIN", "", "http", "https")),
		},
		Dependencies: dependencies.ReadConfig(env),
		HTTP:         httpserver.ReadConfig(env, ":3000", quietPaths...),
	}
	return cfg, env.Err()
}

// originHosts returns the host of an origin URL as a list. The list is empty if the URL has
// no host.
func originHosts(origin string) []string {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Host}
}
