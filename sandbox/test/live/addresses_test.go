package live

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// countDroppedPackets returns how many packets the iptables rules have dropped. The rules drop packets
// to addresses of the cluster that would leave this machine.
func countDroppedPackets(t *testing.T) int {
	t.Helper()
	dropped := 0
	for line := range strings.Lines(mustRun(t, "iptables", "-w", "5", "-t", "mangle", "-nvxL", "KUBE-CLUSTER-ADDRESSES")) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[2] == "DROP" {
			packets, err := strconv.Atoi(fields[0])
			require.NoError(t, err)
			dropped += packets
		}
	}
	return dropped
}

// TestPacketsForTheClusterStayInTheMachine connects to the last address for pods and to the
// last address for services. No pod and no service uses these addresses, so the connections
// must fail. Without the rule that drops the packets, a host outside the machine could answer
// requests to a pod that has just ended.
func TestPacketsForTheClusterStayInTheMachine(t *testing.T) {
	for _, address := range []string{"100.64.255.254:80", "100.65.255.254:80"} {
		droppedBefore := countDroppedPackets(t)
		_, err := net.DialTimeout("tcp", address, 500*time.Millisecond)
		require.Error(t, err, address)
		require.Greater(t, countDroppedPackets(t), droppedBefore, address)
	}
}
