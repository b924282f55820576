package node

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
)

// peerState is the state of a peer in one round.
type peerState struct {
	name string
	// address is the resolved HOST:PORT of this round.
	address string
	// view is nil if the peer did not respond.
	view *view
}

// command is one Redis command for this process' own node.
type command []any

// String returns the words of the command, separated by spaces.
func (c command) String() string { return strings.TrimSpace(fmt.Sprintln([]any(c)...)) }

// joinCommand returns the command that connects the node to the node at an address.
func joinCommand(address string) command {
	host, port, _ := net.SplitHostPort(address)
	return command{"CLUSTER", "MEET", host, port}
}

// addSlotsCommand returns the command that makes the node the owner of slots that have no owner.
func addSlotsCommand(r slotRange) command {
	return command{"CLUSTER", "ADDSLOTSRANGE", r.first, r.last}
}

// replicateCommand returns the command that makes the node a replica of the primary with this id.
func replicateCommand(id string) command { return command{"CLUSTER", "REPLICATE", id} }

// forgetCommand returns the command that removes the entry with this id from the node's table.
func forgetCommand(id string) command { return command{"CLUSTER", "FORGET", id} }

// bumpEpochCommand returns the command that gives the node a higher epoch than all epochs in
// its table.
func bumpEpochCommand() command { return command{"CLUSTER", "BUMPEPOCH"} }

// nextCommands returns the next commands for the node at index self, and the problems that need
// an operator. After enough rounds the cluster is complete: all nodes are in each node's table,
// and all slots have an owner. Each node's process applies the same rules to its own node only. So
// the nodes need no leader.
func nextCommands(self int, peers []peerState, shards int) (commands []command, problems []error) {
	if problem := unassignedDataError(peers[self]); problem != nil {
		return nil, []error{problem}
	}
	commands, problems = joinCommands(self, peers)
	return append(commands, roleCommands(self, peers, shards)...), problems
}

// unassignedDataError returns an error for a node that has keys or slots but belongs to no cluster. For
// other nodes it returns nil. A join could lose the keys. A server that starts with keys but without
// its cluster-config-file becomes the owner of the keys' slots.
func unassignedDataError(p peerState) error {
	belongsToCluster := len(p.view.members) > 1
	hasData := p.view.keys > 0 || len(p.view.self().slots) > 0
	if belongsToCluster || !hasData {
		return nil
	}
	return fmt.Errorf("node %s at %s holds %d keys but belongs to no cluster, so it is not joined: move its data away, or delete its volume",
		p.name, p.address, p.view.keys)
}

// roleCommands returns the commands of a node that has joined. The node forgets removed
// nodes, and takes its share of the slots if nobody owns them. A node without a share
// becomes a replica as soon as all slots have an owner.
func roleCommands(self int, peers []peerState, shards int) []command {
	ownView := peers[self].view
	allConnected := allTablesComplete(peers)
	if allConnected {
		if forgets := forgetCommands(ownView, peers); len(forgets) > 0 {
			return forgets
		}
	}
	if primaryID := ownView.primaryAtStaleAddress(); primaryID != "" {
		return []command{replicateCommand(primaryID)}
	}
	if hasStaleEpoch(ownView, peers) {
		return []command{bumpEpochCommand()}
	}
	if own := ownView.self(); !own.isPrimary || len(own.slots) > 0 || ownView.keys > 0 {
		return nil // only an empty primary takes slots or becomes a replica
	}
	if self < shards && allConnected {
		if share := slotShare(self, shards); isUnowned(share, peers) {
			return []command{addSlotsCommand(share)}
		}
	}
	if ownView.countOwnedSlots() < slotCount {
		return nil // the nodes with a share must take their slots first
	}
	return replicateCommands(ownView, self)
}

// joinCommands returns CLUSTER MEET for each peer that the node is not connected to at the
// peer's current address. For a known peer, CLUSTER MEET updates the address.
func joinCommands(self int, peers []peerState) (joins []command, problems []error) {
	ownView := peers[self].view
	for i, p := range peers {
		if i == self || p.view == nil {
			continue
		}
		entry := ownView.members[p.view.id]
		isConnected := entry.connected && !entry.suspected && entry.address == p.address
		switch {
		case ownView.contains(p.view.id) && isConnected:
			// no command is needed
		case ownView.contains(p.view.id) || p.view.contains(ownView.id): // both are in the same cluster
			joins = append(joins, joinCommand(p.address))
		case unassignedDataError(p) != nil:
			problems = append(problems, unassignedDataError(p))
		case ownView.hasNoData() || p.view.hasNoData(): // so the join cannot lose data
			joins = append(joins, joinCommand(p.address))
		default:
			problems = append(problems, fmt.Errorf("node %s at %s belongs to another cluster of %d nodes, so it is not joined: two clusters with data cannot be merged; delete the volume of the wrong one",
				p.name, p.address, len(p.view.members)))
		}
	}
	return joins, problems
}

