package redistuning

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/datastore/servertest"
	"github.com/progressive-framework/platform/components/size"
)

var users = Users{Client: "clientpassword", Node: "nodepassword"}

// startServer runs redis-server with the file. It returns a function that connects a
// client to the server.
func startServer(t *testing.T, file string) func(user, password string) *redis.Client {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	require.NoError(t, err, "apt-get install redis-server")
	dir, port := servertest.NewDir(t), servertest.FreePort(t)
	conf, usersPath := filepath.Join(dir, "redis.conf"), filepath.Join(dir, "users.conf")
	file += "include " + usersPath + "\ndir " + dir + "\nbind 127.0.0.1\nport " + port + "\ncluster-port " + servertest.FreePort(t) + "\n"
	require.NoError(t, os.WriteFile(conf, []byte(file), 0o644))
	require.NoError(t, os.WriteFile(usersPath, []byte(users.File()), 0o644))
	connect := func(user, password string) *redis.Client {
		c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, Username: user, Password: password, DisableIdentity: true, MaxRetries: -1})
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	probe := connect("probe", "any")
	servertest.Start(t, servertest.Command(t, dir, nil, path, conf), func() bool { return probe.Ping(t.Context()).Err() == nil })
	return connect
}

// The test starts redis-server with the settings for three sizes of memory, and reads every
// setting back.
func TestRealServerAcceptsEverySetting(t *testing.T) {
	for _, memory := range []size.Size{size.MiB(64), size.GiB(1), size.GiB(4)} {
		t.Run(memory.String(), func(t *testing.T) {
			m, err := New(Inputs{Memory: memory})
			require.NoError(t, err)
			node := startServer(t, m.File())("node", users.Node)
			actual, err := node.ConfigGet(t.Context(), "*").Result()
			require.NoError(t, err)
			// CONFIG GET returns the limits of all classes of clients in one value. It writes "slave"
			// for a replica.
			limits := strings.Replace(actual["client-output-buffer-limit"], "slave", "replica", 1)
			for _, s := range m.settings {
				switch {
				case s.target == elastiCache:
					require.NotContains(t, actual, s.name)
				case s.name == "rename-command":
					command, _, _ := strings.Cut(s.conf, " ")
					require.ErrorContains(t, node.Do(t.Context(), command).Err(), "unknown command", command)
				case s.name == "client-output-buffer-limit":
					require.Contains(t, limits, s.configGet)
				case s.name == "notify-keyspace-events":
					require.ElementsMatch(t, strings.Split(s.configGet, ""), strings.Split(actual[s.name], ""))
				default:
					require.Equal(t, s.configGet, actual[s.name], s.name)
				}
			}
		})
	}
}

