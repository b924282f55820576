// Package node keeps one Redis node a member of its cluster. It runs beside
// the node, looks at all of them by name, and tells its own what to do; it
// owns the forming of the cluster, the rejoining after addresses changed, and
// nothing of the data: it has no command that moves, empties or resets.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// answerTimeout bounds each step of a conversation with a node: connecting,
// asking, being answered. It is below the document's cluster-node-timeout of
// 5 s, so that a dead peer does not hide what happens to the others.
const answerTimeout = time.Second

// Resolver finds the addresses of a name; net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Status is the outcome of a round.
type Status struct {
	// Member is set when the node serves: the cluster is ok, and the node is a
	// primary with slots or a replica in step with its primary.
	Member bool `json:"member"`
	// Cluster is Redis' cluster_state: ok or fail.
	Cluster string `json:"cluster"`
	// Peers is how many other nodes answered.
	Peers int `json:"peers"`
	// Problems are what a person must mend.
	Problems []string `json:"problems,omitempty"`
}

// Node watches over one Redis node.
type Node struct {
	cfg      Config
	resolver Resolver
	log      *slog.Logger
	status   atomic.Pointer[Status]
}

// New returns a Node that has done nothing yet.
func New(cfg Config, resolver Resolver, log *slog.Logger) *Node {
	n := &Node{cfg: cfg, resolver: resolver, log: log}
	n.status.Store(&Status{Cluster: "unknown"})
	return n
}

// Status is that of the last round.
func (n *Node) Status() Status { return *n.status.Load() }

// Run goes on until ctx ends, a round each period.
func (n *Node) Run(ctx context.Context) {
	tick := time.NewTicker(n.cfg.Period)
	defer tick.Stop()
	for ctx.Err() == nil {
		n.publish(n.round(ctx))
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// publish keeps the status and says what is new in it.
func (n *Node) publish(now Status) {
	before := n.status.Swap(&now)
	if now.Member != before.Member || now.Cluster != before.Cluster {
		n.log.Info("cluster", "member", now.Member, "state", now.Cluster, "peers", now.Peers)
	}
	if strings.Join(now.Problems, "\n") != strings.Join(before.Problems, "\n") {
		for _, problem := range now.Problems {
			n.log.Error(problem)
		}
	}
}

// round looks at every node once and acts on its own.
func (n *Node) round(ctx context.Context) Status {
	own := n.connect(n.cfg.Server)
	defer own.Close()
	if err := n.announce(ctx, own); err != nil {
		return failed(fmt.Errorf("announce %s: %w", n.cfg.Address, err))
	}
	peers, err := n.look(ctx, own)
	if err != nil {
		return failed(err)
	}
	commands, problems := plan(n.cfg.Self, peers, n.cfg.Shards)
	for _, c := range commands {
		n.log.Info("telling the node", "command", c.String())
		if err := own.Do(ctx, c...).Err(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", c, err))
		}
	}
	status := n.state(ctx, own, peers)
	for _, p := range problems {
		status.Problems = append(status.Problems, p.Error())
	}
	return status
}

func failed(err error) Status { return Status{Cluster: "unknown", Problems: []string{err.Error()}} }

func (n *Node) connect(address string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: address, Username: User, Password: n.cfg.Password,
		DialTimeout: answerTimeout, ReadTimeout: answerTimeout, WriteTimeout: answerTimeout,
		MaxRetries: -1, PoolSize: 1, DisableIdentity: true,
	})
}

// announce tells the node the address and the name under which others find
// it: what it has from its last life may be another's by now.
func (n *Node) announce(ctx context.Context, own *redis.Client) error {
	for name, value := range map[string]string{
		"cluster-announce-ip":       n.cfg.Address.String(),
		"cluster-announce-hostname": n.cfg.Peers[n.cfg.Self].Host,
	} {
		has, err := own.ConfigGet(ctx, name).Result()
		if err != nil {
			return err
		}
		if has[name] == value {
			continue
		}
		if err := own.ConfigSet(ctx, name, value).Err(); err != nil {
			return err
		}
	}
	return nil
}

// look asks every peer for its view, all at once. Only its own node must
// answer.
func (n *Node) look(ctx context.Context, own *redis.Client) ([]seen, error) {
	peers := make([]seen, len(n.cfg.Peers))
	var all sync.WaitGroup
	for i, p := range n.cfg.Peers {
		if i == n.cfg.Self {
			continue
		}
		all.Go(func() { peers[i] = n.visit(ctx, p) })
	}
	mine, err := ask(ctx, own)
	all.Wait()
	if err != nil {
		return nil, fmt.Errorf("ask the node at %s: %w", n.cfg.Server, err)
	}
	replication, err := own.Info(ctx, "replication").Result()
	if err != nil {
		return nil, fmt.Errorf("ask the node at %s: %w", n.cfg.Server, err)
	}
	if field(replication, "role") == "slave" {
		mine.follows = net.JoinHostPort(field(replication, "master_host"), field(replication, "master_port"))
	}
	self := n.cfg.Peers[n.cfg.Self]
	peers[n.cfg.Self] = seen{name: self.Host, address: joined(n.cfg.Address, self.Port), view: mine}
	return peers, nil
}

func (n *Node) visit(ctx context.Context, p Peer) seen {
	ctx, cancel := context.WithTimeout(ctx, 3*answerTimeout)
	defer cancel()
	at := seen{name: p.Host}
	addresses, err := n.resolver.LookupNetIP(ctx, "ip", p.Host)
	if err != nil || len(addresses) == 0 {
		n.log.Debug("peer has no address", "peer", p.Host, "error", err)
		return at
	}
	at.address = joined(addresses[0].Unmap(), p.Port)
	client := n.connect(at.address)
	defer client.Close()
	v, err := ask(ctx, client)
	if err != nil {
		n.log.Debug("peer does not answer", "peer", p.Host, "address", at.address, "error", err)
		return at
	}
	// Names lag behind: an address may be another node's by now, or nobody has
	// told the node yet who it is.
	if v.itself().name != p.Host {
		n.log.Debug("another answers for the peer", "peer", p.Host, "address", at.address, "name", v.itself().name)
		return at
	}
	at.view = v
	return at
}

func joined(address netip.Addr, port int) string {
	return net.JoinHostPort(address.String(), strconv.Itoa(port))
}

// ask takes a node's view. A node that still loads its data answers an error:
// it is not there yet.
func ask(ctx context.Context, node *redis.Client) (*view, error) {
	keys, err := node.DBSize(ctx).Result()
	if err != nil {
		return nil, err
	}
	answer, err := node.ClusterNodes(ctx).Result()
	if err != nil {
		return nil, err
	}
	id, members, err := parseNodes(answer)
	if err != nil {
		return nil, err
	}
	return &view{id: id, keys: keys, members: members}, nil
}

// state says whether the node serves.
func (n *Node) state(ctx context.Context, own *redis.Client, peers []seen) Status {
	status := Status{Cluster: "unknown"}
	for i, p := range peers {
		if i != n.cfg.Self && p.view != nil {
			status.Peers++
		}
	}
	cluster, errCluster := own.ClusterInfo(ctx).Result()
	replication, errReplication := own.Info(ctx, "replication").Result()
	if err := errors.Join(errCluster, errReplication); err != nil {
		return failed(err)
	}
	status.Cluster = field(cluster, "cluster_state")
	serves := len(peers[n.cfg.Self].view.itself().owns) > 0
	if field(replication, "role") == "slave" {
		serves = field(replication, "master_link_status") == "up"
	}
	status.Member = status.Cluster == "ok" && serves
	return status
}

// field reads a line NAME:VALUE of Redis' information.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
