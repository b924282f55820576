package node

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
)

// peerState is a peer as one round found it.
type peerState struct {
	name string
	// address is the resolved HOST:PORT of this round.
	address string
	// view is nil if the peer did not answer.
	view *view
}

// command is one Redis command for the own node.
type command []any

func (c command) String() string { return strings.TrimSpace(fmt.Sprintln([]any(c)...)) }

func joinCommand(address string) command {
	host, port, _ := net.SplitHostPort(address)
	return command{"CLUSTER", "MEET", host, port}
}
func addSlotsRange(r slotRange) command {
	return command{"CLUSTER", "ADDSLOTSRANGE", r.first, r.last}
}
func replicate(id string) command { return command{"CLUSTER", "REPLICATE", id} }
func forget(id string) command    { return command{"CLUSTER", "FORGET", id} }
func bumpEpoch() command          { return command{"CLUSTER", "BUMPEPOCH"} }

// plan returns the commands for the node at self that bring the cluster one
// step closer to a complete one, and the problems that prevent this. Every node
// computes the same plan and acts on itself only. So no leader is needed, and
// no two nodes do the same step.
func plan(self int, peers []peerState, shards int) ([]command, []error) {
	if problem := unassignedData(peers[self]); problem != nil {
		return nil, []error{problem}
	}
	commands, problems := joinCommands(self, peers)
	return append(commands, roleCommands(self, peers, shards)...), problems
}

// unassignedData returns an error for a node that holds keys but belongs to no
// cluster. Any join could lose its keys. A server that starts with keys but
// without a table owns the slots of its keys.
func unassignedData(p peerState) error {
	if v := p.view; len(v.members) > 1 || v.keys == 0 && len(v.self().slots) == 0 {
		return nil
	}
	return fmt.Errorf("node %s at %s holds %d keys but belongs to no cluster, so it is not joined: move its data away, or delete its volume",
		p.name, p.address, p.view.keys)
}

// roleCommands returns what a joined node does. It forgets removed nodes and
// takes its share of slots that nobody ever owned. Without a share, it becomes
// a replica once all slots have an owner.
func roleCommands(self int, peers []peerState, shards int) []command {
	me := peers[self].view
	complete := converged(peers)
	if complete {
		if forgets := forgetRemoved(me, peers); len(forgets) > 0 {
			return forgets
		}
	}
	if primary := me.primaryAtStaleAddress(); primary != "" {
		return []command{replicate(primary)}
	}
	if hasStaleEpoch(me, peers) {
		return []command{bumpEpoch()}
	}
	if mine := me.self(); !mine.isPrimary || len(mine.slots) > 0 || me.keys > 0 {
		return nil
	}
	if self < shards && complete {
		if share := slotShare(self, shards); unowned(share, peers) {
			return []command{addSlotsRange(share)}
		}
	}
	if me.ownedSlots() < slotCount {
		return nil // first the missing slots need an owner
	}
	return replicateEvenly(me, self)
}

// joinCommands returns a CLUSTER MEET for each peer that the node does not
// reach at its current address. For a known node, CLUSTER MEET updates its
// address.
func joinCommands(self int, peers []peerState) (joins []command, problems []error) {
	me := peers[self].view
	for i, p := range peers {
		if i == self || p.view == nil {
			continue
		}
		known := me.members[p.view.id]
		switch {
		case me.knows(p.view.id) && known.connected && !known.suspected && known.address == p.address:
			// connected at the right address
		case me.knows(p.view.id) || p.view.knows(me.id):
			joins = append(joins, joinCommand(p.address))
		case unassignedData(p) != nil:
			problems = append(problems, unassignedData(p))
		case me.empty() || p.view.empty():
			joins = append(joins, joinCommand(p.address))
		default:
			problems = append(problems, fmt.Errorf("node %s at %s belongs to another cluster of %d nodes, so it is not joined: two clusters with data cannot be merged; delete the volume of the wrong one",
				p.name, p.address, len(p.view.members)))
		}
	}
	return joins, problems
}

// converged reports whether every peer answered and knows every other.
func converged(peers []peerState) bool {
	for _, p := range peers {
		for _, other := range peers {
			if p.view == nil || other.view == nil || !p.view.knows(other.view.id) {
				return false
			}
		}
	}
	return true
}

// forgetRemoved forgets nodes that lost their volume: they do not answer, own
// nothing, and a peer with another id has their place. It is enough that every
// node that knows one suspects it. Redis' own majority for "failed" is lost
// once the first nodes have forgotten it.
func forgetRemoved(me *view, peers []peerState) []command {
	var forgets []command
	for _, id := range slices.Sorted(maps.Keys(me.members)) {
		alive := func(p peerState) bool { m := p.view.members[id]; return p.view.knows(id) && !m.suspected }
		m := me.members[id]
		if !m.handshake && len(m.slots) == 0 && me.self().primaryID != id && !slices.ContainsFunc(peers, alive) {
			forgets = append(forgets, forget(id))
		}
	}
	return forgets
}

// hasStaleEpoch reports whether a peer has a higher epoch for this primary than
// the primary itself. Redis 7 gets into this state when nodes swap addresses. A
// node's old address counts as that node until the name is compared, but its
// epoch is stored before (getNodeFromLinkAndMsg and clusterProcessPacket in
// src/cluster.c). Redis never lowers an epoch. A peer with the higher epoch
// refuses its vote to the primary's replica forever, so the shard cannot fail
// over. CLUSTER BUMPEPOCH on the primary fixes it.
func hasStaleEpoch(me *view, peers []peerState) bool {
	mine := me.self()
	return mine.isPrimary && len(mine.slots) > 0 && slices.ContainsFunc(peers, func(p peerState) bool {
		return p.view != nil && p.view.members[me.id].epoch > mine.epoch
	})
}

// slotShare is the range of slots that the node at index k gets when the
// cluster forms.
func slotShare(k, shards int) slotRange {
	return slotRange{k * slotCount / shards, (k+1)*slotCount/shards - 1}
}

// unowned reports whether no node has an owner for a slot of the range. Slots
// of a lost node keep their owner, so this never hides a loss.
func unowned(r slotRange, peers []peerState) bool {
	return !slices.ContainsFunc(peers, func(p peerState) bool { return !p.view.unowned(r) })
}

// primaryAtStaleAddress returns the id of this replica's primary if replication
// still uses an old address. Redis learns a new address from the cluster bus,
// but does not always pass it to replication, which then retries the old one
// forever. CLUSTER REPLICATE of the same primary fixes it.
//
// The result is empty when the address is right.
func (v *view) primaryAtStaleAddress() string {
	primary, known := v.members[v.self().primaryID]
	if v.replicatesFrom == "" || !known || primary.suspected || !primary.connected || primary.address == "" || primary.address == v.replicatesFrom {
		return ""
	}
	return primary.id
}

// replicateEvenly makes the node a replica of the primary with the fewest
// replicas. Among equals the node's index decides, so that nodes that join at
// the same time spread.
func replicateEvenly(me *view, self int) []command {
	type candidate struct {
		id              string
		first, replicas int
	}
	var primaries []candidate
	for _, m := range me.members {
		if m.isPrimary && len(m.slots) > 0 && !m.suspected {
			c := candidate{id: m.id, first: m.slots[0].first}
			for _, r := range me.members {
				if r.primaryID == m.id && !r.suspected {
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
	start := self % len(primaries)
	primaries = append(primaries[start:], primaries[:start]...)
	return []command{replicate(slices.MinFunc(primaries, func(a, b candidate) int { return cmp.Compare(a.replicas, b.replicas) }).id)}
}