// The test runs commands as each user on a real server. The commands that clients, probes and
// agents/redisnode need must be allowed.
func TestUsersMayRunOnlyTheirCommands(t *testing.T) {
	m, err := New(Inputs{Memory: size.MiB(64)})
	require.NoError(t, err)
	connect := startServer(t, m.File())
	clients := map[string]*redis.Client{
		"default": connect("", users.Client), "node": connect("node", users.Node),
		"metrics": connect("metrics", users.Node), "metrics without password": connect("metrics", "any"), "probe": connect("probe", "any"), "without password": connect("", ""), "wrong password": connect("", "wrong"),
	}
	const denied, disabled = "NOPERM", "unknown command"
	for _, row := range []struct{ reason, user, command, want string }{
		{"a probe may ping", "probe", "PING", ""},
		{"a probe may not read keys", "probe", "GET k", denied},
		{"a probe may not read server information", "probe", "INFO", denied},
		{"the collector's client opens a connection", "metrics", "PING", ""},
		{"the collector reads the state of the node", "metrics", "INFO", ""},
		{"the collector reads the state of the cluster", "metrics", "CLUSTER INFO", ""},
		{"the collector counts slow commands", "metrics", "SLOWLOG LEN", ""},
		{"the collector reads the last slow command", "metrics", "SLOWLOG GET 1", ""},
		{"the collector may not delete what others read", "metrics", "SLOWLOG RESET", denied},
		{"the collector may not read keys", "metrics", "GET k", denied},
		{"the collector may not write keys", "metrics", "SET k v", denied},
		{"the collector may not run scripts", "metrics", "EVAL return 0", denied},
		{"the collector may not read settings, which have a password", "metrics", "CONFIG GET masterauth", denied},
		{"the collector may not change settings", "metrics", "CONFIG SET maxmemory 1", denied},
		{"the collector may not change the cluster", "metrics", "CLUSTER RESET", denied},
		{"the collector may not subscribe to events", "metrics", "SUBSCRIBE c", denied},
		{"the collector's user has a password", "metrics without password", "PING", "WRONGPASS"},
		{"a password is required", "without password", "PING", "NOAUTH"},
		{"a wrong password is refused", "wrong password", "PING", "WRONGPASS"},
		{"clients look up the slots", "default", "CLUSTER SLOTS", ""},
		{"clients look up the shards", "default", "CLUSTER SHARDS", ""},
		{"clients look up the commands", "default", "COMMAND COUNT", ""},
		{"clients publish", "default", "PUBLISH c m", ""},
		{"the metrics exporter reads INFO", "default", "INFO", ""},
		{"clients may not run SWAPDB, which could empty a database", "default", "SWAPDB 0 1", denied},
		{"clients may not list all keys", "default", "KEYS *", denied},
		{"clients may not change settings", "default", "CONFIG SET maxmemory 1", denied},
		{"clients may not change the cluster", "default", "CLUSTER RESET", denied},
		{"FLUSHALL is disabled for clients", "default", "FLUSHALL", disabled},
		{"FLUSHALL is disabled for nodes", "node", "FLUSHALL", disabled},
		{"SHUTDOWN is disabled, because the kubelet sends SIGTERM", "node", "SHUTDOWN", disabled},
		{"agents/redisnode lists nodes", "node", "CLUSTER NODES", ""},
		{"agents/redisnode joins nodes", "node", "CLUSTER MEET 127.0.0.1 1", ""},
		{"agents/redisnode raises the epoch", "node", "CLUSTER BUMPEPOCH", ""},
		{"agents/redisnode sets the host name", "node", "CONFIG SET cluster-announce-hostname here", ""},
		{"a replica connects to its primary", "node", "REPLCONF listening-port 1", ""},
	} {
		t.Run(row.user+" "+row.command, func(t *testing.T) {
			var args []any
			for _, word := range strings.Fields(row.command) {
				args = append(args, word)
			}
			err := clients[row.user].Do(t.Context(), args...).Err()
			if row.want == "" {
				require.NoError(t, err, row.reason)
				return
			}
			require.ErrorContains(t, err, row.want, row.reason)
		})
	}
}

// The test runs the probes' commands against a real server.
func TestProbesSucceedOnlyOnALiveOrReadyServer(t *testing.T) {
	m, err := New(Inputs{Memory: size.MiB(64)})
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(startServer(t, m.File())("", "").Options().Addr)
	require.NoError(t, err)
	run := func(port string, command []string) (string, error) {
		arguments := append([]string{"-h", "127.0.0.1", "-p", port}, command[1:]...)
		out, err := exec.CommandContext(t.Context(), command[0], arguments...).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	out, err := run(port, ReadyCommand)
	require.NoError(t, err)
	require.Equal(t, "PONG", out)
	out, err = run(port, LiveCommand)
	require.NoError(t, err, "a server that requires a password is alive")
	require.Contains(t, out, "NOAUTH")
	_, err = run(port, append(ReadyCommand[:len(ReadyCommand)-1:len(ReadyCommand)-1], "info"))
	require.Error(t, err, "a server that responds with an error is not ready")
	for _, command := range [][]string{LiveCommand, ReadyCommand} {
		_, err = run(servertest.FreePort(t), command)
		require.Error(t, err, "no server listens")
	}
}

// Redis refuses the comment after a value in the design document's file, so the
// model writes no comments.
func TestServerRefusesACommentAfterAValue(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "redis.conf")
	require.NoError(t, os.WriteFile(conf, []byte("slowlog-log-slower-than 10000  # 10ms\n"), 0o600))
	out, err := exec.CommandContext(t.Context(), "redis-server", conf, "--port", "0").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "wrong number of arguments")
}
