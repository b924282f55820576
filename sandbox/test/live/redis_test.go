package live

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// redis runs commands in the pods of the sandbox stack's Redis cluster.
type redis struct{ namespace string }

// keyCount is the number of keys that a test writes before a loss of pods and reads after it. With
// this number every primary has some keys.
const keyCount = 300

// recoveryLimit is how long the cluster may take to recover. It includes the start of new pods,
// and a failover, which takes several node timeouts of 5 s.
const recoveryLimit = 3 * time.Minute

func newRedis(t *testing.T) redis {
	t.Helper()
	return redis{namespace: stackOutput[string](t, "namespace")}
}

// redisCLI is the shell function redis_cli. It is redis-cli as the user of the nodes, which has
// all permissions. The pod has the password of this user in a file, so that neither the command
// nor its logged output contains a password.
const redisCLI = `redis_cli() { REDISCLI_AUTH="$(cat /etc/redis-auth/password)" redis-cli --user node "$@"; }
`

// runScript runs a shell script in a pod. The script calls redis_cli for commands of Redis.
func (r redis) runScript(t *testing.T, pod, script string) (string, error) {
	t.Helper()
	return run(t, "kubectl", "-n", r.namespace, "exec", pod, "-c", "redis", "--", "sh", "-c", redisCLI+script)
}

// writeKeys sets every key to a value that contains the name of the round. A round is one loss
// of pods: each round writes other values.
func (r redis) writeKeys(t *testing.T, round string) {
	t.Helper()
	out, err := r.runScript(t, "redis-cluster-0", fmt.Sprintf(`for i in $(seq %d); do redis_cli -c set key-$i %s-$i; done | grep -c OK`, keyCount, round))
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint(keyCount), strings.TrimSpace(out), "every write is acknowledged")
	time.Sleep(2 * time.Second) // a write is on disk after a second (appendfsync everysec)
}

// countKeys returns the number of keys that have the values of a round.
func (r redis) countKeys(t *testing.T, round string) string {
	t.Helper()
	out, _ := r.runScript(t, "redis-cluster-0", fmt.Sprintf(
		`for i in $(seq %d); do test "$(redis_cli -c get key-$i)" = %s-$i && echo same; done | grep -c same`, keyCount, round))
	return strings.TrimSpace(out)
}

// requireRecovery waits until the cluster has all its nodes, and requires that it has every
// key.
func (r redis) requireRecovery(t *testing.T, round string) {
	t.Helper()
	require.Eventually(t, func() bool {
		info, err := r.runScript(t, "redis-cluster-0", "redis_cli cluster info; redis_cli cluster nodes")
		return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:6") &&
			strings.Count(info, " master ")+strings.Count(info, "myself,master ") == 3 && !strings.Contains(info, "fail ") && !strings.Contains(info, "fail?")
	}, recoveryLimit, 3*time.Second, "three primaries and three replicas again")
	mustRun(t, "kubectl", "-n", r.namespace, "wait", "pod", "-l", "app=redis-cluster", "--for=condition=Ready", "--timeout=180s")
	require.Equal(t, fmt.Sprint(keyCount), r.countKeys(t, round), "every key is there")
}

// findPrimaries returns the names of the pods that are primaries now.
func (r redis) findPrimaries(t *testing.T) []string {
	t.Helper()
	var pods []string
	for i := range 6 {
		pod := fmt.Sprintf("redis-cluster-%d", i)
		out, err := r.runScript(t, pod, "redis_cli cluster nodes")
		require.NoError(t, err)
		if strings.Contains(out, "myself,master") {
			pods = append(pods, pod)
		}
	}
	return pods
}

func (r redis) killPods(t *testing.T, pods ...string) {
	t.Helper()
	mustRun(t, "kubectl", append([]string{"-n", r.namespace, "delete", "pod", "--grace-period=0", "--force"}, pods...)...)
}

// TestRedisSurvivesTheLossOfPods deletes each primary in turn, and then all pods at the same
// time. New pods have other addresses. No acknowledged write may be lost.
func TestRedisSurvivesTheLossOfPods(t *testing.T) {
	r := newRedis(t)
	primaries := r.findPrimaries(t)
	require.Len(t, primaries, 3)
	for _, pod := range primaries {
		t.Run("the loss of "+pod, func(t *testing.T) {
			r.writeKeys(t, pod)
			r.killPods(t, pod)
			r.requireRecovery(t, pod)
		})
	}
	t.Run("the loss of all", func(t *testing.T) {
		readAddresses := func() string {
			return mustRun(t, "kubectl", "-n", r.namespace, "get", "pods", "-l", "app=redis-cluster", "-o", "jsonpath={.items[*].status.podIP}")
		}
		addressesBefore := readAddresses()
		r.writeKeys(t, "all")
		var pods []string
		for i := range 6 {
			pods = append(pods, fmt.Sprintf("redis-cluster-%d", i))
		}
		r.killPods(t, pods...)
		r.requireRecovery(t, "all")
		require.NotEqual(t, addressesBefore, readAddresses(), "the pods have other addresses")
	})
}
