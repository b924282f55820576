package redistuning

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// File returns the settings as lines of a redis.conf, without addresses, folders and users.
func (m *Model) File() string {
	var b strings.Builder
	for _, s := range m.settings {
		if s.target != elastiCache {
			fmt.Fprintf(&b, "%s %s\n", s.name, s.conf)
		}
	}
	return b.String()
}

// Parameters returns the parameters of an ElastiCache parameter group of the family redis7,
// without the settings that ElastiCache controls.
func (m *Model) Parameters() []Parameter {
	var parameters []Parameter
	for _, s := range m.settings {
		if s.target != inCluster {
			parameters = append(parameters, s.parameters...)
		}
	}
	return parameters
}

// Users has the passwords of the users of a server in the cluster. The passwords have only letters
// and digits.
type Users struct {
	// Client is the password of the user default, for applications.
	Client string
	// Node is the password of the users node and metrics. The user node is for replication and for
	// agents/redisnode. agents/redisnode also logs in as the user metrics, to read the series for
	// Prometheus.
	Node string
}

// File returns the users as lines that redis.conf includes. Passwords are
// hashed, except masterauth, which a replica sends to its primary. The user
// probe has no password and may only run PING.
func (u Users) File() string {
	return fmt.Sprintf(`user default reset %s #%s
user node reset on ~* &* +@all #%s
user metrics reset %s #%s
user probe reset %s
masteruser node
masterauth %s
`, AccessRules, hashPassword(u.Client), hashPassword(u.Node), metricsRules, hashPassword(u.Node), probeRules, u.Node)
}

// hashPassword returns the SHA-256 hash of a password in hexadecimal digits, as Redis ACLs have it.
func hashPassword(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}
