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

// plan returns the commands for the node at index self, and the problems that need
// an operator. The commands bring the cluster one step closer to a complete one.
// Every node applies the same rules and acts on itself only. So no leader is
// needed, and no two nodes do the same step.
func plan(self int, peers []peerState, shards int) ([]command, []error) {
	if problem := unassignedData(peers[self]); problem != nil {
		return nil, []error{problem}
	}
	commands, problems := joinCommands(self, peers)
	return append(commands, roleCommands(self, peers, shards)...), problems
}

// unassignedData returns an error for a node that holds keys but belongs to no
// cluster, because a join could lose its keys. A server that starts with keys but
// without a cluster table owns the slots of its keys.
func unassignedData(p peerState) error {
	if v := p.view; len(v.members) > 1 || v.keys == 0 && len(v.self().slots) == 0 {
		return nil
	}
	return fmt.Errorf("node %s at %s holds %d keys but belongs to no cluster, so it is not joined: move its data away, or delete its volume",
		p.name, p.address, p.view.keys)
}

// roleCommands returns the commands of a joined node. It forgets removed nodes and
// takes its share of the slots without an owner. If it has no share, it becomes a
// replica once all slots have an owner.
func roleCommands(self int, peers []peerState, shards int) []command {
	ownView := peers[self].view
	complete := converged(peers)
	if complete {
		if forgets := forgetRemoved(ownView, peers); len(forgets) > 0 {
			return forgets
		}
	}
	if primary := ownView.primaryAtStaleAddress(); primary != "" {
		return []command{replicate(primary)}
	}
	if hasStaleEpoch(ownView, peers) {
		return []command{bumpEpoch()}
	}
	if own := ownView.self(); !own.isPrimary || len(own.slots) > 0 || ownView.keys > 0 {
		return nil
	}
	if self < shards && complete {
		if share := slotShare(self, shards); unowned(share, peers) {
			return []command{addSlotsRange(share)}
		}
	}
	if ownView.ownedSlots() < slotCount {
		return nil // first the missing slots need an owner
	}
	return replicateEvenly(ownView, self)
}

// joinCommands returns a CLUSTER MEET for each peer that the node does not
// reach at its current address. For a known node, CLUSTER MEET updates its
// address.
func joinCommands(self int, peers []peerState) (joins []command, problems []error) {
	ownView := peers[self].view
	for i, p := range peers {
		if i == self || p.view == nil {
			continue
		}
		known := ownView.members[p.view.id]
		switch {
		case ownView.knows(p.view.id) && known.connected && !known.suspected && known.address == p.address:
			// connected at the right address
		case ownView.knows(p.view.id) || p.view.knows(ownView.id):
			joins = append(joins, joinCommand(p.address))
		case unassignedData(p) != nil:
			problems = append(problems, unassignedData(p))
		case ownView.hasNoData() || p.view.hasNoData():
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

// forgetRemoved returns a CLUSTER FORGET for each id of a node that lost its volume.
// Such a node does not answer and owns no slots, and a peer with another id has its
// place. Every node that knows the id must suspect the node. It need not be marked as
// failed: that needs a majority, which no longer exists once the first nodes have
// forgotten the id.
func forgetRemoved(ownView *view, peers []peerState) []command {
	var forgets []command
	for _, id := range slices.Sorted(maps.Keys(ownView.members)) {
		alive := func(p peerState) bool { m := p.view.members[id]; return p.view.knows(id) && !m.suspected }
		m := ownView.members[id]
		if !m.handshake && len(m.slots) == 0 && ownView.self().primaryID != id && !slices.ContainsFunc(peers, alive) {
			forgets = append(forgets, forget(id))
		}
	}
	return forgets
}

// hasStaleEpoch reports whether a peer has a higher epoch for this primary than
// the primary itself. Redis 7 gets into this state when nodes swap addresses. It
// takes a packet from a node's old address for a packet of that node, and stores
// the packet's epoch before it compares the names (getNodeFromLinkAndMsg and
// clusterProcessPacket in src/cluster.c). Redis never lowers an epoch. A peer with
// the higher epoch never votes for the primary's replica, so the shard cannot fail
// over. CLUSTER BUMPEPOCH on the primary fixes this.
func hasStaleEpoch(ownView *view, peers []peerState) bool {
	own := ownView.self()
	return own.isPrimary && len(own.slots) > 0 && slices.ContainsFunc(peers, func(p peerState) bool {
		return p.view != nil && p.view.members[ownView.id].epoch > own.epoch
	})
}

// slotShare is the range of slots that the node at index k gets when the
// cluster forms.
func slotShare(k, shards int) slotRange {
	return slotRange{k * slotCount / shards, (k+1)*slotCount/shards - 1}
}

// unowned reports whether no slot of the range has an owner in any node's table.
// The slots of a lost node keep it as their owner, so they are not taken.
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
func replicateEvenly(ownView *view, self int) []command {
	type candidate struct {
		id              string
		first, replicas int
	}
	var primaries []candidate
	for _, m := range ownView.members {
		if m.isPrimary && len(m.slots) > 0 && !m.suspected {
			c := candidate{id: m.id, first: m.slots[0].first}
			for _, r := range ownView.members {
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
