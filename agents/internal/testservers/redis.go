package testservers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/rueidis"
)

// slotCount is the number of hash slots of a Redis Cluster (cluster specification).
const slotCount = 16384

// Redis is a Redis Cluster. Nodes 0 to primaryCount-1 start as primaries, the other nodes as
// replicas.
type Redis struct {
	dir   string
	nodes []*redisNode
}

// redisNode is one server of the cluster.
type redisNode struct {
	dir       string
	port, bus int      // bus is the port for the other nodes of the cluster
	process   *process // nil after Kill
}

// StartRedis starts a cluster of three primaries, and this number of replicas for each
// primary. The cluster stores no data on disk. Close ends its nodes.
func StartRedis(ctx context.Context, replicas int) (*Redis, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("redis-server is not on this machine: install Debian's redis-server: %w", err)
	}
	dir, err := os.MkdirTemp("", "testservers-redis-")
	if err != nil {
		return nil, err
	}
	r := &Redis{dir: dir}
	if err := r.start(ctx, program, replicas); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// primaryCount is the number of primaries. A failover in Redis Cluster needs at least three,
// and the client in the design document has three nodes.
const primaryCount = 3

// start starts all nodes and joins them to a cluster.
func (r *Redis) start(ctx context.Context, program string, replicas int) error {
	count := primaryCount * (1 + replicas)
	ports, err := findFreePorts(ctx, 2*count)
	if err != nil {
		return err
	}
	for i := range count {
		node := &redisNode{dir: filepath.Join(r.dir, strconv.Itoa(i)), port: ports[2*i], bus: ports[2*i+1]}
		if err := os.Mkdir(node.dir, 0o700); err != nil {
			return err
		}
		if err := node.start(program); err != nil {
			return err
		}
		r.nodes = append(r.nodes, node)
	}
	return r.join(ctx)
}

// start starts the node's server.
func (n *redisNode) start(program string) (err error) {
	n.process, err = spawn(n.dir, program, []string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(n.port), "--cluster-port", strconv.Itoa(n.bus),
		"--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--save", "", "--appendonly", "no",
	}, nil)
	return err
}

// join joins the nodes into one cluster, and waits until the cluster is healthy.
func (r *Redis) join(ctx context.Context) error {
	ids := make([]string, len(r.nodes))
	for i, node := range r.nodes {
		id, err := node.do(ctx, "CLUSTER", "MYID")
		if err != nil {
			return err
		}
		ids[i] = id
		if _, err := node.do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1)); err != nil {
			return err
		}
		if i < primaryCount {
			first, last := i*slotCount/primaryCount, (i+1)*slotCount/primaryCount-1
			if _, err := node.do(ctx, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(first), strconv.Itoa(last)); err != nil {
				return err
			}
		}
		if i > 0 {
			if _, err := node.do(ctx, "CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(r.nodes[0].port), strconv.Itoa(r.nodes[0].bus)); err != nil {
				return err
			}
		}
	}
	for i, node := range r.nodes[primaryCount:] {
		if err := node.waitUntil(ctx, func() bool {
			_, err := node.do(ctx, "CLUSTER", "REPLICATE", ids[i%primaryCount])
			return err == nil // Redis refuses until this node has the primary in its node table
		}); err != nil {
			return err
		}
	}
	return r.WaitHealthy(ctx)
}

// healthyTimeout bounds the wait for a healthy cluster. On an idle machine the
// wait takes seconds.
const healthyTimeout = 2 * time.Minute

// WaitHealthy waits until every running node reports that all slots are served, and
// that each replica is connected to its primary. After two minutes it returns an error
// with the output of CLUSTER NODES.
func (r *Redis) WaitHealthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthyTimeout)
	defer cancel()
	for i, node := range r.nodes {
		if node.process == nil {
			continue
		}
		startedAsReplica := i >= primaryCount
		if err := node.waitUntil(ctx, func() bool { return node.seesHealthyCluster(ctx, len(r.nodes), startedAsReplica) }); err != nil {
			nodesCtx, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer stop()
			nodes, _ := node.do(nodesCtx, "CLUSTER", "NODES")
			return fmt.Errorf("node %d does not see a healthy cluster: %w\n%s", i, err, nodes)
		}
	}
	return nil
}

