// Package serverfiles owns the files of a PostgreSQL server in the cluster:
// entrypoint.sh, postgresql.conf, pg_hba.conf and passwd. It is pure. The pod is
// in package postgres.
package serverfiles

import (
	_ "embed"
	"fmt"

	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
)

// Script is the entry point of the container, a script for a POSIX shell.
//
//go:embed entrypoint.sh
var Script string

// Paths are paths in the container.
type Paths struct {
	// Sockets is the folder of the Unix socket. Access is the path of pg_hba.conf, which says
	// how clients authenticate.
	Sockets, Access string
}

// File returns the whole postgresql.conf: the settings of the model and the
// addresses of the server. archive is the archive_command. Empty means no
// archive.
func File(model *postgrestuning.Model, archive string, p Paths) string {
	return fmt.Sprintf("%slisten_addresses = '*'\nunix_socket_directories = '%s'\nhba_file = '%s'\npassword_encryption = 'scram-sha-256'\n",
		model.File(archive), p.Sockets, p.Access)
}

// Access is the text of pg_hba.conf. Connections over the network need a password. The Unix
// socket needs no password, because it is reachable only inside the container.
const Access = `local all all trust
host all all all scram-sha-256
`

// Users returns the text of /etc/passwd. initdb needs the name of its user, and psql uses
// that name by default.
func Users(owner string, id int) string {
	return fmt.Sprintf("%s:x:%d:%d::/tmp:/bin/sh\n", owner, id, id)
}
