package live

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// databaseFaults returns the faults of PostgreSQL. Each is caused by sessions of the owner.
func databaseFaults(t *testing.T, namespace string) []runningFault {
	t.Helper()
	return []runningFault{
		{seededFault{"a slow statement", "database", "slow-query", "postgres statement", "reads too much"}, func() func() {
			// The number of columns differs in each run, so this is not the statement of an earlier
			// run. The counters of that statement may have been reset.
			slowSQL := "SELECT pg_sleep(0.15), 'literal of the fault'" + strings.Repeat(", 1", int(time.Now().Unix()%97))
			for range 6 {
				querySQL(t, slowSQL)
			}
			return func() {}
		}},
		{seededFault{"a lock that is held", "database", "lock-held", "postgres session", "does not end"}, func() func() {
			endHolder := startSession(t, namespace, "BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(90), 'fault-lock'; COMMIT", "fault-lock")
			require.Eventually(t, func() bool {
				return slices.Equal(querySQL(t, "SELECT count(*) FROM pg_locks WHERE relation = 'users'::regclass AND mode = 'AccessExclusiveLock' AND granted"), []string{"1"})
			}, 30*time.Second, time.Second)
			endWaiter := startSession(t, namespace, "SET statement_timeout = '80s'; SELECT count(*), 'fault-waiter' FROM users", "fault-waiter")
			return func() { endHolder(); endWaiter() }
		}},
		{seededFault{"a transaction that does nothing", "database", "transaction-idle", "postgres role", "forgot its transaction"}, func() func() {
			// The finding needs a minute. psql runs the command of the shell between two statements.
			return runInBackground(t, namespace, `exec psql -h "$SOCKETS" -U "$OWNER" -d "$DATABASE" -AtX -c BEGIN -c "$0" -c '\! sleep 120'`, "SELECT 'fault-idle'", "fault-idle")
		}},
		{seededFault{"connections near the limit", "database", "connections-near-limit", "postgres", "other clients"}, func() func() {
			limit, err := strconv.Atoi(querySQL(t, "SHOW max_connections")[0])
			require.NoError(t, err)
			open, err := strconv.Atoi(querySQL(t, "SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL")[0])
			require.NoError(t, err)
			// Two more than the threshold of 85 %. The rest stays free for the services.
			sessions := limit*85/100 + 3 - open
			require.Less(t, sessions, limit, "%d of %d connections are open", open, limit)
			if sessions <= 0 {
				return func() {}
			}
			return runInBackground(t, namespace, fmt.Sprintf(`for i in $(seq %d); do psql -h "$SOCKETS" -U "$OWNER" -d "$DATABASE" -AtX -c "$0" & done; wait`, sessions),
				"SELECT pg_sleep(240), 'fault-connection'", "fault-connection")
		}},
	}
}

// startSession runs SQL statements as the owner in the background. The returned function ends
// the session.
func startSession(t *testing.T, namespace, sql, marker string) (end func()) {
	t.Helper()
	return runInBackground(t, namespace, `exec psql -h "$SOCKETS" -U "$OWNER" -d "$DATABASE" -AtX -c "$0"`, sql, marker)
}

// runInBackground runs a shell script in the pod of PostgreSQL in the background. The script
// gets sql as $0. marker is a word that only the statements of the script have. The returned
// function ends the sessions and waits for the script. The test also calls this function at its
// end.
func runInBackground(t *testing.T, namespace, script, sql, marker string) (end func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = run(t, "kubectl", "-n", namespace, "exec", "postgres-0", "-c", "postgres", "--", "sh", "-c", script, sql)
	}()
	end = sync.OnceFunc(func() {
		_, _ = runSQL(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%"+marker+"%' AND pid <> pg_backend_pid()")
		<-done
	})
	t.Cleanup(end)
	return end
}

// agentFaults returns the faults of the cache and of an agent. The faults need load. The first
// fault starts the load, and the load ends after the second fault. No request is repeated, so
// no response is in the cache.
func agentFaults(t *testing.T, namespace, token string) []runningFault {
	t.Helper()
	var npa podProcesses
	loadEnded := make(chan struct{})
	startLoad := func() {
		t.Cleanup(func() { <-loadEnded })
		go func() {
			defer close(loadEnded)
			_, _ = run(t, "pf", "load", "--stack", "sandbox", "--token-file", token, "--only", "agents", "--agents-rate", "15", "--uncached", "--duration", "4m")
		}()
	}
	return []runningFault{
		// pf diagnose judges a cache only after 1000 reads. npa reads the cache ten times a
		// second, so this takes 100 s.
		{seededFault{"a cold cache", "cache", "cache-cold", "in redis", "emptied"}, func() func() {
			r := newRedis(t)
			for _, pod := range r.findPrimaries(t) {
				_, err := r.runScript(t, pod, "redis_cli flushall")
				require.NoError(t, err)
			}
			startLoad()
			return func() {}
		}},
		// The kubelet restarts a container that does not answer for 75 s.
		{seededFault{"an agent that hangs", "agents", "breaker-open|agent-requests-failing", "npa", "the agent"}, func() func() {
			npa.freeze(t, namespace, "app=npa")
			return func() {
				npa.thaw()
				<-loadEnded
				mustRun(t, "kubectl", "-n", namespace, "rollout", "status", "deployment/npa", "--timeout=3m")
			}
		}},
	}
}

