package node

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

const (
	password  = "nodepassword"
	nodeCount = 6
	shards    = 3
	// redisConf is the part of the design document's redis.conf that these tests need, with a
	// shorter cluster-node-timeout. rename-command removes the commands that nobody may
	// run. The users have the permissions of components/redis/redistuning.
	redisConf = `
cluster-enabled yes
cluster-config-file nodes.conf
cluster-node-timeout 1000
appendonly yes
appendfsync no
save ""
repl-diskless-sync-delay 0
rename-command FLUSHDB ""
rename-command FLUSHALL ""
rename-command DEBUG ""
rename-command SHUTDOWN ""
user default off
user node reset on ~* &* +@all >` + password + `
user metrics reset on resetkeys resetchannels -@all +ping +info +slowlog|len +slowlog|get +cluster|info >` + password + `
masteruser node
masterauth ` + password + `
`
)

// testCluster is six Redis servers on loopback addresses with their DNS names.
// It stands in for a StatefulSet and its headless Service.
type testCluster struct {
	t    *testing.T
	dir  string
	port int

	mu         sync.Mutex
	addresses  [nodeCount]netip.Addr // the zero value means that there is no pod
	servers    [nodeCount]*exec.Cmd
	nodes      [nodeCount]*Node
	staleNames map[string]int // names that resolve to the address of another node
}

// resolveTo makes only the name of this node resolve to the address of another node, as stale
// DNS does.
func (c *testCluster) resolveTo(node, other int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.staleNames = map[string]int{nodeName(node): other}
}

// resetDNS makes every name resolve to its own node's address.
func (c *testCluster) resetDNS() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.staleNames = nil
}

// newTestCluster returns a cluster without running nodes.
func newTestCluster(t *testing.T) *testCluster {
	c := &testCluster{t: t, dir: t.TempDir(), port: findFreePort(t)}
	t.Cleanup(func() {
		for i := range nodeCount {
			c.kill(i)
		}
	})
	return c
}

