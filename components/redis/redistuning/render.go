package redistuning

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// File renders redis.conf. The lines say nothing of addresses, folders and
// users.
func (m *Model) File() string {
	var b strings.Builder
	for _, s := range m.settings {
		if s.where != managedOnly {
			fmt.Fprintf(&b, "%s %s\n", s.name, s.conf)
		}
	}
	return b.String()
}

// Parameters renders the ElastiCache parameter group of family redis7, without
// what ElastiCache keeps to itself.
func (m *Model) Parameters() []Parameter {
	var parameters []Parameter
	for _, s := range m.settings {
		if s.where != ownServer {
			parameters = append(parameters, s.group...)
		}
	}
	return parameters
}

// Users are the passwords of a server of our own, all of letters and digits.
type Users struct {
	// Client is that of the user default, which applications are.
	Client string
	// Node is that of the user node: replication and the bootstrap.
	Node string
}

// File renders the users as lines that redis.conf includes. Passwords stand in
// it as hashes, but for the one that a replica shows its primary. The user
// probe has no password and may only ping.
func (u Users) File() string {
	return fmt.Sprintf(`user default reset %s #%s
user node reset on ~* &* +@all #%s
user probe reset %s
masteruser node
masterauth %s
`, AccessRules, hash(u.Client), hash(u.Node), probeRules, u.Node)
}

func hash(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}
