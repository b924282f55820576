// Package serverfiles owns the files of a PostgreSQL server in the cluster:
// entrypoint.sh, postgresql.conf, pg_hba.conf and passwd. It imports no SDK. The pod is
// in package postgres.
package serverfiles

import (
	_ "embed"
	"fmt"

	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
)

// Entrypoint is the text of the container's entry point, a script for a POSIX shell.
//
//go:embed entrypoint.sh
var Entrypoint string

// Paths are paths in the container.
type Paths struct {
	// SocketFolder is the folder of the Unix socket. HBAConf is the path of pg_hba.conf, which
	// has the authentication methods of clients.
	SocketFolder, HBAConf string
}

// PostgresqlConf returns the whole postgresql.conf: the settings of the model and the
// addresses of the server. An empty archiveCommand turns archiving off.
func PostgresqlConf(model *postgrestuning.Model, archiveCommand string, p Paths) string {
	return fmt.Sprintf("%slisten_addresses = '*'\nunix_socket_directories = '%s'\nhba_file = '%s'\npassword_encryption = 'scram-sha-256'\n",
		model.File(archiveCommand), p.SocketFolder, p.HBAConf)
}

// HBAConf is the text of pg_hba.conf. Connections over the network need a password. The Unix
// socket needs no password, because it is reachable only inside the container.
const HBAConf = `local all all trust
host all all all scram-sha-256
`

// PasswdFile returns the text of /etc/passwd with one user. initdb needs the name of the user that
// runs it, and psql uses that name by default.
func PasswdFile(owner string, id int) string {
	return fmt.Sprintf("%s:x:%d:%d::/tmp:/bin/sh\n", owner, id, id)
}