// awaitRedis waits until the Redis Cluster serves all slots and all its pods are ready.
func awaitRedis(t *testing.T, namespace string, r redis) {
	t.Helper()
	require.Eventually(t, func() bool {
		out, err := r.runScript(t, "redis-cluster-0", "redis_cli cluster info")
		return err == nil && strings.Contains(out, "cluster_state:ok") && strings.Contains(out, "cluster_slots_fail:0")
	}, recoveryLimit, 3*time.Second)
	mustRun(t, "kubectl", "-n", namespace, "wait", "pod", "-l", "app=redis-cluster", "--for=condition=Ready", "--timeout=180s")
}

// redisPrimaryFault returns the fault of a primary that is deleted. Its replica takes over
// within seconds. So pf diagnose may report the node that is down, or the slots without a
// primary.
func redisPrimaryFault(t *testing.T, namespace string) runningFault {
	t.Helper()
	r := newRedis(t)
	return runningFault{seededFault{"a deleted Redis primary", "database", "redis-node-down|redis-primary-lost", "redis-cluster", ""}, func() func() {
		r.killPods(t, r.findPrimaries(t)[0])
		return func() { awaitRedis(t, namespace, r) }
	}}
}

// redisFaults returns further faults of Redis' nodes.
func redisFaults(t *testing.T, namespace string) []runningFault {
	t.Helper()
	r := newRedis(t)
	return []runningFault{
		{seededFault{"evictions", "database", "redis-evicting", "statefulset/redis-cluster", "does not fit"}, func() func() {
			out, err := r.runScript(t, r.findPrimaries(t)[0], evictingScript)
			require.NoError(t, err)
			evicted, err := strconv.Atoi(strings.TrimSpace(out))
			require.NoError(t, err, out)
			require.Greater(t, evicted, 100, "the threshold of the finding")
			return func() {}
		}},
		// Without the replica no other node takes over, so the cluster serves only a part of its slots.
		{seededFault{"a Redis primary that hangs with its replica", "database", "redis-primary-lost", "pod/redis-cluster", "lost its primary"}, func() func() {
			var primary, replica podProcesses
			pod, replicaPod := r.findShard(t)
			primary.freeze(t, namespace, "statefulset.kubernetes.io/pod-name="+pod)
			replica.freeze(t, namespace, "statefulset.kubernetes.io/pod-name="+replicaPod)
			return func() {
				primary.thaw()
				replica.thaw()
				awaitRedis(t, namespace, r)
			}
		}},
	}
}

// evictingScript fills the memory of a primary for a second and prints the number of evicted
// keys. The script announces a value as large as maxmemory and does not send the value. Redis
// reserves the memory at once, and evicts keys. But no value is stored, so neither the disk nor
// the replica gets one. The script writes 900 keys. The primary has about a third of their
// slots and refuses the other keys.
const evictingScript = `
evicted() { redis_cli info stats | sed -n 's/^evicted_keys:\([0-9]*\).*/\1/p'; }
before=$(evicted)
for i in $(seq 900); do echo "SETEX fault-$i 300 x"; done | redis_cli >/dev/null
size=$(redis_cli info memory | sed -n 's/^maxmemory:\([0-9]*\).*/\1/p')
{ printf '*3\r\n$3\r\nSET\r\n$7\r\nfault-0\r\n$%s\r\n' "$size"; sleep 1; } | redis_cli --pipe --pipe-timeout 1 >/dev/null 2>&1 &
for i in 1 2 3 4 5 6 7 8; do sleep 0.1; redis_cli ping >/dev/null; done
after=$(evicted)
wait
for i in $(seq 900); do echo "DEL fault-$i"; done | redis_cli >/dev/null
echo $((after - before))
`

// findShard returns a primary and its replica, as names of pods.
func (r redis) findShard(t *testing.T) (primary, replica string) {
	t.Helper()
	primaries, replicas := map[string]string{}, map[string]string{} // by the ID of the primary
	for i := range 6 {
		pod := fmt.Sprintf("redis-cluster-%d", i)
		out, err := r.runScript(t, pod, "redis_cli cluster nodes | grep myself")
		require.NoError(t, err)
		fields := strings.Fields(out) // ID, address, flags, ID of the primary or "-"
		require.Greater(t, len(fields), 3, out)
		if fields[3] == "-" {
			primaries[fields[0]] = pod
		} else {
			replicas[fields[3]] = pod
		}
	}
	for id, pod := range primaries {
		if replicas[id] != "" {
			return pod, replicas[id]
		}
	}
	t.Fatal("no primary has a replica")
	return "", ""
}
