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

func at(i int) string { return fmt.Sprintf("192.0.2.%d:6379", i) }

func id(i int) string { return fmt.Sprintf("id-%d", i) }

// formed is a cluster of six as every one of them sees it: 0, 1 and 2 own the
// slots, 3, 4 and 5 follow them.
func formed() []seen {
	peers := alone()
	for _, p := range peers {
		for i := range replicas {
			m := member{id: id(i), address: at(i), primary: i < shards, connected: true}
			if i < shards {
				m.owns = []span{shareOf(i, shards)}
			} else {
				m.of = id(i - shards)
			}
			p.view.members[m.id] = m
		}
	}
	return peers
}

// alone are six nodes that know nobody.
func alone() []seen {
	var peers []seen
	for i := range replicas {
		peers = append(peers, seen{name: name(i), address: at(i), view: &view{
			id: id(i), members: map[string]member{id(i): {id: id(i), address: at(i), primary: true, connected: true}},
		}})
	}
	return peers
}

// met are six nodes that know each other and nothing else.
func met() []seen {
	peers := alone()
	for _, p := range peers {
		for i := range replicas {
			p.view.members[id(i)] = member{id: id(i), address: at(i), primary: true, connected: true}
		}
	}
	return peers
}

// edit changes what one node has in its table about another.
func edit(peers []seen, viewer, about int, change func(*member)) {
	m := peers[viewer].view.members[id(about)]
	change(&m)
	peers[viewer].view.members[id(about)] = m
}

func TestPlan(t *testing.T) {
	for _, row := range []struct {
		reason   string
		self     int
		peers    func() []seen
		commands string
		says     string
	}{
		{"a whole cluster is left alone", 0, formed, "", ""},
		{"strangers without data meet", 5, alone, "CLUSTER MEET 192.0.2.0 6379 CLUSTER MEET 192.0.2.1 6379 CLUSTER MEET 192.0.2.2 6379 CLUSTER MEET 192.0.2.3 6379 CLUSTER MEET 192.0.2.4 6379", ""},
		{"the first takes the first share", 0, met, "CLUSTER ADDSLOTSRANGE 0 5460", ""},
		{"the third takes the last", 2, met, "CLUSTER ADDSLOTSRANGE 10922 16383", ""},
		{"a replica waits for the shares", 3, met, "", ""},
		{"no slots are given while one is missing", 0, func() []seen { p := met(); p[4].view = nil; return p }, "", ""},
		{"nor while one does not know all", 0, func() []seen { p := met(); delete(p[4].view.members, id(2)); return p }, "", ""},
		{"nor to a node with keys", 0, func() []seen { p := met(); p[0].view.keys = 1; return p }, "", ""},
		{"nor where anybody has an owner for them", 0, func() []seen {
			p := met()
			edit(p, 5, 1, func(m *member) { m.owns = []span{{5460, 5460}} })
			return p
		}, "", ""},
		{"the slots of a shard that is lost are not given away", 0, func() []seen {
			p := met()
			for i := range replicas {
				p[i].view.members["gone"] = member{id: "gone", primary: true, failed: true, suspected: true, owns: []span{shareOf(0, shards)}}
			}
			return p
		}, "", ""},
		{"a known node elsewhere is met there", 0, func() []seen { p := formed(); p[4].address = "192.0.2.44:6379"; return p }, "CLUSTER MEET 192.0.2.44 6379", ""},
		{"one that does not answer the bus is met again", 0, func() []seen {
			p := formed()
			edit(p, 0, 4, func(m *member) { m.suspected, m.connected = true, false })
			return p
		}, "CLUSTER MEET 192.0.2.4 6379", ""},
		{"one that has no pod is waited for", 0, func() []seen {
			p := formed()
			edit(p, 0, 4, func(m *member) { m.suspected, m.connected = true, false })
			p[4] = seen{name: name(4)}
			return p
		}, "", ""},
		{"a primary without slots follows who has the fewest replicas", 5, func() []seen {
			p := formed()
			edit(p, 5, 5, func(m *member) { m.primary, m.of = true, "" })
			return p
		}, "CLUSTER REPLICATE id-2", ""},
		{"not one that may be dead", 5, func() []seen {
			p := formed()
			edit(p, 5, 5, func(m *member) { m.primary, m.of = true, "" })
			edit(p, 5, 2, func(m *member) { m.suspected = true })
			return p
		}, "CLUSTER MEET 192.0.2.2 6379 CLUSTER REPLICATE id-1", ""},
		{"a replica that looks for its primary where it was is sent to where it is", 3, func() []seen {
			p := formed()
			p[3].view.follows = "192.0.2.99:6379"
			return p
		}, "CLUSTER REPLICATE id-0", ""},
		{"one that finds it is left alone", 3, func() []seen { p := formed(); p[3].view.follows = at(0); return p }, "", ""},
		{"one whose primary may be dead waits for the vote", 3, func() []seen {
			p := formed()
			p[3].view.follows = "192.0.2.99:6379"
			edit(p, 3, 0, func(m *member) { m.suspected, m.connected = true, false })
			return p
		}, "CLUSTER MEET 192.0.2.0 6379", ""},
		{"who lost its volume is forgotten", 1, func() []seen {
			p := formed()
			for i := range replicas {
				p[i].view.members["old"] = member{id: "old", failed: true, suspected: true}
			}
			return p
		}, "CLUSTER FORGET old", ""},
		{"also by the last one that knows it, whom nobody can tell any more that it failed", 1, func() []seen {
			p := formed()
			p[1].view.members["old"] = member{id: "old", suspected: true}
			return p
		}, "CLUSTER FORGET old", ""},
		{"but not one that another still reaches", 1, func() []seen {
			p := formed()
			p[1].view.members["old"] = member{id: "old", failed: true, suspected: true}
			p[2].view.members["old"] = member{id: "old", connected: true}
			return p
		}, "", ""},
		{"a primary of which another has a higher epoch than its own raises it", 1, func() []seen {
			p := formed()
			edit(p, 5, 1, func(m *member) { m.epoch = 3 })
			return p
		}, "CLUSTER BUMPEPOCH", ""},
		{"not one of which another has not heard yet", 1, func() []seen {
			p := formed()
			edit(p, 1, 1, func(m *member) { m.epoch = 3 })
			return p
		}, "", ""},
		{"nor a replica", 4, func() []seen { p := formed(); edit(p, 5, 4, func(m *member) { m.epoch = 3 }); return p }, "", ""},
		{"but not while it may come back", 1, func() []seen {
			p := formed()
			p[1].view.members["old"] = member{id: "old", failed: true, suspected: true}
			p[4].view = nil
			return p
		}, "", ""},
		{"nor with slots", 1, func() []seen {
			p := formed()
			p[1].view.members["old"] = member{id: "old", failed: true, suspected: true, owns: []span{{0, 1}}}
			return p
		}, "", ""},
		{"keys without a cluster are not joined", 0, func() []seen { p := alone(); p[0].view.keys = 7; return p }, "",
			"node redis-cluster-0.redis-cluster-service at 192.0.2.0:6379 holds 7 keys but belongs to no cluster"},
		{"two clusters with data stay two", 0, func() []seen {
			p := formed()
			other := formed()[5]
			other.view.id = "other"
			other.view.members = map[string]member{"other": {id: "other", primary: true, owns: []span{{0, 16383}}}, "more": {id: "more"}}
			other.view.keys = 1
			p[5] = other
			return p
		}, "", "belongs to another cluster of 2 nodes, so it is not joined"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			commands, problems := plan(row.self, row.peers(), shards)
			var told []string
			for _, c := range commands {
				told = append(told, c.String())
			}
			require.Equal(t, row.commands, strings.Join(told, " "), "%s", problems)
			if row.says == "" {
				require.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1)
			require.ErrorContains(t, problems[0], row.says)
		})
	}
}

