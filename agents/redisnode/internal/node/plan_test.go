package node

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
	"github.com/progressive-framework/platform/agents/internal/httpserver"
)

// nodeAddress returns the address of node i.
func nodeAddress(i int) string { return fmt.Sprintf("192.0.2.%d:6379", i) }

// nodeID returns the id of node i.
func nodeID(i int) string { return fmt.Sprintf("id-%d", i) }

// formedCluster returns the state of six nodes in a complete cluster. Nodes 0, 1 and 2 own the
// slots, and 3, 4 and 5 are their replicas.
func formedCluster() []peerState {
	peers := isolatedNodes()
	for _, p := range peers {
		for i := range nodeCount {
			m := member{id: nodeID(i), address: nodeAddress(i), isPrimary: i < shards, connected: true}
			if i < shards {
				m.slots = []slotRange{slotShare(i, shards)}
			} else {
				m.primaryID = nodeID(i - shards)
			}
			p.view.members[m.id] = m
		}
	}
	return peers
}

// isolatedNodes returns the state of six nodes. Each table contains only the node itself.
func isolatedNodes() []peerState {
	var peers []peerState
	for i := range nodeCount {
		peers = append(peers, peerState{name: nodeName(i), address: nodeAddress(i), view: &view{
			id: nodeID(i), members: map[string]member{nodeID(i): {id: nodeID(i), address: nodeAddress(i), isPrimary: true, connected: true}},
		}})
	}
	return peers
}

// joinedNodes returns the state of six nodes. Each table contains all nodes, but no slots.
func joinedNodes() []peerState {
	peers := isolatedNodes()
	for _, p := range peers {
		for i := range nodeCount {
			p.view.members[nodeID(i)] = member{id: nodeID(i), address: nodeAddress(i), isPrimary: true, connected: true}
		}
	}
	return peers
}

// editEntry changes the entry of node subject in the table of node viewer.
func editEntry(peers []peerState, viewer, subject int, change func(*member)) {
	m := peers[viewer].view.members[nodeID(subject)]
	change(&m)
	peers[viewer].view.members[nodeID(subject)] = m
}

