package node

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// Peer is a node of the cluster. Its DNS name stays when its address changes.
type Peer struct {
	// Host is a DNS name, such as redis-cluster-0.redis-cluster-service.
	Host string
	Port int
}

// Config is the configuration of the process.
type Config struct {
	// Self is the index in Peers of the node that this process serves: the peer
	// with a host that begins with NODE_NAME.
	Self int
	// Peers is PEERS: every node of the cluster as HOST:PORT, separated by commas. The
	// order must never change, because the first SHARDS nodes get the slots when the
	// cluster is created.
	Peers []Peer
	// Shards is SHARDS, the number of primaries. It is at least 3, because a failover
	// needs a majority of the primaries.
	Shards int
	// Address is POD_IP: the current address at which other nodes reach this
	// one.
	Address netip.Addr
	// RedisAddress is REDIS_ADDRESS: the address at which this process reaches its
	// node.
	RedisAddress string
	// Password is the content of PASSWORD_FILE: the password of the Redis users
	// User and MetricsUser.
	Password string
	// Period is PERIOD, the time between two rounds.
	Period time.Duration
	// HTTP has LISTEN_ADDRESS, METRICS_ADDRESS and LOG_LEVEL.
	HTTP httpserver.Config
}

// These are the Redis ACL users of this process (components/redis/redistuning).
const (
	// User bootstraps the cluster. It may run every command.
	User = "node"
	// MetricsUser reads the values of the metrics. It may run only the collector's commands.
	MetricsUser = "metrics"
)

// ReadConfig reads the environment through lookup. Its error is an
// envconfig.Problems with every wrong variable. If it returns an error, use the Config only
// to create the logger.
func ReadConfig(lookup func(string) (string, bool)) (Config, error) {
	env := envconfig.New(lookup)
	httpConfig := httpserver.Defaults()
	httpConfig.QuietPaths = healthPaths
	httpConfig.Address = env.Address("LISTEN_ADDRESS", ":8000")
	httpConfig.MetricsAddress = env.Address("METRICS_ADDRESS", "")
	httpConfig.LogLevel = env.LogLevel("LOG_LEVEL")
	httpConfig.DrainDelay = 0 // only the kubelet sends requests
	cfg := Config{
		Peers:        envconfig.ReadRequired(env, "PEERS", "must be at least three HOST:PORT separated by commas", parsePeers),
		Address:      envconfig.ReadRequired(env, "POD_IP", "must be an IP address", parseAddress),
		RedisAddress: env.Address("REDIS_ADDRESS", "127.0.0.1:6379"),
		Password:     envconfig.ReadRequired(env, "PASSWORD_FILE", "must be a file that contains a password", readPassword),
		Period:       env.Duration("PERIOD", 2*time.Second, 50*time.Millisecond, time.Minute),
		HTTP:         httpConfig,
	}
	cfg.Shards = env.Int("SHARDS", 3, 3, max(3, len(cfg.Peers)))
	cfg.Self = envconfig.ReadRequired(env, "NODE_NAME", "must be the first label of one of PEERS", func(name string) (int, bool) {
		for i, p := range cfg.Peers {
			if label, _, _ := strings.Cut(p.Host, "."); label == name {
				return i, true
			}
		}
		return 0, false
	})
	return cfg, env.Err()
}

// parsePeers parses the HOST:PORT of at least three peers, separated by commas.
func parsePeers(text string) ([]Peer, bool) {
	var peers []Peer
	for address := range strings.SplitSeq(text, ",") {
		host, port, err := net.SplitHostPort(address)
		number, errPort := strconv.ParseUint(port, 10, 16)
		if err != nil || errPort != nil || host == "" {
			return nil, false
		}
		peers = append(peers, Peer{Host: host, Port: int(number)})
	}
	return peers, len(peers) >= 3
}

// parseAddress parses an IP address.
func parseAddress(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	return a, err == nil
}

// readPassword reads a password from a file. It returns false if there is none.
func readPassword(path string) (string, bool) {
	text, err := os.ReadFile(path)
	password := strings.TrimSpace(string(text))
	return password, err == nil && password != ""
}

func (p Peer) String() string { return fmt.Sprintf("%s:%d", p.Host, p.Port) }
