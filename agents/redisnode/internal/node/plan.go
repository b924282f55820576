package node

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
)

// seen is a peer in one round.
type seen struct {
	name string
	// address is where the name led this time, HOST:PORT.
	address string
	// view is nil where the peer did not answer.
	view *view
}

// command is one command to this process' own node.
type command []any

func (c command) String() string { return strings.TrimSpace(fmt.Sprintln([]any(c)...)) }

func meet(address string) command {
	host, port, _ := net.SplitHostPort(address)
	return command{"CLUSTER", "MEET", host, port}
}
func takeSlots(r span) command    { return command{"CLUSTER", "ADDSLOTSRANGE", r.first, r.last} }
func replicate(id string) command { return command{"CLUSTER", "REPLICATE", id} }
func forget(id string) command    { return command{"CLUSTER", "FORGET", id} }
func raiseEpoch() command         { return command{"CLUSTER", "BUMPEPOCH"} }

// plan says what the node at self must be told so that the cluster is one
// step nearer to whole, and what keeps it from being so. It is the same at
// every node, and each acts on its own node only; so no leader is needed, and
// no two can do the same twice.
func plan(self int, peers []seen, shards int) ([]command, []error) {
	if problem := stray(peers[self]); problem != nil {
		return nil, []error{problem}
	}
	commands, problems := joins(self, peers)
	return append(commands, role(self, peers, shards)...), problems
}

// stray says what is wrong with a node that holds data and belongs to no
// cluster: whatever is done with it could lose them. (A server that finds keys
// and no table at its start takes their slots.)
func stray(p seen) error {
	if v := p.view; len(v.members) > 1 || v.keys == 0 && len(v.itself().owns) == 0 {
		return nil
	}
	return fmt.Errorf("node %s at %s holds %d keys but belongs to no cluster, so it is not joined: move its data away, or delete its volume",
		p.name, p.address, p.view.keys)
}

// role is what a node does once it has joined: it forgets who is gone for
// good, takes its share of the slots where nobody ever had them, and, where
// all slots have an owner and it has none, follows one.
func role(self int, peers []seen, shards int) []command {
	me := peers[self].view
	whole := agreed(peers)
	if whole {
		if stale := departed(me, peers); len(stale) > 0 {
			return stale
		}
	}
	if lost := me.misled(); lost != "" {
		return []command{replicate(lost)}
	}
	if outrun(me, peers) {
		return []command{raiseEpoch()}
	}
	if mine := me.itself(); !mine.primary || len(mine.owns) > 0 || me.keys > 0 {
		return nil
	}
	if self < shards && whole {
		if share := shareOf(self, shards); unclaimed(share, peers) {
			return []command{takeSlots(share)}
		}
	}
	if me.covered() < slots {
		return nil // who owns what is missing comes first
	}
	return follow(me, self)
}

// joins are the meetings by which the node finds its peers where they are now.
// Meeting a node that is known at another address tells its new one.
func joins(self int, peers []seen) (meets []command, problems []error) {
	me := peers[self].view
	for i, p := range peers {
		if i == self || p.view == nil {
			continue
		}
		known := me.members[p.view.id]
		switch {
		case me.knows(p.view.id) && known.connected && !known.suspected && known.address == p.address:
			// as it should be
		case me.knows(p.view.id) || p.view.knows(me.id):
			meets = append(meets, meet(p.address))
		case stray(p) != nil:
			problems = append(problems, stray(p))
		case me.empty() || p.view.empty():
			meets = append(meets, meet(p.address))
		default:
			problems = append(problems, fmt.Errorf("node %s at %s belongs to another cluster of %d nodes, so it is not joined: two clusters with data can't be one; delete the volume of the one that is wrong",
				p.name, p.address, len(p.view.members)))
		}
	}
	return meets, problems
}

// agreed says whether every peer is there and knows every other.
func agreed(peers []seen) bool {
	for _, p := range peers {
		for _, other := range peers {
			if p.view == nil || other.view == nil || !p.view.knows(other.view.id) {
				return false
			}
		}
	}
	return true
}

// departed are nodes that do not answer, own nothing, and whose place a peer
// with another id has taken: those that lost their volume. That all who know
// one suspect it is enough: a majority that calls it failed is no longer to be
// had once the first have forgotten it.
func departed(me *view, peers []seen) []command {
	var stale []command
	for _, id := range slices.Sorted(maps.Keys(me.members)) {
		alive := func(p seen) bool { m := p.view.members[id]; return p.view.knows(id) && !m.suspected }
		m := me.members[id]
		if !m.greeting && len(m.owns) == 0 && me.itself().of != id && !slices.ContainsFunc(peers, alive) {
			stale = append(stale, forget(id))
		}
	}
	return stale
}

// outrun says whether a peer has a higher epoch for this primary than it has
// itself. Redis 7 gets there when addresses are exchanged: an answer
// at the old address of one node counts as that node's until its name is
// compared, but its epoch has been taken by then (getNodeFromLinkAndMsg and
// clusterProcessPacket in src/cluster.c). Nothing lowers it again, and
// who has it refuses its vote to the primary's replica for ever, so that the
// shard could not be failed over. A higher one from the primary mends it.
func outrun(me *view, peers []seen) bool {
	mine := me.itself()
	return mine.primary && len(mine.owns) > 0 && slices.ContainsFunc(peers, func(p seen) bool {
		return p.view != nil && p.view.members[me.id].epoch > mine.epoch
	})
}

// shareOf is the range of slots that the cluster's k-th node is given when
// the cluster is made.
func shareOf(k, shards int) span { return span{k * slots / shards, (k+1)*slots/shards - 1} }

// unclaimed says whether no node has an owner for the range. Slots of nodes
// that are gone still have their owner, so this never covers a loss up.
func unclaimed(r span, peers []seen) bool {
	return !slices.ContainsFunc(peers, func(p seen) bool { return !p.view.free(r) })
}

// misled is the primary of a replica that looks for it where it no longer is:
// Redis learns of a new address from the cluster's bus, but does not always
// tell its own replication, which then tries the old one for ever. Following
// the same primary again mends it. Empty: all is well.
func (v *view) misled() string {
	of, known := v.members[v.itself().of]
	if v.follows == "" || !known || of.suspected || !of.connected || of.address == "" || of.address == v.follows {
		return ""
	}
	return of.id
}

// follow makes the node a replica of the primary that has the fewest, and
// among equals of the one whose turn it is, so that nodes that join at once
// spread.
func follow(me *view, self int) []command {
	type candidate struct {
		id              string
		first, replicas int
	}
	var primaries []candidate
	for _, m := range me.members {
		if m.primary && len(m.owns) > 0 && !m.suspected {
			c := candidate{id: m.id, first: m.owns[0].first}
			for _, r := range me.members {
				if r.of == m.id && !r.suspected {
					c.replicas++
				}
			}
			primaries = append(primaries, c)
		}
	}
	if len(primaries) == 0 {
		return nil
	}
	slices.SortFunc(primaries, func(a, b candidate) int { return cmp.Compare(a.first, b.first) })
	turn := self % len(primaries)
	primaries = append(primaries[turn:], primaries[:turn]...)
	return []command{replicate(slices.MinFunc(primaries, func(a, b candidate) int { return cmp.Compare(a.replicas, b.replicas) }).id)}
}