// Every slot has exactly one share, whatever the number of shards.
func TestSharesCoverAllSlots(t *testing.T) {
	for n := 3; n <= 20; n++ {
		next := 0
		for k := range n {
			s := shareOf(k, n)
			require.Equal(t, next, s.first)
			next = s.last + 1
		}
		require.Equal(t, slots, next, "%d shards", n)
	}
}

func TestParseNodes(t *testing.T) {
	own, members, err := parseNodes(`aa 127.0.0.1:6379@16379,host,shard-id=5 myself,master - 0 0 1 connected 0-5460 7 [93-<-bb]
bb :0@0 slave,fail,noaddr aa 1 2 3 disconnected
cc 2001:db8::1:6379@16379 handshake - 0 0 0 connected
`)
	require.NoError(t, err)
	require.Equal(t, "aa", own)
	require.Equal(t, map[string]member{
		"aa": {id: "aa", address: "127.0.0.1:6379", name: "host", primary: true, connected: true, epoch: 1, owns: []span{{0, 5460}, {7, 7}}},
		"bb": {id: "bb", of: "aa", failed: true, suspected: true, epoch: 3},
		"cc": {id: "cc", address: "[2001:db8::1]:6379", greeting: true, connected: true},
	}, members)
	for _, bad := range []string{"", "aa", "aa a:1 master - 0 0 1 connected", "aa a:1 myself,master - 0 0 1 connected 5-99999", "aa a:1 myself,master - 0 0 one connected"} {
		_, _, err := parseNodes(bad)
		require.Error(t, err, "%q", bad)
	}
}

// A pod is ready when its node serves, and alive in any case.
func TestHandler(t *testing.T) {
	n := New(Config{}, nil, slog.New(slog.DiscardHandler))
	handler := n.Handler(&httpserver.State{})
	ask := func(path string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return answer
	}
	require.Equal(t, http.StatusServiceUnavailable, ask("/health/ready").Code)
	require.Equal(t, http.StatusOK, ask("/health").Code)
	n.publish(Status{Cluster: "ok", Peers: 4, Problems: []string{"one is a stranger"}})
	answer := ask("/health/ready")
	require.Equal(t, http.StatusServiceUnavailable, answer.Code)
	require.JSONEq(t, `{"member": false, "cluster": "ok", "peers": 4, "problems": ["one is a stranger"]}`, answer.Body.String())
	n.publish(Status{Member: true, Cluster: "ok", Peers: 5})
	require.Equal(t, http.StatusOK, ask("/health/ready").Code)
}

func TestConfig(t *testing.T) {
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
	require.Len(t, problems, 5, "every mistake at once: %v", err)
}