// allTablesComplete reports whether every peer responded, and all peers are in the table of each
// peer.
func allTablesComplete(peers []peerState) bool {
	for _, p := range peers {
		for _, other := range peers {
			if p.view == nil || other.view == nil || !p.view.contains(other.view.id) {
				return false
			}
		}
	}
	return true
}

// forgetCommands returns CLUSTER FORGET for the ids of removed nodes. A node that lost its volume
// starts with a new id, and the tables of the other nodes still contain its old id. An id counts as
// removed if it owns no slots, and no node reaches a node with this id. The id of this node's primary
// never counts as removed. Every peer must have a view.
//
// Redis' flag "fail" is not required. Redis sets this flag only if the id is in the tables of a
// majority of nodes. But some nodes may have forgotten the id already.
func forgetCommands(ownView *view, peers []peerState) []command {
	var forgets []command
	for _, id := range slices.Sorted(maps.Keys(ownView.members)) {
		m := ownView.members[id]
		ownsSlots := len(m.slots) > 0
		isOwnPrimary := ownView.self().primaryID == id
		isReached := slices.ContainsFunc(peers, func(p peerState) bool {
			return p.view.contains(id) && !p.view.members[id].suspected
		})
		if !m.handshake && !ownsSlots && !isOwnPrimary && !isReached {
			forgets = append(forgets, forgetCommand(id))
		}
	}
	return forgets
}

// hasStaleEpoch reports whether a peer has a higher epoch for this primary than the primary
// itself. Such a peer never votes for the primary's replica, so the shard cannot fail over.
// CLUSTER BUMPEPOCH on the primary fixes this.
//
// Redis 7 gets into this state when nodes swap addresses. A packet may come from the old address of a
// node. Redis then stores the packet's epoch for that node before it compares the names (repository
// redis/redis, file src/cluster.c, functions getNodeFromLinkAndMsg and clusterProcessPacket). Redis
// never lowers an epoch.
func hasStaleEpoch(ownView *view, peers []peerState) bool {
	own := ownView.self()
	return own.isPrimary && len(own.slots) > 0 && slices.ContainsFunc(peers, func(p peerState) bool {
		return p.view != nil && p.view.members[ownView.id].epoch > own.epoch
	})
}

// slotShare returns the range of slots that the node at this index gets when the cluster is
// created.
func slotShare(index, shards int) slotRange {
	return slotRange{index * slotCount / shards, (index+1)*slotCount/shards - 1}
}

// isUnowned reports whether no slot of the range has an owner in any node's table. A node that is
// lost stays the owner of its slots, so no other node takes them. Every peer must have a view.
func isUnowned(r slotRange, peers []peerState) bool {
	return !slices.ContainsFunc(peers, func(p peerState) bool { return p.view.hasOwner(r) })
}

// primaryAtStaleAddress returns the id of this replica's primary if the replication still
// uses an old address of the primary. Otherwise it returns "". Redis receives a new address
// over the cluster bus, but does not always use it for the replication. The replication
// then tries the old address forever. CLUSTER REPLICATE of the same primary fixes this.
func (v *view) primaryAtStaleAddress() string {
	primary, known := v.members[v.self().primaryID]
	isReachable := known && primary.connected && !primary.suspected && primary.address != ""
	if v.replicatesFrom == "" || !isReachable || primary.address == v.replicatesFrom {
		return ""
	}
	return primary.id
}

// replicateCommands returns the command that makes the node a replica of the primary with the
// fewest replicas. If several primaries have the fewest, the node's index decides. So nodes that
// join at the same time choose different primaries. Without a primary it returns no command.
func replicateCommands(ownView *view, self int) []command {
	type primary struct {
		id                  string
		firstSlot, replicas int
	}
	var primaries []primary
	for _, m := range ownView.members {
		if m.isPrimary && len(m.slots) > 0 && !m.suspected {
			p := primary{id: m.id, firstSlot: m.slots[0].first}
			for _, r := range ownView.members {
				if r.primaryID == m.id && !r.suspected {
					p.replicas++
				}
			}
			primaries = append(primaries, p)
		}
	}
	if len(primaries) == 0 {
		return nil
	}
	slices.SortFunc(primaries, func(a, b primary) int { return cmp.Compare(a.firstSlot, b.firstSlot) })
	start := self % len(primaries)
	primaries = append(primaries[start:], primaries[:start]...) // of equal elements, MinFunc returns the first
	fewest := slices.MinFunc(primaries, func(a, b primary) int { return cmp.Compare(a.replicas, b.replicas) })
	return []command{replicateCommand(fewest.id)}
}
