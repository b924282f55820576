package node

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// slots is the number of hash slots of every Redis cluster (Redis Cluster
// specification).
const slots = 16384

// span is a range of slots, both ends included.
type span struct{ first, last int }

func (s span) overlaps(o span) bool { return s.first <= o.last && o.first <= s.last }

// member is a node as another one has it in its table.
type member struct {
	id string
	// address is HOST:PORT, empty where it is not known; name is what the node
	// announces as its own.
	address, name string
	primary       bool
	// of is the primary of a replica.
	of string
	// suspected is set from the first missed answer, failed once a majority
	// agrees.
	suspected, failed bool
	// greeting is a node that has not answered yet: its id is made up.
	greeting  bool
	connected bool
	// epoch is the version of what a primary says of its slots; a replica has
	// its primary's.
	epoch int64
	owns  []span
}

// view is what one node says of itself and of the others.
type view struct {
	id      string
	keys    int64
	members map[string]member
	// follows is where a replica looks for its primary, HOST:PORT; it is known
	// of the agent's own node alone.
	follows string
}

// parseNodes reads the answer to CLUSTER NODES (Redis documentation of the
// command). Slots on their way between nodes belong to the one they leave.
func parseNodes(answer string) (id string, members map[string]member, err error) {
	members = map[string]member{}
	for line := range strings.Lines(answer) {
		fields := strings.Fields(line)
		if len(fields) < 8 {
			return "", nil, fmt.Errorf("CLUSTER NODES: the line %q has %d fields, must have 8 or more", line, len(fields))
		}
		flags := strings.Split(fields[2], ",")
		has := func(flag string) bool { return slices.Contains(flags, flag) }
		m := member{
			id: fields[0], address: address(fields[1]), name: hostname(fields[1]), primary: has("master"), of: strings.Trim(fields[3], "-"),
			failed: has("fail"), suspected: has("fail") || has("fail?"),
			greeting: has("handshake"), connected: fields[7] == "connected",
		}
		if has("noaddr") {
			m.address = ""
		}
		if m.epoch, err = strconv.ParseInt(fields[6], 10, 64); err != nil {
			return "", nil, fmt.Errorf("CLUSTER NODES: the epoch %q is no number", fields[6])
		}
		for _, field := range fields[8:] {
			if strings.HasPrefix(field, "[") {
				continue
			}
			s, err := parseSpan(field)
			if err != nil {
				return "", nil, fmt.Errorf("CLUSTER NODES: %w", err)
			}
			m.owns = append(m.owns, s)
		}
		if has("myself") {
			id = m.id
		}
		members[m.id] = m
	}
	if id == "" {
		return "", nil, fmt.Errorf("CLUSTER NODES: none of %d lines is the node itself", len(members))
	}
	return id, members, nil
}

// address takes HOST:PORT from HOST:PORT@BUS,NAME, in which Redis writes an
// IPv6 address without brackets.
func address(field string) string {
	whole, _, _ := strings.Cut(field, "@")
	colon := strings.LastIndex(whole, ":")
	if colon <= 0 {
		return ""
	}
	return net.JoinHostPort(whole[:colon], whole[colon+1:])
}

// hostname takes NAME from HOST:PORT@BUS,NAME,MORE.
func hostname(field string) string {
	_, names, _ := strings.Cut(field, ",")
	name, _, _ := strings.Cut(names, ",")
	return name
}

func parseSpan(field string) (span, error) {
	first, last, ranged := strings.Cut(field, "-")
	if !ranged {
		last = first
	}
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(last)
	if errA != nil || errB != nil || a < 0 || b < a || b >= slots {
		return span{}, fmt.Errorf("%q is no range of slots from 0 to %d", field, slots-1)
	}
	return span{a, b}, nil
}

// itself is the node's own line.
func (v *view) itself() member { return v.members[v.id] }

// covered is how many slots have an owner.
func (v *view) covered() int {
	n := 0
	for _, m := range v.members {
		for _, s := range m.owns {
			n += s.last - s.first + 1
		}
	}
	return n
}

// free says whether nobody owns a slot of the range.
func (v *view) free(r span) bool {
	for _, m := range v.members {
		if slices.ContainsFunc(m.owns, r.overlaps) {
			return false
		}
	}
	return true
}

// empty says that nothing is lost by joining: the node has no keys, and
// nobody whom it knows owns a slot.
func (v *view) empty() bool { return v.keys == 0 && v.covered() == 0 }

// knows says whether the other is in the node's table by its real id.
func (v *view) knows(id string) bool {
	m, ok := v.members[id]
	return ok && !m.greeting
}
