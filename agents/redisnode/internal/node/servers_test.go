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
	password = "nodepassword"
	replicas = 6
	shards   = 3
	// conf is the part of the design document's redis.conf that these tests need, with a
	// shorter cluster-node-timeout. rename-command removes the commands that nobody may
	// run.
	conf = `
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

	mu        sync.Mutex
	addresses [replicas]netip.Addr // the zero value means that there is no pod
	servers   [replicas]*exec.Cmd
	agents    [replicas]*Node
	stale     map[string]int // names that resolve to the address of another node
}

// resolveTo makes only the name of this node resolve to the address of another, as
// stale DNS does.
func (f *testCluster) resolveTo(node, other int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stale = map[string]int{name(node): other}
}

// resetDNS makes every name resolve to its own node's address.
func (f *testCluster) resetDNS() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stale = nil
}

// newTestCluster returns a cluster without running nodes.
func newTestCluster(t *testing.T) *testCluster {
	f := &testCluster{t: t, dir: t.TempDir(), port: freePort(t)}
	t.Cleanup(func() {
		for i := range replicas {
			f.kill(i)
		}
	})
	return f
}

// freePort returns a free port whose cluster bus port, 10,000 higher, is free
// too.
func freePort(t *testing.T) int {
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

// name returns the DNS name of node i.
func name(i int) string { return fmt.Sprintf("redis-cluster-%d.redis-cluster-service", i) }

// LookupNetIP is the DNS of the test cluster.
func (f *testCluster) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if to, ok := f.stale[host]; ok {
		host = name(to)
	}
	for i, a := range f.addresses {
		if host == name(i) && a.IsValid() {
			return []netip.Addr{a}, nil
		}
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// folder returns the folder with the data of node i.
func (f *testCluster) folder(i int) string { return filepath.Join(f.dir, strconv.Itoa(i)) }

// start starts the server of node i at 127.0.0.LAST with the data in its folder. extra are
// arguments of the server.
func (f *testCluster) start(i, last int, extra ...string) {
	f.t.Helper()
	require.NoError(f.t, os.MkdirAll(f.folder(i), 0o700))
	address := netip.AddrFrom4([4]byte{127, 0, 0, byte(last)})
	file := filepath.Join(f.folder(i), "redis.conf")
	require.NoError(f.t, os.WriteFile(file, []byte(conf+"dir "+f.folder(i)+"\nport "+strconv.Itoa(f.port)+"\nbind "+address.String()+"\n"), 0o600))
	log, err := os.OpenFile(filepath.Join(f.folder(i), "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(f.t, err)
	defer log.Close()
	cmd := exec.Command("redis-server", append([]string{file}, extra...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(f.t, cmd.Start(), "apt-get install redis-server")
	f.mu.Lock()
	f.servers[i], f.addresses[i] = cmd, address
	f.mu.Unlock()
	cfg := Config{
		Self: i, Shards: shards, Address: address, Password: password, Period: 100 * time.Millisecond,
		Server: net.JoinHostPort(address.String(), strconv.Itoa(f.port)),
	}
	for p := range replicas {
		cfg.Peers = append(cfg.Peers, Peer{Host: name(p), Port: f.port})
	}
	f.agents[i] = New(cfg, f, slog.New(slog.NewTextHandler(testWriter{f.t, i}, &slog.HandlerOptions{Level: slog.LevelInfo})))
	require.Eventually(f.t, func() bool { return f.client(i).Ping(f.t.Context()).Err() == nil }, 20*time.Second, 20*time.Millisecond,
		"node %d does not start; see its log in %s", i, f.folder(i))
}

// kill stops node i with SIGKILL and removes its address.
func (f *testCluster) kill(i int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if cmd := f.servers[i]; cmd != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		f.servers[i], f.addresses[i] = nil, netip.Addr{}
	}
}

// client returns a client of node i.
func (f *testCluster) client(i int) *redis.Client {
	c := f.agents[i].connect(f.agents[i].cfg.Server)
	f.t.Cleanup(func() { _ = c.Close() })
	return c
}

// round runs one round of every running node.
func (f *testCluster) round() {
	var all sync.WaitGroup
	for i := range replicas {
		if f.servers[i] != nil {
			all.Go(func() { f.agents[i].publish(f.agents[i].round(f.t.Context())) })
		}
	}
	all.Wait()
}

// runUntil runs rounds until done returns true, for at most a minute.
func (f *testCluster) runUntil(what string, done func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		f.round()
		if done() {
			return
		}
		if time.Now().After(deadline) {
			for i := range replicas {
				if f.servers[i] != nil {
					f.t.Logf("node %d: %+v\n%s", i, f.agents[i].Status(), f.client(i).ClusterNodes(f.t.Context()).Val())
				}
			}
			require.FailNow(f.t, "condition not reached within a minute: "+what)
		}
	}
}

// isHealthy reports whether all six nodes serve data and three are primaries.
// All tables must have the same epoch for each primary, because otherwise its
// replica could not be elected.
func (f *testCluster) isHealthy() bool {
	primaries := 0
	epochs := map[string]int64{}
	for i := range replicas {
		if f.servers[i] == nil || !f.agents[i].Status().Member || f.agents[i].Status().Peers != replicas-1 {
			return false
		}
		if f.role(i) == "master" {
			primaries++
		}
		for id, m := range f.members(i) {
			if known, ok := epochs[id]; ok && m.isPrimary && m.epoch != known {
				return false
			}
			epochs[id] = m.epoch
		}
	}
	return primaries == shards
}

// members returns node i's table.
func (f *testCluster) members(i int) map[string]member {
	f.t.Helper()
	_, members, err := parseNodes(f.client(i).ClusterNodes(f.t.Context()).Val())
	require.NoError(f.t, err)
	return members
}

// role returns the role that node i reports: master or slave.
func (f *testCluster) role(i int) string {
	return field(f.client(i).Info(f.t.Context(), "replication").Val(), "role")
}

// newClient returns a cluster client, as an application uses.
func (f *testCluster) newClient() *redis.ClusterClient {
	var addresses []string
	for i := range replicas {
		if f.servers[i] != nil {
			addresses = append(addresses, f.agents[i].cfg.Server)
		}
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addresses, Username: User, Password: password, DisableIdentity: true, MaxRedirects: 30})
	f.t.Cleanup(func() { _ = c.Close() })
	return c
}

// keys is the number of keys that writeKeys writes.
const keys = 300

// writeKeys writes all keys and waits until the replicas have them.
func (f *testCluster) writeKeys() {
	f.t.Helper()
	data := f.newClient()
	for k := range keys {
		require.NoError(f.t, data.Set(f.t.Context(), fmt.Sprintf("key-%d", k), k, 0).Err())
	}
	// A primary that dies loses the writes that no replica has yet. So wait until
	// the replicas have all keys.
	require.Eventually(f.t, func() bool {
		sum := int64(0)
		for i := range replicas {
			sum += f.client(i).DBSize(f.t.Context()).Val()
		}
		return sum == 2*keys
	}, 20*time.Second, 20*time.Millisecond)
}

// requireAllKeys requires that all keys have their values.
func (f *testCluster) requireAllKeys() {
	f.t.Helper()
	data := f.newClient()
	for k := range keys {
		require.Equal(f.t, strconv.Itoa(k), data.Get(f.t.Context(), fmt.Sprintf("key-%d", k)).Val(), "key-%d", k)
	}
}

// testWriter writes the log of node i to the test's log.
type testWriter struct {
	t *testing.T
	i int
}

// Write implements io.Writer.
func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%d: %s", w.i, strings.TrimSpace(string(p)))
	return len(p), nil
}
