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

// Peer is a node of the cluster by the name that stays with it.
type Peer struct {
	// Host is a DNS name, such as redis-cluster-0.redis-cluster-service.
	Host string
	Port int
}

// Config is all that the process is told.
type Config struct {
	// Self is the place among Peers of the node beside which this runs; it is
	// the peer whose host begins with NODE_NAME.
	Self int
	// Peers is PEERS, every node of the cluster, HOST:PORT with commas
	// between, in an order that never changes: the first SHARDS of them are
	// given the slots when the cluster is made.
	Peers []Peer
	// Shards is SHARDS, 3 or more: Redis agrees by a majority of primaries.
	Shards int
	// Address is POD_IP: where the other nodes reach this one, for now.
	Address netip.Addr
	// Server is REDIS_ADDRESS: where this process reaches its node.
	Server string
	// Password is what PASSWORD_FILE holds: that of the user node.
	Password string
	// Period is PERIOD, the time between two rounds.
	Period time.Duration
	// HTTP takes LISTEN_ADDRESS and LOG_LEVEL.
	HTTP httpserver.Config
}

// User is the user of Redis' ACL that this process is.
const User = "node"

// ReadConfig reads the environment through lookup. Its error is an
// envconfig.Problems with all that is wrong; the Config then serves only to
// log it.
func ReadConfig(lookup func(string) (string, bool)) (Config, error) {
	env := envconfig.New(lookup)
	http := httpserver.Defaults()
	http.QuietPaths = healthPaths
	http.Address = env.Address("LISTEN_ADDRESS", ":8000")
	http.LogLevel = env.LogLevel("LOG_LEVEL")
	http.DrainDelay = 0 // nobody but the kubelet calls
	cfg := Config{
		Peers:    envconfig.Required(env, "PEERS", "must be at least three HOST:PORT with commas between", parsePeers),
		Address:  envconfig.Required(env, "POD_IP", "must be an IP address", parseAddress),
		Server:   env.Address("REDIS_ADDRESS", "127.0.0.1:6379"),
		Password: envconfig.Required(env, "PASSWORD_FILE", "must be a file with a password in it", readPassword),
		Period:   env.Duration("PERIOD", 2*time.Second, 50*time.Millisecond, time.Minute),
		HTTP:     http,
	}
	cfg.Shards = env.Int("SHARDS", 3, 3, max(3, len(cfg.Peers)))
	cfg.Self = envconfig.Required(env, "NODE_NAME", "must be the first label of one of PEERS", func(name string) (int, bool) {
		for i, p := range cfg.Peers {
			if label, _, _ := strings.Cut(p.Host, "."); label == name {
				return i, true
			}
		}
		return 0, false
	})
	return cfg, env.Err()
}

func parsePeers(text string) ([]Peer, bool) {
	var peers []Peer
	for address := range strings.SplitSeq(text, ",") {
		host, port, err := net.SplitHostPort(address)
		n, bad := strconv.ParseUint(port, 10, 16)
		if err != nil || bad != nil || host == "" {
			return nil, false
		}
		peers = append(peers, Peer{Host: host, Port: int(n)})
	}
	return peers, len(peers) >= 3
}

func parseAddress(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	return a, err == nil
}

func readPassword(path string) (string, bool) {
	text, err := os.ReadFile(path)
	password := strings.TrimSpace(string(text))
	return password, err == nil && password != ""
}

func (p Peer) String() string { return fmt.Sprintf("%s:%d", p.Host, p.Port) }
