package redistuning

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/size"
)

var users = Users{Client: "clientpassword", Node: "nodepassword"}

// start runs the real server with the file and says how to connect.
func start(t *testing.T, file string) func(user, password string) *redis.Client {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	require.NoError(t, err, "apt-get install redis-server")
	dir := t.TempDir()
	included := filepath.Join(dir, "users.conf")
	require.NoError(t, os.WriteFile(included, []byte(users.File()), 0o600))
	port, bus := freePort(t), freePort(t)
	file += "include " + included + "\ndir " + dir + "\nbind 127.0.0.1\nport " + port + "\ncluster-port " + bus + "\n"
	conf := filepath.Join(dir, "redis.conf")
	require.NoError(t, os.WriteFile(conf, []byte(file), 0o600))

	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	defer log.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, conf)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	connect := func(user, password string) *redis.Client {
		c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, Username: user, Password: password, DisableIdentity: true, MaxRetries: -1})
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	probe := connect("probe", "any")
	require.Eventually(t, func() bool { return probe.Ping(t.Context()).Err() == nil }, 20*time.Second, 10*time.Millisecond, "%s", func() string {
		text, _ := os.ReadFile(log.Name())
		return string(text)
	})
	return connect
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return port
}

// TestARealServerAgrees starts redis-server with the rendered file at three
// sizes and reads every value back.
func TestARealServerAgrees(t *testing.T) {
	for _, memory := range []size.Size{size.MiB(64), size.GiB(1), size.GiB(4)} {
		t.Run(memory.String(), func(t *testing.T) {
			m, err := New(Inputs{Memory: memory})
			require.NoError(t, err)
			node := start(t, m.File())("node", users.Node)
			has, err := node.ConfigGet(t.Context(), "*").Result()
			require.NoError(t, err)
			// All classes come in one answer, the replica's under its old name.
			limits := strings.Replace(has["client-output-buffer-limit"], "slave", "replica", 1)
			for _, s := range m.settings {
				switch {
				case s.where == managedOnly:
					require.NotContains(t, has, s.name)
				case s.name == "rename-command":
					command, _, _ := strings.Cut(s.conf, " ")
					require.ErrorContains(t, node.Do(t.Context(), command).Err(), "unknown command", command)
				case s.name == "client-output-buffer-limit":
					require.Contains(t, limits, s.read)
				case s.name == "notify-keyspace-events":
					require.ElementsMatch(t, strings.Split(s.read, ""), strings.Split(has[s.name], ""))
				default:
					require.Equal(t, s.read, has[s.name], s.name)
				}
			}
		})
	}
}

// TestUsers: what each user may and may not do, on the real server. No command
// that a client, a probe or the bootstrap of ours needs is renamed or denied.
func TestUsers(t *testing.T) {
	m, err := New(Inputs{Memory: size.MiB(64)})
	require.NoError(t, err)
	connect := start(t, m.File())
	clients := map[string]*redis.Client{
		"default": connect("", users.Client), "node": connect("node", users.Node),
		"probe": connect("probe", "any"), "stranger": connect("", ""), "forged": connect("", "wrong"),
	}
	const denied, renamed = "NOPERM", "unknown command"
	for _, row := range []struct{ reason, user, command, says string }{
		{"probes", "probe", "PING", ""},
		{"a probe reads nothing", "probe", "GET k", denied},
		{"a probe learns nothing", "probe", "INFO", denied},
		{"nobody without a password", "stranger", "PING", "NOAUTH"},
		{"nobody with a wrong one", "forged", "PING", "WRONGPASS"},
		{"clients find the slots", "default", "CLUSTER SLOTS", ""},
		{"clients find the shards", "default", "CLUSTER SHARDS", ""},
		{"clients learn the commands", "default", "COMMAND COUNT", ""},
		{"clients publish", "default", "PUBLISH c m", ""},
		{"the exporter", "default", "INFO", ""},
		{"no client empties a node by its other name", "default", "SWAPDB 0 1", denied},
		{"no client lists all keys", "default", "KEYS *", denied},
		{"no client changes settings", "default", "CONFIG SET maxmemory 1", denied},
		{"no client changes the cluster", "default", "CLUSTER RESET", denied},
		{"FLUSHALL is gone", "default", "FLUSHALL", renamed},
		{"for the node itself too", "node", "FLUSHALL", renamed},
		{"SHUTDOWN is gone; the kubelet sends SIGTERM", "node", "SHUTDOWN", renamed},
		{"the bootstrap", "node", "CLUSTER NODES", ""},
		{"the bootstrap", "node", "CLUSTER MEET 127.0.0.1 1", ""},
		{"the bootstrap", "node", "CLUSTER BUMPEPOCH", ""},
		{"the bootstrap", "node", "CONFIG SET cluster-announce-hostname here", ""},
		{"a replica", "node", "REPLCONF listening-port 1", ""},
	} {
		t.Run(row.user+" "+row.command, func(t *testing.T) {
			var args []any
			for _, word := range strings.Fields(row.command) {
				args = append(args, word)
			}
			err := clients[row.user].Do(t.Context(), args...).Err()
			if row.says == "" {
				require.NoError(t, err, row.reason)
				return
			}
			require.ErrorContains(t, err, row.says, row.reason)
		})
	}
}

// TestProbes runs the probes' own commands.
func TestProbes(t *testing.T) {
	m, err := New(Inputs{Memory: size.MiB(64)})
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(start(t, m.File())("", "").Options().Addr)
	require.NoError(t, err)
	run := func(port string, command []string) (string, error) {
		at := append([]string{"-h", "127.0.0.1", "-p", port}, command[1:]...)
		out, err := exec.CommandContext(t.Context(), command[0], at...).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	out, err := run(port, ReadyCommand)
	require.NoError(t, err)
	require.Equal(t, "PONG", out)
	out, err = run(port, LiveCommand)
	require.NoError(t, err, "a server that asks for a password lives")
	require.Contains(t, out, "NOAUTH")
	_, err = run(port, append(ReadyCommand[:len(ReadyCommand)-1:len(ReadyCommand)-1], "info"))
	require.Error(t, err, "an error is not ready")
	for _, command := range [][]string{LiveCommand, ReadyCommand} {
		_, err = run(freePort(t), command)
		require.Error(t, err, "nobody answers")
	}
}

// TestTheDocumentsOwnFileIsRefused is why the model writes no comments behind
// values.
func TestTheDocumentsOwnFileIsRefused(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "redis.conf")
	require.NoError(t, os.WriteFile(conf, []byte("slowlog-log-slower-than 10000  # 10ms\n"), 0o600))
	out, err := exec.CommandContext(t.Context(), "redis-server", conf, "--port", "0").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "wrong number of arguments")
}