// seesHealthyCluster reports whether the node reports that the cluster has nodeCount nodes
// and serves all slots. A node that started as a replica must also be connected to its
// primary, or be a primary after a failover.
func (n *redisNode) seesHealthyCluster(ctx context.Context, nodeCount int, startedAsReplica bool) bool {
	info, err := n.do(ctx, "CLUSTER", "INFO")
	if err != nil {
		return false
	}
	servesAllSlots := strings.Contains(info, "cluster_state:ok")
	seesAllNodes := strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", nodeCount))
	if !servesAllSlots || !seesAllNodes {
		return false
	}
	if !startedAsReplica {
		return true
	}
	replication, err := n.do(ctx, "INFO", "replication")
	return err == nil && (strings.Contains(replication, "master_link_status:up") || strings.Contains(replication, "role:master"))
}

// waitUntil calls condition repeatedly until condition returns true. It returns an error if
// the server exits or ctx ends.
func (n *redisNode) waitUntil(ctx context.Context, condition func() bool) error {
	for !condition() {
		select {
		case <-n.process.done:
			return fmt.Errorf("redis-server exited:\n%s", n.process.readLogTail())
		case <-ctx.Done():
			return fmt.Errorf("wait for redis-server: %w\n%s", ctx.Err(), n.process.readLogTail())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// do sends one command to the node on a new connection, and returns the reply as text.
func (n *redisNode) do(ctx context.Context, args ...string) (string, error) {
	client, err := n.connect(ctx)
	if err != nil {
		return "", err
	}
	defer client.Close()
	reply, err := client.Do(ctx, client.B().Arbitrary(args...).Build()).ToAny()
	if err != nil {
		return "", fmt.Errorf("redis command %s: %w", strings.Join(args, " "), err)
	}
	return fmt.Sprint(reply), nil
}

// connect returns a connected client. It waits until the node listens.
func (n *redisNode) connect(ctx context.Context) (client rueidis.Client, err error) {
	waitErr := n.waitUntil(ctx, func() bool {
		client, err = rueidis.NewClient(rueidis.ClientOption{
			InitAddress: []string{n.address()}, ForceSingleClient: true, DisableCache: true, DisableRetry: true,
		})
		return err == nil
	})
	return client, errors.Join(waitErr, err)
}

func (n *redisNode) address() string { return fmt.Sprintf("127.0.0.1:%d", n.port) }

// Addresses returns HOST:PORT of the first three nodes. The client in the design
// document has three addresses.
func (r *Redis) Addresses() []string {
	addresses := make([]string, primaryCount)
	for i := range addresses {
		addresses[i] = r.nodes[i].address()
	}
	return addresses
}

// Do sends one command to one node and returns its reply as text.
func (r *Redis) Do(ctx context.Context, node int, args ...string) (string, error) {
	return r.nodes[node].do(ctx, args...)
}

// Kill ends a node with SIGKILL, as a crash does.
func (r *Redis) Kill(node int) error {
	n := r.nodes[node]
	if n.process == nil {
		return nil
	}
	err := n.process.end(syscall.SIGKILL)
	n.process = nil
	return err
}

// Freeze stops a node with SIGSTOP. Like a machine that hangs, the node keeps its
// connections open and does not respond. thaw lets the node continue.
func (r *Redis) Freeze(node int) (thaw func() error, err error) {
	p := r.nodes[node].process.cmd.Process
	return func() error { return p.Signal(syscall.SIGCONT) }, p.Signal(syscall.SIGSTOP)
}

// Restart starts a killed node. The node has lost its data, but is still a member
// of the cluster.
func (r *Redis) Restart(node int) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return err
	}
	return r.nodes[node].start(program)
}

// Close ends every node and removes the files of all nodes.
func (r *Redis) Close() error {
	var errs []error
	for i := range r.nodes {
		errs = append(errs, r.Kill(i))
	}
	return errors.Join(append(errs, os.RemoveAll(r.dir))...)
}