func TestNextCommandsFormTheClusterAndKeepData(t *testing.T) {
	for _, row := range []struct {
		reason   string
		self     int
		peers    func() []peerState
		commands string
		problem  string
	}{
		{"a complete cluster needs no command", 0, formedCluster, "", ""},
		{"nodes without data join", 5, isolatedNodes, "CLUSTER MEET 192.0.2.0 6379 CLUSTER MEET 192.0.2.1 6379 CLUSTER MEET 192.0.2.2 6379 CLUSTER MEET 192.0.2.3 6379 CLUSTER MEET 192.0.2.4 6379", ""},
		{"the first node takes the first share", 0, joinedNodes, "CLUSTER ADDSLOTSRANGE 0 5460", ""},
		{"the third node takes the last share", 2, joinedNodes, "CLUSTER ADDSLOTSRANGE 10922 16383", ""},
		{"a replica waits until the slots have owners", 3, joinedNodes, "", ""},
		{"no slots are taken while a node is missing", 0, func() []peerState { p := joinedNodes(); p[4].view = nil; return p }, "", ""},
		{"no slots are taken while one table does not contain all nodes", 0, func() []peerState { p := joinedNodes(); delete(p[4].view.members, nodeID(2)); return p }, "", ""},
		{"a node with keys takes no slots", 0, func() []peerState { p := joinedNodes(); p[0].view.keys = 1; return p }, "", ""},
		{"no slots are taken if any table has an owner for them", 0, func() []peerState {
			p := joinedNodes()
			editEntry(p, 5, 1, func(m *member) { m.slots = []slotRange{{5460, 5460}} })
			return p
		}, "", ""},
		{"the slots of a lost shard keep their owner", 0, func() []peerState {
			p := joinedNodes()
			for i := range nodeCount {
				p[i].view.members["gone"] = member{id: "gone", isPrimary: true, failed: true, suspected: true, slots: []slotRange{slotShare(0, shards)}}
			}
			return p
		}, "", ""},
		{"a known node at a new address is joined there", 0, func() []peerState { p := formedCluster(); p[4].address = "192.0.2.44:6379"; return p }, "CLUSTER MEET 192.0.2.44 6379", ""},
		{"a node that does not respond on the bus is joined again", 0, func() []peerState {
			p := formedCluster()
			editEntry(p, 0, 4, func(m *member) { m.suspected, m.connected = true, false })
			return p
		}, "CLUSTER MEET 192.0.2.4 6379", ""},
		{"a node without a pod is waited for", 0, func() []peerState {
			p := formedCluster()
			editEntry(p, 0, 4, func(m *member) { m.suspected, m.connected = true, false })
			p[4] = peerState{name: nodeName(4)}
			return p
		}, "", ""},
		{"a primary without slots replicates the primary with the fewest replicas", 5, func() []peerState {
			p := formedCluster()
			editEntry(p, 5, 5, func(m *member) { m.isPrimary, m.primaryID = true, "" })
			return p
		}, "CLUSTER REPLICATE id-2", ""},
		{"a primary without slots does not replicate a suspected primary", 5, func() []peerState {
			p := formedCluster()
			editEntry(p, 5, 5, func(m *member) { m.isPrimary, m.primaryID = true, "" })
			editEntry(p, 5, 2, func(m *member) { m.suspected = true })
			return p
		}, "CLUSTER MEET 192.0.2.2 6379 CLUSTER REPLICATE id-1", ""},
		{"a replica that uses its primary's old address is sent to the new one", 3, func() []peerState {
			p := formedCluster()
			p[3].view.replicatesFrom = "192.0.2.99:6379"
			return p
		}, "CLUSTER REPLICATE id-0", ""},
		{"a replica that uses the right address needs no command", 3, func() []peerState { p := formedCluster(); p[3].view.replicatesFrom = nodeAddress(0); return p }, "", ""},
		{"a replica of a suspected primary waits for the vote", 3, func() []peerState {
			p := formedCluster()
			p[3].view.replicatesFrom = "192.0.2.99:6379"
			editEntry(p, 3, 0, func(m *member) { m.suspected, m.connected = true, false })
			return p
		}, "CLUSTER MEET 192.0.2.0 6379", ""},
		{"a node that lost its volume is forgotten", 1, func() []peerState {
			p := formedCluster()
			for i := range nodeCount {
				p[i].view.members["old"] = member{id: "old", failed: true, suspected: true}
			}
			return p
		}, "CLUSTER FORGET old", ""},
		{"a removed node is forgotten by the last node that knows it, although no majority can mark it failed", 1, func() []peerState {
			p := formedCluster()
			p[1].view.members["old"] = member{id: "old", suspected: true}
			return p
		}, "CLUSTER FORGET old", ""},
		{"a node that another node reaches is not forgotten", 1, func() []peerState {
			p := formedCluster()
			p[1].view.members["old"] = member{id: "old", failed: true, suspected: true}
			p[2].view.members["old"] = member{id: "old", connected: true}
			return p
		}, "", ""},
		{"a primary bumps its epoch if another node has a higher one for it", 1, func() []peerState {
			p := formedCluster()
			editEntry(p, 5, 1, func(m *member) { m.epoch = 3 })
			return p
		}, "CLUSTER BUMPEPOCH", ""},
		{"a primary does not bump its epoch if another node has a lower one for it", 1, func() []peerState {
			p := formedCluster()
			editEntry(p, 1, 1, func(m *member) { m.epoch = 3 })
			return p
		}, "", ""},
		{"a replica does not bump its epoch", 4, func() []peerState {
			p := formedCluster()
			editEntry(p, 5, 4, func(m *member) { m.epoch = 3 })
			return p
		}, "", ""},
		{"a node is not forgotten while a peer is absent", 1, func() []peerState {
			p := formedCluster()
			p[1].view.members["old"] = member{id: "old", failed: true, suspected: true}
			p[4].view = nil
			return p
		}, "", ""},
		{"a node with slots is not forgotten", 1, func() []peerState {
			p := formedCluster()
			p[1].view.members["old"] = member{id: "old", failed: true, suspected: true, slots: []slotRange{{0, 1}}}
			return p
		}, "", ""},
		{"a node with keys but no cluster is not joined", 0, func() []peerState { p := isolatedNodes(); p[0].view.keys = 7; return p }, "",
			"node redis-cluster-0.redis-cluster-service at 192.0.2.0:6379 holds 7 keys but belongs to no cluster"},
		{"two clusters with data are not merged", 0, func() []peerState {
			p := formedCluster()
			other := formedCluster()[5]
			other.view.id = "other"
			other.view.members = map[string]member{"other": {id: "other", isPrimary: true, slots: []slotRange{{0, 16383}}}, "more": {id: "more"}}
			other.view.keys = 1
			p[5] = other
			return p
		}, "", "belongs to another cluster of 2 nodes, so it is not joined"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			commands, problems := nextCommands(row.self, row.peers(), shards)
			var commandTexts []string
			for _, c := range commands {
				commandTexts = append(commandTexts, c.String())
			}
			require.Equal(t, row.commands, strings.Join(commandTexts, " "), "%s", problems)
			if row.problem == "" {
				require.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1)
			require.ErrorContains(t, problems[0], row.problem)
		})
	}
}

