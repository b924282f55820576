// Package node keeps one Redis node in its Redis Cluster. It runs in the pod of this node.
// It reads the state of all nodes, and sends commands that change something only to its
// own node. It creates the cluster, and rejoins the node after addresses have changed. It
// never changes data: it sends no command that moves slots, deletes keys or resets a node.
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

// replyTimeout bounds dialing a node, each write and each read. It is below the design
// document's cluster-node-timeout of 5 s, so that one dead peer does not delay the
// detection of others.
const replyTimeout = time.Second

// Resolver resolves a name to addresses, as net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Status is the result of a round.
type Status struct {
	// Member is true when the node serves data. The cluster state is ok, and
	// the node is a primary with slots or a replica in sync with its primary.
	Member bool `json:"member"`
	// Cluster is Redis' cluster_state: ok or fail.
	Cluster string `json:"cluster"`
	// Peers is the number of other nodes that responded.
	Peers int `json:"peers"`
	// Problems are the errors of the round. An error that remains after several rounds needs an
	// operator's action.
	Problems []string `json:"problems,omitempty"`
}

// Node keeps one Redis node in its cluster.
type Node struct {
	cfg      Config
	resolver Resolver
	log      *slog.Logger
	status   atomic.Pointer[Status]
}

// New returns a Node. Run starts its work.
func New(cfg Config, resolver Resolver, log *slog.Logger) *Node {
	n := &Node{cfg: cfg, resolver: resolver, log: log}
	n.status.Store(&Status{Cluster: "unknown"})
	return n
}

// Status returns the status of the last round.
func (n *Node) Status() Status { return *n.status.Load() }

// Run runs a round in each period until ctx ends.
func (n *Node) Run(ctx context.Context) {
	tick := time.NewTicker(n.cfg.Period)
	defer tick.Stop()
	for ctx.Err() == nil {
		n.publish(n.runRound(ctx))
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// publish stores the status and logs its changes.
func (n *Node) publish(current Status) {
	previous := n.status.Swap(&current)
	if current.Member != previous.Member || current.Cluster != previous.Cluster {
		n.log.Info("cluster state changed", "member", current.Member, "state", current.Cluster, "peers", current.Peers)
	}
	if strings.Join(current.Problems, "\n") != strings.Join(previous.Problems, "\n") {
		for _, problem := range current.Problems {
			n.log.Error(problem)
		}
	}
}

// runRound reads the state of every node. Then it runs the next commands on its own node
// (nextCommands). It returns the status after them.
func (n *Node) runRound(ctx context.Context) Status {
	local := n.connect(n.cfg.RedisAddress, User)
	defer local.Close()
	if err := n.announce(ctx, local); err != nil {
		return failedStatus(fmt.Errorf("announce %s: %w", n.cfg.Address, err))
	}
	peers, err := n.queryPeers(ctx, local)
	if err != nil {
		return failedStatus(err)
	}
	commands, problems := nextCommands(n.cfg.Self, peers, n.cfg.Shards)
	for _, c := range commands {
		n.log.Info("run Redis command", "command", c.String())
		if err := local.Do(ctx, c...).Err(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", c, err))
		}
	}
	status := n.readStatus(ctx, local, peers)
	for _, p := range problems {
		status.Problems = append(status.Problems, p.Error())
	}
	return status
}

// failedStatus returns the status of a round that failed.
func failedStatus(err error) Status {
	return Status{Cluster: "unknown", Problems: []string{err.Error()}}
}

// connect returns a client of one node, for one of the users of this process. The client
// does not retry a failed command.
func (n *Node) connect(address, user string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: address, Username: user, Password: n.cfg.Password,
		DialTimeout: replyTimeout, ReadTimeout: replyTimeout, WriteTimeout: replyTimeout,
		MaxRetries: -1, PoolSize: 1, DisableIdentity: true,
	})
}

// announce sets the address and the hostname that the node announces to the other nodes.
// The pod may have had another address at its last start, and another node may have it
// now.
func (n *Node) announce(ctx context.Context, local *redis.Client) error {
	for name, value := range map[string]string{
		"cluster-announce-ip":       n.cfg.Address.String(),
		"cluster-announce-hostname": n.cfg.Peers[n.cfg.Self].Host,
	} {
		current, err := local.ConfigGet(ctx, name).Result()
		if err != nil {
			return err
		}
		if current[name] == value {
			continue
		}
		if err := local.ConfigSet(ctx, name, value).Err(); err != nil {
			return err
		}
	}
	return nil
}

