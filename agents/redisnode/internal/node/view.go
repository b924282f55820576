package node

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// slotCount is the number of hash slots of every Redis Cluster (Redis Cluster
// specification).
const slotCount = 16384

// slotRange is a range of slots. Both ends are included.
type slotRange struct{ first, last int }

// overlaps reports whether the ranges have a common slot.
func (s slotRange) overlaps(other slotRange) bool {
	return s.first <= other.last && other.first <= s.last
}

// member is one entry in a node's table of the cluster (CLUSTER NODES).
type member struct {
	id string
	// address is HOST:PORT, or empty if unknown. name is the hostname that the
	// node announces.
	address, name string
	isPrimary     bool
	// primaryID is the id of a replica's primary. It is empty for a primary.
	primaryID string
	// suspected is Redis' flag "fail?": the reporting node got no reply from the member.
	// failed is the flag "fail": a majority of the primaries got no reply. A failed
	// member is also suspected.
	suspected, failed bool
	// handshake is true if the member has not replied yet. Its id is then temporary.
	handshake bool
	connected bool
	// epoch is the version of a primary's slot claims. A replica has its
	// primary's epoch.
	epoch int64
	slots []slotRange
}

// view is what one node reports about itself and about the other nodes.
type view struct {
	id      string
	keys    int64
	members map[string]member
	// replicatesFrom is the HOST:PORT at which a replica connects to its primary. It is
	// only set in the view of this process' own node.
	replicatesFrom string
}

// parseNodes parses the output of CLUSTER NODES (Redis' documentation of this command). id
// is the id of the node that sent the output. A migrating slot counts for its current owner.
func parseNodes(output string) (id string, members map[string]member, err error) {
	members = map[string]member{}
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if len(fields) < 8 {
			return "", nil, fmt.Errorf("CLUSTER NODES: the line %q has %d fields, must have 8 or more", line, len(fields))
		}
		flags := strings.Split(fields[2], ",")
		hasFlag := func(flag string) bool { return slices.Contains(flags, flag) }
		m := member{
			id: fields[0], address: memberAddress(fields[1]), name: memberName(fields[1]), isPrimary: hasFlag("master"),
			primaryID: strings.Trim(fields[3], "-"), // a primary has "-"
			failed:    hasFlag("fail"), suspected: hasFlag("fail") || hasFlag("fail?"),
			handshake: hasFlag("handshake"), connected: fields[7] == "connected",
		}
		if hasFlag("noaddr") {
			m.address = ""
		}
		if m.epoch, err = strconv.ParseInt(fields[6], 10, 64); err != nil {
			return "", nil, fmt.Errorf("CLUSTER NODES: the epoch %q is not a number", fields[6])
		}
		for _, field := range fields[8:] {
			if strings.HasPrefix(field, "[") {
				continue // a migrating slot, which is also in a range
			}
			s, err := parseSlotRange(field)
			if err != nil {
				return "", nil, fmt.Errorf("CLUSTER NODES: %w", err)
			}
			m.slots = append(m.slots, s)
		}
		if hasFlag("myself") {
			id = m.id
		}
		members[m.id] = m
	}
	if id == "" {
		return "", nil, fmt.Errorf("CLUSTER NODES: none of %d lines is the node itself", len(members))
	}
	return id, members, nil
}

// memberAddress returns HOST:PORT from HOST:PORT@BUS,NAME. Redis writes IPv6
// addresses without brackets. If the field has no host, memberAddress returns "".
func memberAddress(field string) string {
	hostAndPort, _, _ := strings.Cut(field, "@")
	colon := strings.LastIndex(hostAndPort, ":")
	if colon <= 0 {
		return ""
	}
	return net.JoinHostPort(hostAndPort[:colon], hostAndPort[colon+1:])
}

// memberName returns NAME from HOST:PORT@BUS,NAME,MORE. It returns "" if the field has no name.
func memberName(field string) string {
	_, names, _ := strings.Cut(field, ",")
	name, _, _ := strings.Cut(names, ",")
	return name
}

// parseSlotRange parses FIRST-LAST, or a single slot.
func parseSlotRange(field string) (slotRange, error) {
	firstText, lastText, isRange := strings.Cut(field, "-")
	if !isRange {
		lastText = firstText
	}
	first, errFirst := strconv.Atoi(firstText)
	last, errLast := strconv.Atoi(lastText)
	if errFirst != nil || errLast != nil || first < 0 || last < first || last >= slotCount {
		return slotRange{}, fmt.Errorf("%q is not a range of slots from 0 to %d", field, slotCount-1)
	}
	return slotRange{first, last}, nil
}

// self returns the node's own entry in its table.
func (v *view) self() member { return v.members[v.id] }

// countOwnedSlots returns the number of slots that have an owner in the node's table.
func (v *view) countOwnedSlots() int {
	n := 0
	for _, m := range v.members {
		for _, s := range m.slots {
			n += s.last - s.first + 1
		}
	}
	return n
}

// hasOwner reports whether a slot of the range has an owner in the node's table.
func (v *view) hasOwner(r slotRange) bool {
	for _, m := range v.members {
		if slices.ContainsFunc(m.slots, r.overlaps) {
			return true
		}
	}
	return false
}

// hasNoData reports whether the node has no keys, and no node in its table owns a slot.
// Then a join cannot lose data.
func (v *view) hasNoData() bool { return v.keys == 0 && v.countOwnedSlots() == 0 }

// contains reports whether the node's table has a node with this id. A node that has not
// completed its handshake does not count, because its id is temporary.
func (v *view) contains(id string) bool {
	m, ok := v.members[id]
	return ok && !m.handshake
}