// For any number of shards, each slot is in exactly one share.
func TestSharesCoverAllSlots(t *testing.T) {
	for shardCount := 3; shardCount <= 20; shardCount++ {
		nextSlot := 0
		for index := range shardCount {
			share := slotShare(index, shardCount)
			require.Equal(t, nextSlot, share.first)
			nextSlot = share.last + 1
		}
		require.Equal(t, slotCount, nextSlot, "%d shards", shardCount)
	}
}

func TestParseNodesReadsEveryField(t *testing.T) {
	ownID, members, err := parseNodes(`aa 127.0.0.1:6379@16379,host,shard-id=5 myself,master - 0 0 1 connected 0-5460 7 [93-<-bb]
bb :0@0 slave,fail,noaddr aa 1 2 3 disconnected
cc 2001:db8::1:6379@16379 handshake - 0 0 0 connected
`)
	require.NoError(t, err)
	require.Equal(t, "aa", ownID)
	require.Equal(t, map[string]member{
		"aa": {id: "aa", address: "127.0.0.1:6379", name: "host", isPrimary: true, connected: true, epoch: 1, slots: []slotRange{{0, 5460}, {7, 7}}},
		"bb": {id: "bb", primaryID: "aa", failed: true, suspected: true, epoch: 3},
		"cc": {id: "cc", address: "[2001:db8::1]:6379", handshake: true, connected: true},
	}, members)
	for _, invalid := range []string{"", "aa", "aa a:1 master - 0 0 1 connected", "aa a:1 myself,master - 0 0 1 connected 5-99999", "aa a:1 myself,master - 0 0 one connected"} {
		_, _, err := parseNodes(invalid)
		require.Error(t, err, "%q", invalid)
	}
}

// TestReadinessFollowsClusterMembership also checks that liveness does not depend on the
// membership.
func TestReadinessFollowsClusterMembership(t *testing.T) {
	n := New(Config{}, nil, slog.New(slog.DiscardHandler))
	handler := n.Handler(&httpserver.State{})
	get := func(path string) *httptest.ResponseRecorder {
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return response
	}
	require.Equal(t, http.StatusServiceUnavailable, get("/health/ready").Code)
	require.Equal(t, http.StatusOK, get("/health").Code)
	n.publish(Status{Cluster: "ok", Peers: 4, Problems: []string{"one node has foreign keys"}})
	response := get("/health/ready")
	require.Equal(t, http.StatusServiceUnavailable, response.Code)
	require.JSONEq(t, `{"member": false, "cluster": "ok", "peers": 4, "problems": ["one node has foreign keys"]}`, response.Body.String())
	n.publish(Status{Member: true, Cluster: "ok", Peers: 5})
	require.Equal(t, http.StatusOK, get("/health/ready").Code)
}

func TestConfigReportsEveryInvalidVariable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte("secret\n"), 0o600))
	env := map[string]string{
		"PEERS":     "redis-cluster-0.redis-cluster-service:6379,redis-cluster-1.redis-cluster-service:6379,redis-cluster-2.redis-cluster-service:6379",
		"NODE_NAME": "redis-cluster-1", "POD_IP": "192.0.2.1", "PASSWORD_FILE": file,
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	cfg, err := ReadConfig(lookup)
	require.NoError(t, err)
	require.Equal(t, 1, cfg.Self)
	require.Equal(t, 3, cfg.Shards)
	require.Equal(t, "secret", cfg.Password)
	require.Equal(t, 2*time.Second, cfg.Period)
	require.Equal(t, Peer{"redis-cluster-2.redis-cluster-service", 6379}, cfg.Peers[2])

	env = map[string]string{"PEERS": "a:1,b:2", "NODE_NAME": "c", "POD_IP": "here", "PASSWORD_FILE": "/nowhere", "SHARDS": "2"}
	_, err = ReadConfig(lookup)
	var problems envconfig.Problems
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems, 5, "every wrong variable is reported at once: %v", err)
}