// queryPeers reads the state of every node concurrently. It returns an error only if this
// process' own node does not respond.
func (n *Node) queryPeers(ctx context.Context, local *redis.Client) ([]peerState, error) {
	peers := make([]peerState, len(n.cfg.Peers))
	var wg sync.WaitGroup
	for i, p := range n.cfg.Peers {
		if i == n.cfg.Self {
			continue
		}
		wg.Go(func() { peers[i] = n.queryPeer(ctx, p) })
	}
	ownView, err := readView(ctx, local)
	wg.Wait()
	if err != nil {
		return nil, fmt.Errorf("query the node at %s: %w", n.cfg.RedisAddress, err)
	}
	replication, err := local.Info(ctx, "replication").Result()
	if err != nil {
		return nil, fmt.Errorf("query the node at %s: %w", n.cfg.RedisAddress, err)
	}
	if fieldValue(replication, "role") == "slave" {
		ownView.replicatesFrom = net.JoinHostPort(fieldValue(replication, "master_host"), fieldValue(replication, "master_port"))
	}
	self := n.cfg.Peers[n.cfg.Self]
	peers[n.cfg.Self] = peerState{name: self.Host, address: hostPort(n.cfg.Address, self.Port), view: ownView}
	return peers, nil
}

// queryPeer resolves the peer's name and reads the peer's view of the cluster. The result
// has no view if the peer does not respond, or if another node responds at the peer's address.
func (n *Node) queryPeer(ctx context.Context, p Peer) peerState {
	ctx, cancel := context.WithTimeout(ctx, 3*replyTimeout) // for the DNS query and the two commands of readView
	defer cancel()
	state := peerState{name: p.Host}
	addresses, err := n.resolver.LookupNetIP(ctx, "ip", p.Host)
	if err != nil || len(addresses) == 0 {
		n.log.Debug("peer has no address yet", "peer", p.Host, "error", err)
		return state
	}
	state.address = hostPort(addresses[0].Unmap(), p.Port)
	client := n.connect(state.address, User)
	defer client.Close()
	peerView, err := readView(ctx, client)
	if err != nil {
		n.log.Debug("peer does not respond", "peer", p.Host, "address", state.address, "error", err)
		return state
	}
	// DNS may still return the peer's old address, which now belongs to another node. Or
	// the peer has not announced its name yet.
	if peerView.self().name != p.Host {
		n.log.Debug("the peer's address belongs to another node", "peer", p.Host, "address", state.address, "name", peerView.self().name)
		return state
	}
	state.view = peerView
	return state
}

// hostPort returns HOST:PORT.
func hostPort(address netip.Addr, port int) string {
	return net.JoinHostPort(address.String(), strconv.Itoa(port))
}

// readView reads a node's view of the cluster. A node that still loads its data replies with an
// error, so it counts as absent.
func readView(ctx context.Context, node *redis.Client) (*view, error) {
	keys, err := node.DBSize(ctx).Result()
	if err != nil {
		return nil, err
	}
	output, err := node.ClusterNodes(ctx).Result()
	if err != nil {
		return nil, err
	}
	id, members, err := parseNodes(output)
	if err != nil {
		return nil, err
	}
	return &view{id: id, keys: keys, members: members}, nil
}

// readStatus returns the status of the node after the round's commands.
func (n *Node) readStatus(ctx context.Context, local *redis.Client, peers []peerState) Status {
	status := Status{Cluster: "unknown"}
	for i, p := range peers {
		if i != n.cfg.Self && p.view != nil {
			status.Peers++
		}
	}
	cluster, errCluster := local.ClusterInfo(ctx).Result()
	replication, errReplication := local.Info(ctx, "replication").Result()
	if err := errors.Join(errCluster, errReplication); err != nil {
		return failedStatus(err)
	}
	status.Cluster = fieldValue(cluster, "cluster_state")
	serves := len(peers[n.cfg.Self].view.self().slots) > 0
	if fieldValue(replication, "role") == "slave" {
		serves = fieldValue(replication, "master_link_status") == "up"
	}
	status.Member = status.Cluster == "ok" && serves
	return status
}

// fieldValue returns the value of a line NAME:VALUE in the output of INFO. It returns "" if there
// is no such line.
func fieldValue(text, name string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