// findFreePort returns a free port. Its cluster bus port is also free. The cluster bus port
// is 10,000 higher.
func findFreePort(t *testing.T) int {
	t.Helper()
	for port := 21000; port < 29000; port++ {
		client, err := net.Listen("tcp", "0.0.0.0:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		bus, err := net.Listen("tcp", "0.0.0.0:"+strconv.Itoa(port+10_000))
		require.NoError(t, client.Close())
		if err != nil {
			continue
		}
		require.NoError(t, bus.Close())
		return port
	}
	require.FailNow(t, "no free pair of ports")
	return 0
}

// nodeName returns the DNS name of node i.
func nodeName(i int) string { return fmt.Sprintf("redis-cluster-%d.redis-cluster-service", i) }

// LookupNetIP resolves the DNS names of the test cluster. It implements Resolver.
func (c *testCluster) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if other, ok := c.staleNames[host]; ok {
		host = nodeName(other)
	}
	for i, address := range c.addresses {
		if host == nodeName(i) && address.IsValid() {
			return []netip.Addr{address}, nil
		}
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// folder returns the folder with the data of node i.
func (c *testCluster) folder(i int) string { return filepath.Join(c.dir, strconv.Itoa(i)) }

// start starts the server of node i at 127.0.0.lastByte with the data in its folder. extraArgs are
// arguments of the server.
func (c *testCluster) start(i, lastByte int, extraArgs ...string) {
	c.t.Helper()
	require.NoError(c.t, os.MkdirAll(c.folder(i), 0o700))
	address := netip.AddrFrom4([4]byte{127, 0, 0, byte(lastByte)})
	file := filepath.Join(c.folder(i), "redis.conf")
	require.NoError(c.t, os.WriteFile(file, []byte(redisConf+"dir "+c.folder(i)+"\nport "+strconv.Itoa(c.port)+"\nbind "+address.String()+"\n"), 0o600))
	log, err := os.OpenFile(filepath.Join(c.folder(i), "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(c.t, err)
	defer log.Close()
	cmd := exec.Command("redis-server", append([]string{file}, extraArgs...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(c.t, cmd.Start(), "apt-get install redis-server")
	c.mu.Lock()
	c.servers[i], c.addresses[i] = cmd, address
	c.mu.Unlock()
	cfg := Config{
		Self: i, Shards: shards, Address: address, Password: password, Period: 100 * time.Millisecond,
		RedisAddress: net.JoinHostPort(address.String(), strconv.Itoa(c.port)),
	}
	for peer := range nodeCount {
		cfg.Peers = append(cfg.Peers, Peer{Host: nodeName(peer), Port: c.port})
	}
	c.nodes[i] = New(cfg, c, slog.New(slog.NewTextHandler(testWriter{c.t, i}, &slog.HandlerOptions{Level: slog.LevelInfo})))
	require.Eventually(c.t, func() bool { return c.client(i).Ping(c.t.Context()).Err() == nil }, 20*time.Second, 20*time.Millisecond,
		"node %d does not start; see its log in %s", i, c.folder(i))
}

// kill stops node i with SIGKILL and removes its address.
func (c *testCluster) kill(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cmd := c.servers[i]; cmd != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		c.servers[i], c.addresses[i] = nil, netip.Addr{}
	}
}

// client returns a client of node i.
func (c *testCluster) client(i int) *redis.Client {
	client := c.nodes[i].connect(c.nodes[i].cfg.RedisAddress, User)
	c.t.Cleanup(func() { _ = client.Close() })
	return client
}

// runRound runs one round of every running node.
func (c *testCluster) runRound() {
	var rounds sync.WaitGroup
	for i := range nodeCount {
		if c.servers[i] != nil {
			rounds.Go(func() { c.nodes[i].publish(c.nodes[i].runRound(c.t.Context())) })
		}
	}
	rounds.Wait()
}

// runUntil runs rounds until done returns true, for at most a minute. condition is the text of
// the condition for the error.
func (c *testCluster) runUntil(condition string, done func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		c.runRound()
		if done() {
			return
		}
		if time.Now().After(deadline) {
			for i := range nodeCount {
				if c.servers[i] != nil {
					c.t.Logf("node %d: %+v\n%s", i, c.nodes[i].Status(), c.client(i).ClusterNodes(c.t.Context()).Val())
				}
			}
			require.FailNow(c.t, "condition not reached within a minute: "+condition)
		}
	}
}

// isHealthy reports whether all six nodes serve data and three are primaries.
// All tables must have the same epoch for each primary, because otherwise its
// replica could not be elected.
func (c *testCluster) isHealthy() bool {
	primaries := 0
	epochs := map[string]int64{}
	for i := range nodeCount {
		if c.servers[i] == nil || !c.nodes[i].Status().Member || c.nodes[i].Status().Peers != nodeCount-1 {
			return false
		}
		if c.readRole(i) == "master" {
			primaries++
		}
		for id, m := range c.readMembers(i) {
			if epoch, ok := epochs[id]; ok && m.isPrimary && m.epoch != epoch {
				return false
			}
			epochs[id] = m.epoch
		}
	}
	return primaries == shards
}

// readMembers returns node i's table.
func (c *testCluster) readMembers(i int) map[string]member {
	c.t.Helper()
	_, members, err := parseNodes(c.client(i).ClusterNodes(c.t.Context()).Val())
	require.NoError(c.t, err)
	return members
}

// readRole returns the role that node i reports: master or slave.
func (c *testCluster) readRole(i int) string {
	return fieldValue(c.client(i).Info(c.t.Context(), "replication").Val(), "role")
}

// newClusterClient returns a cluster client, as an application uses.
func (c *testCluster) newClusterClient() *redis.ClusterClient {
	var addresses []string
	for i := range nodeCount {
		if c.servers[i] != nil {
			addresses = append(addresses, c.nodes[i].cfg.RedisAddress)
		}
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addresses, Username: User, Password: password, DisableIdentity: true, MaxRedirects: 30})
	c.t.Cleanup(func() { _ = client.Close() })
	return client
}

// keyCount is the number of keys that writeKeys writes.
const keyCount = 300

// writeKeys writes all keys and waits until the replicas have them.
func (c *testCluster) writeKeys() {
	c.t.Helper()
	client := c.newClusterClient()
	for k := range keyCount {
		require.NoError(c.t, client.Set(c.t.Context(), fmt.Sprintf("key-%d", k), k, 0).Err())
	}
	// A primary that dies loses the writes that no replica has yet. So wait until
	// the replicas have all keys.
	require.Eventually(c.t, func() bool {
		sum := int64(0)
		for i := range nodeCount {
			sum += c.client(i).DBSize(c.t.Context()).Val()
		}
		return sum == 2*keyCount // a primary and its replica each have the key
	}, 20*time.Second, 20*time.Millisecond)
}

// requireAllKeys requires that all keys have their values.
func (c *testCluster) requireAllKeys() {
	c.t.Helper()
	client := c.newClusterClient()
	for k := range keyCount {
		require.Equal(c.t, strconv.Itoa(k), client.Get(c.t.Context(), fmt.Sprintf("key-%d", k)).Val(), "key-%d", k)
	}
}

// testWriter writes the log of node i to the test's log.
type testWriter struct {
	t    *testing.T
	node int
}

// Write implements io.Writer.
func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%d: %s", w.node, strings.TrimSpace(string(p)))
	return len(p), nil
}
